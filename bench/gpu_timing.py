"""Times of kernels on a GPU, for `bench.gpu_stages`: in replayed steps, in variants, of cuDNN's grouped convolution."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import torch
from torch.nn import functional

from bench.ceilings import fastest, wait
from bench.engines import offered
from bench.gpu_device import Found, operations_on, said, shapes_on
from bench.shapes import random_images
from skelnas.cells.selection import select
from skelnas.recipe import Recipe
from skelnas.training.gpu.groups import capacity_for
from skelnas.training.gpu.operations import cases
from skelnas.training.gpu.traffic import counted
from skelnas.training.gpu.training import GpuTraining
from skelnas.training.precision import dtype
from skelnas.training.resident import ResidentImages

REPEATED = 3  # replays that are profiled
# The kernels that the bytes of operations go through, by the beginning of their names; forward and to the source share.
BYTES_OF = {
    "convolve": ("_convolve", "_halving_gradient"),
    "input_gradient": ("_convolve", "_halving_gradient"),
    "weight_gradient": ("_weight_gradient", "_add_parts"),
    "batch_norm_backward": ("_gradient_sums", "_finish_backward", "_combine_gradient"),
    "sum_nodes": ("_sum_nodes",),
    "sum_gradients": ("_sum_gradients",),
    "pixel_means": ("_pixel_means",),
    "sgd_step": ("_sgd_step",),
}


def kernels(device: torch.device, ends: float) -> Found:
    """Time of each kernel in a training step and in a batch of evaluation, from a profile of replays."""
    sizes = {"UTD-MHAD": 125, "NTU RGB+D 60": 16, "tiny": 2}
    for name, (shape, _) in shapes_on(device).items():
        jobs = [(cell, 777) for cell in select(f"stratified-{sizes[name]}")]
        recipe, images = Recipe(3, shape.batch_size, precision=offered(device)[-1]), random_images(shape)
        if recipe.precision != "fp32" and device.type == "cpu":
            recipe = replace(recipe, precision="fp32")
        data = ResidentImages.of(images, device, dtype(recipe))
        begun = time.monotonic()
        training = GpuTraining(len(jobs), capacity_for([jobs]), images, data, recipe, operations_on(device))
        yield f"{name}: seconds to record", round(time.monotonic() - begun, 1)
        training.start(jobs)
        training.run_batch()
        on = torch.profiler.ProfilerActivity
        with torch.profiler.profile(activities=[on.CUDA if device.type == "cuda" else on.CPU]) as profile:
            for _ in range(REPEATED if device.type == "cuda" else 1):
                training.run_batch()
            wait(device)
        field = "self_device_time_total" if device.type == "cuda" else "self_cpu_time_total"
        times = {event.key: getattr(event, field) / 1e3 for event in profile.key_averages()}
        total = sum(times.values())
        longest = sorted(times.items(), key=lambda one: -one[1])[:30]
        yield f"{name}: ms", {key: [round(ms, 3), round(ms / total, 4)] for key, ms in longest}
        size = recipe.batch_size, shape.height, shape.width
        count = counted([cell for cell, _ in jobs], size, shape.classes, recipe.precision, evaluating=False)
        yield f"{name}: GB/s", gigabytes_per_second(times, count.bytes, REPEATED if device.type == "cuda" else 1)
        del training, profile
        if device.type == "cuda":
            torch.cuda.empty_cache()


def gigabytes_per_second(ms: Mapping[str, float], moved: Mapping[str, int], steps: int) -> dict[str, int]:
    """By kernel, or kernels that share operations: the bytes that `steps` steps ask for once, per second of their time.

    `ms` are milliseconds by the name of the kernel, `moved` bytes of one step by operation.
    """
    found = {}
    for names in dict.fromkeys(BYTES_OF.values()):
        seconds = sum(time for key, time in ms.items() if key.startswith(names)) / 1e3
        asked = steps * sum(moved.get(operation, 0) for operation, own in BYTES_OF.items() if own == names)
        if seconds:
            found[" + ".join(names)] = round(1e-9 * asked / seconds)
    return found


def variants(device: torch.device, ends: float) -> Found:
    """The 3x3 kernels of bfloat16 with other blocks, warps and stages; microseconds, and GB/s of what is asked once."""
    if device.type == "cpu":
        yield "not built", "variants are timed on a GPU only"
        return
    from skelnas.training.gpu.operations.triton import rows

    inputs, models = cases.Inputs("bf16", 32, False, device), 128
    for channels, height, width in ((16, 20, 68), (32, 10, 34), (64, 5, 17)):
        source, out = (torch.randn(models, 32, height, width, channels, device=device).bfloat16() for _ in range(2))
        weight = torch.randn(models, 9, channels, channels, device=device)
        slots, moved = inputs.table(*range(models)), 2 * source.numel() * source.element_size()
        own = rows.OF_WEIGHTS[channels]
        for option in dict.fromkeys([own, *((block, warps) for block in (16, 32, 64, 128) for warps in (1, 2, 4, 8))]):
            rows.OF_WEIGHTS[channels] = option
            parts = torch.empty(models, 4, 9, channels, channels, device=device)
            work = partial(rows.weight_gradient_parts, source, slots, out, parts, -(-32 * width // 4), True)
            what = f"weight gradient, {channels} channels, block {option[0]}, {option[1]} warps"
            yield what, _timed(work, device, moved)
            if time.monotonic() > ends:
                return
        rows.OF_WEIGHTS[channels] = own
        for transposed, what in ((False, "forward"), (True, "input gradient")):
            work = partial(rows.convolve, source, slots, weight, out, transposed, not transposed, None)
            yield f"{what}, {channels} channels", _timed(work, device, moved)


def _timed(work: Callable[[], object], device: torch.device, moved: int) -> dict[str, float | str]:
    try:
        seconds = fastest(work, device)
    except Exception as error:  # more shared memory or registers than there are
        return {"failure": said(error)}
    return {"microseconds": round(1e6 * seconds, 1), "GB/s": round(1e-9 * moved / seconds)}


def grouped(device: torch.device, ends: float) -> Found:
    """cuDNN's grouped convolution, which would be the simple way to train equal cells together: a note beside ours."""
    models, samples = (128, 32) if device.type == "cuda" else (2, 2)
    for channels, height, width in ((16, 20, 68), (32, 10, 34), (64, 5, 17)):
        images = torch.randn(samples, models * channels, height, width, device=device).bfloat16()
        weight = torch.randn(models * channels, channels, 3, 3, device=device).bfloat16()
        images, weight = (one.contiguous(memory_format=torch.channels_last) for one in (images, weight))
        forward = partial(functional.conv2d, images, weight, padding=1, groups=models)
        yield f"cuDNN grouped, {channels} channels", _timed(forward, device, 2 * images.numel() * images.element_size())
        if time.monotonic() > ends:
            return
