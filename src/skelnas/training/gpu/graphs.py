"""Steps recorded as CUDA graphs and replayed: hundreds of launches for the price of one."""

import sys
from collections.abc import Callable
from typing import Any

import torch

from skelnas.processes import failure
from skelnas.training.gpu.faults import is_out_of_memory

Step = Callable[[], None]


class Graphs:
    """Makes steps ready to be run again and again; all graphs take their temporary memory from one pool.

    A step that is captured must read and write the same addresses whenever it is replayed, and never wait for the
    device. Making it ready runs it, on whatever is in memory.
    """

    def __init__(self, device: torch.device, capturable: bool) -> None:
        self.capturing = device.type == "cuda" and capturable
        self._pool: Any = None  # PyTorch's handle of it

    def ready(self, step: Step) -> Step:
        """`step` as a graph; as it is where graphs cannot be had, said once on standard error.

        Raises:
            torch.OutOfMemoryError: the memory is too small, whatever the capture made of that.
        """
        if not self.capturing:
            return step
        warm_up(step)  # an error of the step itself is no matter of the capture
        try:
            replay, self._pool = captured(step, self._pool)
        except Exception as error:
            if is_out_of_memory(error):
                raise torch.OutOfMemoryError(str(error)) from error
            sys.stderr.write(f"steps cannot be recorded here ({failure(error)}); going on launch by launch, slower\n")
            self.capturing = False
            return step
        return replay


def warm_up(step: Step) -> None:
    """Run a step twice beside the current stream: compiles kernels and fills the allocator."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(2):
            step()
    torch.cuda.current_stream().wait_stream(stream)


def captured(step: Step, pool: Any) -> tuple[Step, Any]:
    """What replays `step`, and the pool of memory that its graph and others share."""
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, pool=pool):
        step()
    return graph.replay, graph.pool()
