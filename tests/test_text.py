import pytest

from skelnas.text import size, text_table


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
