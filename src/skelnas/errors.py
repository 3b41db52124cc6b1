"""The one exception that means: the user can mend this."""


class InputError(Exception):
    """A mistake in what the user gave (configuration, archive, recording, cell, shard).

    Its text is one sentence that names the file, the place in it and the remedy; programs print it without a traceback
    and end with a non-zero exit status. What files and servers call themselves gets into it, so it is made `harmless`.
    """

    def __init__(self, text: str) -> None:
        super().__init__(harmless(text))


def harmless(text: str) -> str:
    """The text with everything that does not print (line breaks, terminal codes, bytes that are no UTF-8) escaped."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode("ascii") for sign in text)
