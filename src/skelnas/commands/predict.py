"""Name the action in recordings by a network whose weights a study kept (`keep-weights`).

skelnas predict results/weights/demo/synthetic/demo/cell-01462.safetensors wave.mat
skelnas predict cell-01462.safetensors recordings.zip --top 1 --json
skelnas predict cell-01462.safetensors clips/ --option reader=csv --option preset=kinect-v2

A RECORDING is a file, an archive or a folder that the reader of the network's data set opens, or the one that --option
names. Each is drawn and normalised exactly as the images that the network was trained on.
"""

import argparse
import json
import shutil
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from skelnas.commands import reading
from skelnas.errors import InputError, harmless
from skelnas.prediction.recordings import drawn
from skelnas.results.weights import Facts, read_weights
from skelnas.text import counted, text_table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="a file of weights (.safetensors)")
    parser.add_argument("recordings", nargs="+", metavar="RECORDING", type=Path, help="a file, an archive or a folder")
    parser.add_argument("--top", type=int, default=3, metavar="K", help="how many actions to name (3)")
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a key of the data set's block, such as reader",
    )
    parser.add_argument(
        "--by-class", action="store_true", help="accuracy by class, where recordings state their action"
    )
    reading.add_json(parser)


def run(given: argparse.Namespace) -> int:
    if given.top < 1:
        raise InputError(f"--top {given.top} names nothing: give 1 or more")
    changes = dict(map(_option, given.option))
    weights = read_weights(given.model)

    from skelnas.prediction.network import KeptNetwork, Seconds, recognised

    network, facts = KeptNetwork.of(weights), weights.facts
    answers: list[dict[str, Any]] = []
    seconds, faults = Seconds(), 0
    for path in given.recordings:
        try:
            for one, row in recognised(drawn(path, facts, changes), network, seconds):
                if row is not None:
                    answers.append(_answer(one.name, one.stated, row, facts, given.top))
                    continue
                print(harmless(one.converted.reason), file=sys.stderr)
                faults += 1
        except InputError as error:
            print(error, file=sys.stderr)
            faults += 1
    if given.json:
        reading.print_json({"network": _about(facts), "recordings": answers, "seconds": asdict(seconds)})
    elif answers:
        print(_heading(facts) + "\n")
        _print(answers)
        if given.by_class:
            _print_classes(answers, facts.classes)
        print("\n" + _ending(answers, seconds.images, seconds.network))
    return 1 if faults else 0


def _option(text: str) -> tuple[str, Any]:
    key, sign, value = text.partition("=")
    if not sign:
        raise InputError(f"--option {text}: give KEY=VALUE, such as reader=csv")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value


def _answer(name: str, stated: str, row: np.ndarray, facts: Facts, top: int) -> dict[str, Any]:
    order = np.argsort(-row, kind="stable")[:top]
    actions = [{"action": facts.classes[label], "probability": float(row[label])} for label in order]
    return {"recording": name, "actions": actions, **({"stated": stated} if stated else {})}


def _about(facts: Facts) -> dict[str, Any]:
    shown = ("cell", "architecture", "seed", "recipe_name", "dataset", "encoding", "right", "samples", "licence")
    return {key: getattr(facts, key) for key in shown}


def _heading(facts: Facts) -> str:
    right = 100 * facts.right["test"] / max(1, facts.samples["test"])
    return (
        f"Cell {facts.cell} with seed {facts.seed}, trained on {facts.dataset} ({facts.recipe_name}): {right:.1f} % of "
        f"its {facts.samples['test']:,} test recordings right"
    )


def _print(answers: list[dict[str, Any]]) -> None:
    """A line for each action; names of recordings lose their front where the line is too long."""
    width = shutil.get_terminal_size((100, 24)).columns
    actions = max(len("action"), *(len(one["action"]) for answer in answers for one in answer["actions"]))
    room = max(8, width - actions - len("probability") - 2 * reading.GAP)
    rows = []
    for answer in answers:
        name = answer["recording"]
        name = name if len(name) <= room else "…" + name[len(name) - room + 1 :]
        for rank, one in enumerate(answer["actions"]):
            rows.append([name if rank == 0 else "", one["action"], f"{100 * one['probability']:.1f} %"])
    print(text_table(("recording", "action", "probability"), rows, left=2))


def _print_classes(answers: list[dict[str, Any]], classes: list[str]) -> None:
    of_class = Counter(answer["stated"] for answer in answers if "stated" in answer)
    right = Counter(answer["stated"] for answer in answers if _is_right(answer))
    rows = [
        [name, str(right[name]), str(of_class[name]), f"{100 * right[name] / of_class[name]:.1f} %"]
        for name in classes
        if of_class[name]
    ]
    if rows:
        print("\n" + text_table(("stated action", "right", "recordings", "accuracy"), rows))


def _is_right(answer: dict[str, Any]) -> bool:
    return answer.get("stated") == answer["actions"][0]["action"]


def _ending(answers: list[dict[str, Any]], images: float, network: float) -> str:
    number = len(answers)
    each = f"{(images + network) / number:.4f} s for each"
    parts = f"{images / number:.4f} to read and draw it, {network / number:.4f} in the network"
    line = f"{counted(number, 'recording')}, {each} on one core: {parts}"
    if stated := sum("stated" in answer for answer in answers):
        right = sum(map(_is_right, answers))
        line += f"\n{right} of {stated} as their names state ({100 * right / stated:.1f} %)"
    return line
