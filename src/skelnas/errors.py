"""The one exception that means: the user can mend this."""


class InputError(Exception):
    """A mistake in what the user gave (configuration, archive, recording, cell, shard).

    Its text is one sentence that names the file, the place in it and the remedy; programs print it without a traceback
    and end with a non-zero exit status.
    """
