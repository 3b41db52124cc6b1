"""Tables, numbers and lists in words, for people at a terminal."""

from collections.abc import Sequence

NAMED = 4  # how many files or cells one sentence names before it counts the others


def text_table(header: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Aligned lines, a rule below the header; the first `left` columns flush left, the others flush right."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        padded = [
            cell.ljust(width) if column < left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return "  ".join(padded).rstrip()

    return "\n".join([line(header), "  ".join("-" * width for width in widths), *map(line, rows)])


def size(number: float) -> str:
    """Bytes in words: '812 kB', '1.4 GB'."""
    for unit in ("B", "kB", "MB", "GB"):
        if number < 999.5:
            return f"{number:.0f} {unit}" if unit == "B" or number >= 99.95 else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:,.1f} TB"


def span(seconds: float) -> str:
    """A duration in words a person reads at a glance: '45 s', '3 min 20 s', '2 h 05 min', '3 d 04 h'."""
    whole = int(seconds + 0.5)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86400} d {whole % 86400 // 3600:02d} h"


def counted(number: int, noun: str) -> str:
    """'1 cell', '15,625 cells'."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def named(things: Sequence[object], separator: str = ", ") -> str:
    """The first few of `things`, and how many more there are."""
    text = separator.join(str(thing) for thing in things[:NAMED])
    return f"{text} and {len(things) - NAMED} more" if len(things) > NAMED else text


def first_line(error: BaseException) -> str:
    """What an exception says, in one line; its type where it says nothing."""
    said = str(error).strip().splitlines()
    return said[0] if said else type(error).__name__
