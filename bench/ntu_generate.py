"""Made-up recordings in the form of NTU RGB+D: its files may not be passed on, and tests and proofs need some.

The names are the real ones of NTU RGB+D 60; the people are stick figures of a few frames. Nothing can be learned from
them but how fast and how well they are read.
"""

import random
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from skelnas.files import whole_file
from skelnas.progress import Progress

FIRST_ID = 72057594037931101  # ids of this size differ in digits that a float64 does not have
POSES = 96
BESIDE = np.array([0.8, 0.0, 0.0])  # metres from the first person to the second
DATES = (1980, 1, 1, 0, 0, 0)

# NTU RGB+D 60: who performed in each of the 17 setups. Everybody did the 60 actions twice before three cameras.
SUBJECTS = {
    1: (1, 2, 3, 4, 5, 6, 7, 8),
    2: (3, 7, 8, 9, 10, 11, 12, 13, 14),
    3: (1, 2, 7, 8, 15, 16, 17, 18, 19),
    4: (3, 7, 8, 20),
    5: (4, 10, 13, 15, 16, 17, 18, 21),
    6: (1, 7, 8, 15, 16, 17, 19, 22, 23, 24),
    7: (1, 7, 8, 15, 16, 17, 18, 19, 25, 26, 27, 28),
    8: (1, 7, 8, 15, 19, 25, 29, 30, 31, 32, 33, 34, 35, 36),
    9: (7, 8, 15, 16, 17, 19, 25),
    10: (7, 8, 13, 15, 16, 17, 18, 19, 21, 25),
    11: (1, 2, 7, 8, 15, 16, 17, 18, 19, 25, 27, 28, 38),
    12: (7, 8, 15, 16, 17, 18, 19, 25, 27, 28, 37),
    13: (7, 8, 15, 16, 17, 18, 19, 25, 27, 28, 37),
    14: (7, 8, 15, 17, 19, 25, 27, 37, 39),
    15: (7, 8, 15, 16, 17, 19, 25, 37),
    16: (7, 8, 19, 21, 25, 39, 40),
    17: (3, 7, 8, 9, 15, 16, 17, 20),
}

# A standing person of 1.7 m, metres from the ground below the middle of the spine, x and y, in the files' joint order.
FIGURE = np.array(
    [
        *[(0, 0.9), (0, 1.2), (0, 1.48), (0, 1.62)],
        *[(-0.18, 1.4), (-0.24, 1.13), (-0.26, 0.9), (-0.27, 0.82)],
        *[(0.18, 1.4), (0.24, 1.13), (0.26, 0.9), (0.27, 0.82)],
        *[(-0.09, 0.89), (-0.11, 0.48), (-0.12, 0.09), (-0.13, 0.02)],
        *[(0.09, 0.89), (0.11, 0.48), (0.12, 0.09), (0.13, 0.02)],
        *[(0, 1.42), (-0.27, 0.74), (-0.23, 0.8), (0.27, 0.74), (0.23, 0.8)],
    ]
)


def ntu60_names() -> list[str]:
    """The 56,880 sample names of NTU RGB+D 60, in order."""
    return sample_names(SUBJECTS, 60)


def sample_names(subjects: Mapping[int, Sequence[int]], actions: int) -> list[str]:
    """The names of NTU RGB+D 60 or 120 (`actions`) in order, given who performed in each setup.

    Setups 1 to 17 hold actions 1 to 60, the setups of NTU RGB+D 120 from 18 on actions 61 to 120.
    """
    return [
        f"S{setup:03}C{camera:03}P{subject:03}R{trial:03}A{action:03}"
        for setup, performers in subjects.items()
        for camera in (1, 2, 3)
        for subject in performers
        for trial in (1, 2)
        for action in (range(1, 61) if setup <= 17 else range(61, actions + 1))
    ]


def pose(phase: float, chance: random.Random) -> np.ndarray:
    """A figure 3 m before the camera that swings its arms; float64 (25, 3), metres."""
    figure = np.column_stack([FIGURE[:, 0], FIGURE[:, 1] - 1.0, np.full(len(FIGURE), 3.0)])
    swing = 0.4 * np.sin(phase)
    reach = np.array([0, 0.3, 0.8, 1.0])  # how much of the swing shoulder, elbow, wrist and hand make
    figure[4:8, 2] += swing * reach
    figure[8:12, 1] += abs(swing) * reach
    figure[[21, 22], 2] += swing
    figure[[23, 24], 1] += abs(swing)
    return figure + np.array([[chance.gauss(0, 0.01) for _ in range(3)] for _ in figure])


def number_text(value: float) -> str:
    """A number as the sensor's program writes it: seven significant digits, exponents like 9.931628E-05."""
    return f"{value:.7g}".replace("e", "E")


def body_text(body_id: int, joints: np.ndarray) -> str:
    """The lines of one body in one frame; `joints` float64 (25, 3), metres."""
    lines = [f"{body_id} 0 1 1 1 1 0 0.01119184 -0.256052 2", str(len(joints))]
    for x, y, z in joints.tolist():
        right, up = (x / z, y / z) if z else (0.0, 0.0)
        pixels = 256 + 365 * right, 212 - 365 * up, 960 + 1060 * right, 540 - 1060 * up
        lines.append(
            " ".join(map(number_text, (x, y, z, *pixels, -0.2218947, 0.03421978, 0.968875, -0.1042736))) + " 2"
        )
    return "\n".join(lines) + "\n"


def recording_text(frames: Sequence[Sequence[tuple[int, np.ndarray]]]) -> bytes:
    """A skeleton file: for each frame the bodies listed in it, (id, joints) each."""
    parts = [f"{len(frames)}\n"]
    for bodies in frames:
        parts += [f"{len(bodies)}\n", *(body_text(body_id, joints) for body_id, joints in bodies)]
    return "".join(parts).encode()


def write_archive(path: Path, names: Iterable[str], without_body: Iterable[str] = (), seed: int = 0) -> None:
    """Write a zip archive with a recording of 3 to 8 frames for each name, in the official archive's folder.

    Actions from A050 on have two bodies; one frame in a hundred has none; those in `without_body` have none at all.
    The same arguments give the same bytes.
    """
    chance = random.Random(seed)
    names, without_body = list(names), set(without_body)
    texts = [
        [body_text(FIRST_ID + 4 * person, pose(0.2 * step, chance) + BESIDE * person) for step in range(POSES)]
        for person in range(2)
    ]
    progress = Progress(f"writing {path.name}", len(names), "recordings")
    with (
        whole_file(path) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
    ):
        for name in names:
            people = 0 if name in without_body else 2 if int(name[-3:]) >= 50 else 1
            start, frames = chance.randrange(POSES), chance.randint(3, 8)
            parts = [f"{frames}\n"]
            for frame in range(frames):
                present = people if frame == 0 or chance.random() > 0.01 else 0
                parts.append(f"{present}\n")
                parts += [texts[person][(start + frame) % POSES] for person in range(present)]
            entry = zipfile.ZipInfo(f"nturgb+d_skeletons/{name}.skeleton", DATES)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, "".join(parts))
            progress.advance()
