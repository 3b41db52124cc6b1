"""Results that were published with the thesis, in every form they come in, as benchmark files.

`containers` finds the files in archives and folders; `raw`, `collected` and `preprocessed` read one kind each as
`runs`; `tables` makes benchmarks of them. No code of the original is needed, and none of what a file asks for is run.
Licence of the original (NASThesis): Apache-2.0. The files do not say how many samples their percentages are of, nor
which images: the first follows from the data set, the second stays unknown (an empty fingerprint).
"""

from skelnas.errors import InputError
from skelnas.importers import Imported, Request
from skelnas.importers.published import containers, tables
from skelnas.recipe import Recipe


def read(request: Request) -> Imported:
    """The benchmark of one data set and recipe; of a folder all archives in it are looked through.

    Raises:
        InputError: the source is not there or damaged, asks for more than data, contradicts itself, or has no training
            of that data set and recipe.
    """
    kept = tables.collect(containers.read(request.source))
    groups = tables.groups(kept.runs.values())
    fitting = [
        runs
        for (dataset, _), runs in groups.items()
        if dataset == request.dataset and Recipe(runs[0].epochs, runs[0].dataset.batch_size) == request.recipe
    ]
    if not fitting:
        there = ", ".join("/".join(group) for group in groups) or "nothing that can be taken"
        raise InputError(
            f"{request.source} has no training of {request.dataset} with the values of {request.recipe_name}; it has "
            f"{there}"
        )
    return Imported(tables.table(fitting[0], request.recipe_name), tables.timing(fitting[0]))
