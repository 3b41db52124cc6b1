"""What a file or folder of recordings is: the reader that opens it, what is in it, and its block for config.yaml."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from skelnas.errors import InputError
from skelnas.inspection.block import block
from skelnas.inspection.contents import found, split_for
from skelnas.inspection.guesses import guesses, names_in
from skelnas.skeletons.readers import READERS


@dataclass(frozen=True)
class Inspected:
    """reader: who opens it. facts: what is there, a line each; the last says which split, and why. block: to paste."""

    reader: str
    facts: list[str]
    block: str


def inspect(path: Path, table: Path | None = None) -> Inspected:
    """Look at a file, zip archive or folder; `table` says who did what, where names do not.

    Raises:
        InputError: it is not there, or no reader opens it: what was seen, why each likely reader failed, and which
            readers there are.
    """
    if not path.exists():
        raise InputError(f"{path} does not exist; correct the path")
    reasons = []
    for guess in guesses(path, table):
        try:
            source = READERS[guess.reader].open(guess.files, guess.options)
            facts = found(source)
            split, why = split_for(source)
        except InputError as error:
            reasons.append(f"  as {guess.reader}: {error}")
            continue
        return Inspected(guess.reader, [*facts, f"split: {why}"], block(guess, split))
    names = names_in(path)
    endings = Counter(Path(name).suffix or "no suffix" for name in names).most_common(5)
    seen = ", ".join(f"{count:,} x {ending}" for ending, count in endings) or "nothing in it"
    first = f"; the first: {', '.join(names[:3])}" if names else ""
    raise InputError(
        f"{path} is of no format that is known: {seen}{first}",
        *reasons,
        f"There are the readers {', '.join(READERS)}; docs/your-own-data.md says what each opens",
    )
