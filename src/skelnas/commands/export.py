"""Write a benchmark file, or the weights of a network, in the form that another tool reads.

skelnas export nats_bench my.h5 folder --alias cifar100
skelnas export huggingface my.h5 folder --creator 'My group' --url https://huggingface.co/datasets/my/data
skelnas export csv table.csv
skelnas export onnx cell-01462.safetensors cell-01462.onnx

csv is of the shipped example here. nats_bench takes several files of one data set, one for each number of epochs.
"""

import argparse
from pathlib import Path

from skelnas.commands import reading
from skelnas.errors import InputError
from skelnas.exporters import EXPORTERS, Options, export
from skelnas.results.weights import read_weights


def add_arguments(parser: argparse.ArgumentParser) -> None:
    forms = "; ".join(f"{name}: {row.makes}" for name, row in EXPORTERS.items())
    forms += "; onnx: one ONNX file of a file of weights, from the image to the logits"
    parser.add_argument("form", metavar="FORM", help=forms)
    parser.add_argument(
        "paths", nargs="+", metavar="PATH", help="files of benchmarks or of weights, then the file or folder to make"
    )
    parser.add_argument("--alias", default="", metavar="NAME", help="nats_bench: a name that its simulation takes")
    parser.add_argument("--creator", default="", metavar="NAME", help="huggingface: who publishes it")
    parser.add_argument("--url", default="", metavar="ADDRESS", help="huggingface: where it will be")
    parser.add_argument("--licence", default=Options.licence, metavar="SPDX", help="huggingface: %(default)s")


def run(given: argparse.Namespace) -> int:
    *files, target = given.paths
    if target.endswith(".h5"):
        raise InputError(f"{target} would be made and ends like a benchmark file: name the file or folder to make last")
    if given.form == "onnx":
        return _onnx(files, Path(target))
    benchmarks = [reading.opened(file) for file in files or [None]]
    options = Options(given.alias, given.creator, given.url, given.licence)
    for note in export(given.form, benchmarks, Path(target), options):
        print(note.replace("{folder}", target))
    print(f"written: {target}")
    return 0


def _onnx(files: list[str], target: Path) -> int:
    if len(files) != 1 or target.suffix != ".onnx":
        raise InputError("onnx takes one file of weights and the file to make, such as cell.safetensors cell.onnx")
    if target.exists():
        raise InputError(f"{target} is there already; move it away or give another name")
    try:
        from skelnas.prediction.onnx_file import write_onnx

        write_onnx(target, read_weights(files[0]))
    except ModuleNotFoundError as error:
        raise InputError(
            f"onnx needs {error.name}, which is not installed here: pip install 'skelnas[onnx]'"
        ) from error
    print(f"written: {target}")
    return 0
