"""Recordings become images: read, encode, resize, in the order of the samples, in processes that may die."""

import contextlib
import signal
from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field

import numpy as np

from skelnas.errors import InputError
from skelnas.images.encodings import ENCODINGS
from skelnas.images.resize import default_height, resize
from skelnas.processes import JobFailure, Worker, run_tasks
from skelnas.skeletons.named import Skeleton
from skelnas.skeletons.plausibility import Measures, measured
from skelnas.skeletons.recording import BadRecording, Sample, Source, check_coordinates
from skelnas.untrusted import DEFAULT

BLOCK = 32  # recordings a worker converts before it answers


@dataclass(frozen=True)
class Converted:
    """One sample's image, or why there is none."""

    sample: Sample
    image: np.ndarray | None = None  # uint8, height x width x 3 (rows x frames x 3 where the width is not known yet)
    length: int = 0  # frames of the recording
    frames_without_body: int = 0
    missing_joints: int = 0  # over all frames, before they were treated
    padding: int = 0  # empty frames at the end, before they were treated
    unsure_joints: int = 0  # over all frames, whose confidence is too low
    confidence: float = -1.0  # the mean of all joints; -1 where the source gives none
    measures: Measures = field(default_factory=Measures)
    reason: str = ""
    recorded: bool = False  # an earlier run converted it


@dataclass(frozen=True)
class Conversion:
    """What is done to every recording of a source; height 0: the default one, width 0: not known, so not resized.

    seconds: after so many a recording counts as one at which its process hangs.
    """

    source: Source
    encoding: str
    height: int
    width: int
    seconds: int = DEFAULT.recording_seconds

    def one(self, sample: Sample) -> Converted:
        """Read and draw one sample; a recording that cannot be used gives its reason instead of an image."""
        try:
            recording = self.source.read(sample)
        except BadRecording as error:
            return Converted(sample, reason=str(error))
        try:
            joints = len(self.source.joint_names) or None
            coordinates = check_coordinates(recording.coordinates, sample.name, joints)
            image = ENCODINGS[self.encoding](coordinates, self.source.parents)
        except BadRecording as error:
            text = str(error)
            return Converted(sample, reason=text if text.startswith(sample.name) else f"{sample.name}: {text}")
        if self.width:
            image = resize(image, self.height or default_height(len(image)), self.width)
        # Whatever reads a recording, a frame of zeros is one in which nobody was seen.
        zeros = int((coordinates == 0).all(axis=(0, 2)).sum())
        without_body = max(recording.frames_without_body, zeros)
        return Converted(
            sample,
            image,
            coordinates.shape[1],
            without_body,
            recording.missing_joints,
            recording.padding,
            recording.unsure_joints,
            recording.confidence,
            measured(coordinates, Skeleton(self.source.joint_names).mirrored(), self.source.bodies),
        )


def convert(conversion: Conversion, samples: Sequence[Sample], workers: int = 1) -> Generator[Converted, None, None]:
    """Yield every sample's image in the order of `samples`, converted in `workers` forked processes.

    A recording at which its process dies, hangs or fails (damage that a library does not survive) cannot be used:
    its block is read again, one recording at a time. At most three blocks per worker are under way, so memory does not
    grow with the data set.

    Raises:
        InputError: a mistake that concerns every recording.
    """
    blocks = [tuple(samples[start : start + BLOCK]) for start in range(0, len(samples), BLOCK)]
    waiting = deque((number, block) for number, block in enumerate(blocks))
    again: deque[tuple[int, tuple[Sample, ...]]] = deque()  # the recordings of blocks that failed, each a task
    finished: dict[int, list[Converted]] = {}
    next_block = 0

    def take(place: int) -> tuple[int, tuple[Sample, ...]] | None:
        if again:
            return again.popleft()
        return waiting.popleft() if waiting and waiting[0][0] < next_block + 3 * workers else None

    def work(task: tuple[int, tuple[Sample, ...]]) -> list[Converted]:
        return [_within(conversion.seconds, conversion.one, sample) for sample in task[1]]

    pool = {place: Worker(work) for place in range(min(workers, len(blocks)))}
    with contextlib.closing(run_tasks(take, pool, lambda place: Worker(work))) as outcomes:
        for (number, block), outcome in outcomes:
            if isinstance(outcome, InputError):
                raise outcome
            if isinstance(outcome, JobFailure) and len(block) > 1:
                again.extend((number, (sample,)) for sample in block)
                continue
            if isinstance(outcome, JobFailure):
                reason = _overdue(conversion.seconds) if outcome.exit_code == -signal.SIGALRM else str(outcome)
                outcome = [Converted(block[0], reason=f"{block[0].name} cannot be converted: {reason}")]
            finished.setdefault(number, []).extend(outcome)
            while len(finished.get(next_block, ())) == len(blocks[next_block]):
                of_sample = {converted.sample: converted for converted in finished.pop(next_block)}
                yield from (of_sample[sample] for sample in blocks[next_block])
                next_block += 1
                if next_block == len(blocks):
                    return


def _within(seconds: int, read: Callable[[Sample], Converted], sample: Sample) -> Converted:
    """What `read` gives; the operating system ends this process after `seconds`, whatever a library does in it."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(seconds)
    try:
        return read(sample)
    finally:
        signal.alarm(0)


def _overdue(seconds: int) -> str:
    return (
        f"it takes longer than the {seconds:,} seconds that `limits: recording-seconds` allows; raise it for this data "
        "set if that is right"
    )
