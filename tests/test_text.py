import pytest

from skelnas.text import counted, first_line, named, size, span, text_table


def test_columns_line_up():
    assert text_table(("run", "n", "left"), [("a/b", "1,000", "3"), ("long/name", "2", "")]) == (
        "run            n  left\n"
        "---------  -----  ----\n"
        "a/b        1,000     3\n"
        "long/name      2"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (99_940, "99.9 kB"), (99_960, "100 kB"), (999_700, "1.0 MB"),
     (1.26e9, "1.3 GB"), (5e12, "5.0 TB"), (5e15, "5,000.0 TB")],
)  # fmt: skip
def test_sizes_in_words(number, words):
    assert size(number) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (3599, "59 min 59 s"),
        (7500, "2 h 05 min"),
        (270000, "3 d 03 h"),
    ],
)
def test_span(seconds, words):
    assert span(seconds) == words


def test_numbers_lists_and_errors_in_words():
    assert [counted(number, "cell") for number in (0, 1, 15625)] == ["0 cells", "1 cell", "15,625 cells"]
    assert named([3, 1, 2, 5]) == "3, 1, 2, 5"
    assert named("abcdef", " ") == "a b c d and 2 more"
    assert first_line(ValueError("\nthis\nand more")) == "this"
    assert first_line(KeyboardInterrupt()) == "KeyboardInterrupt"
