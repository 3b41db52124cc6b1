"""Exceptions that mean: the user can mend this."""


class InputError(Exception):
    """A mistake in what the user gave (configuration, archive, recording, cell, shard).

    Its text is one sentence that names the file, the place in it and the remedy; programs print it without a traceback
    and end with a non-zero exit status. `more` are lines below it, such as a block to paste. What files and servers
    call themselves gets into all of them, so each is made `harmless`.
    """

    def __init__(self, text: str, *more: str) -> None:
        super().__init__(*map(harmless, (text, *more)))

    def __str__(self) -> str:
        return "\n".join(self.args)


class Misconfigured(InputError):
    """A mistake in the configuration, at a dotted place such as `studies.demo.runs[0].cells`.

    `words` follow the place in the sentence; `at` is a place within, whose line is to be told. Who has read the files
    knows in which and where that is (`study.configuration.Written`); until then the sentence says config.yaml.
    """

    def __init__(self, place: str, words: str, at: str = "", where: str = "config.yaml") -> None:
        Exception.__init__(self, place, words, at, where)  # what an exception is pickled with
        self.place, self.words, self.where = place, words, where
        self.at = at or place  # the place whose line is told

    def __str__(self) -> str:
        return harmless(f"{self.where}: {self.place}{self.words}")


def harmless(text: str) -> str:
    """The text with everything that does not print (line breaks, terminal codes, bytes that are no UTF-8) escaped."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode("ascii") for sign in text)
