"""How fast the text of NTU RGB+D is read: the compiled parser against the plain one, in one run on one core.

    python -m bench.ntu_parser [--out FILE]

prints megabytes of text per second for both and their ratio. Each figure is the fastest of several rounds over the same
made-up recordings of natural length, whose results are compared first.
"""

import argparse
import json
import random
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from bench import ntu_generate
from skelnas.files import write_json
from skelnas.skeletons.ntu import parser as ntu_parser
from skelnas.skeletons.ntu import text as ntu_text
from skelnas.skeletons.ntu.text import Bodies

RECORDINGS, FRAMES = 24, 84  # NTU RGB+D 60 has 84 frames on average
ROUNDS = {"compiled": 40, "plain": 4}


def texts(seed: int = 0) -> list[bytes]:
    """Recordings of one or two people, about 0.2 MB each."""
    chance = random.Random(seed)
    recordings = []
    for number in range(RECORDINGS):
        people = 2 if number % 5 == 0 else 1
        frames = [
            [
                (ntu_generate.FIRST_ID + person, ntu_generate.pose(0.1 * frame, chance) + ntu_generate.BESIDE * person)
                for person in range(people)
            ]
            for frame in range(FRAMES)
        ]
        recordings.append(ntu_generate.recording_text(frames))
    return recordings


def measure(recordings: list[bytes]) -> dict[str, float]:
    """MB/s of both parsers; ends the program where they disagree."""
    parsers: dict[str, Callable[[bytes, str], Bodies]] = {"compiled": ntu_parser.parse, "plain": ntu_text.parse}
    for text in recordings:
        fast, plain = (parse(text, "recording") for parse in parsers.values())
        if not all(np.array_equal(getattr(fast, key), getattr(plain, key)) for key in ("frame", "ids", "joints")):
            raise SystemExit("the parsers disagree")
    size = sum(map(len, recordings))
    fastest = dict.fromkeys(parsers, float("inf"))
    for name, parse in parsers.items():
        for _ in range(ROUNDS[name]):
            started = time.perf_counter()
            for text in recordings:
                parse(text, "recording")
            fastest[name] = min(fastest[name], time.perf_counter() - started)
    speed = {name: size / seconds / 1e6 for name, seconds in fastest.items()}
    return {
        "text MB": round(size / 1e6, 1),
        "compiled MB/s": round(speed["compiled"], 1),
        "plain MB/s": round(speed["plain"], 1),
        "ratio": round(speed["compiled"] / speed["plain"], 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="write the figures to this file as JSON")
    arguments = parser.parse_args()
    figures = measure(texts())
    print(json.dumps(figures, indent=2))
    if arguments.out:
        write_json(arguments.out, figures)


if __name__ == "__main__":
    main()
