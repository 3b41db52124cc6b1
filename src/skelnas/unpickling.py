"""Pickles from elsewhere, read with a closed list of names: nothing that a pickle says is imported or called.

It is Python's own unpickler in Python, whose memory grows with what is read and not with what a pickle claims, less the
opcodes that no data needs. Names of the list stand for callables of the caller, and only instances of classes of
the list may be given a state.
"""

import pickle
import struct
from collections.abc import Callable, Mapping
from typing import IO, Any, cast

from skelnas.errors import InputError

Names = Mapping[tuple[str, str], Callable[..., Any]]  # (module, name) -> what stands for it
REFUSED = ("EXT1", "EXT2", "EXT4", "INST", "OBJ", "NEWOBJ_EX", "PERSID", "NEXT_BUFFER", "READONLY_BUFFER")  # opcodes
DAMAGE = (
    pickle.UnpicklingError,
    struct.error,
    EOFError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ImportError,
    ArithmeticError,
    MemoryError,
    RecursionError,
)


class ForeignError(InputError):
    """A pickle asks for something that is not on the list."""


def read(stream: IO[bytes], names: Names, where: str, persistent: Callable[[Any], Any] | None = None) -> Any:
    """The value of the first pickle in `stream`.

    `persistent` gives the value of a persistent id (PyTorch's storages); without it they are refused. `where` names the
    file in sentences.

    Raises:
        ForeignError: it names something that is not in `names`, or needs more than plain data does.
        InputError: it is truncated or damaged.
    """
    try:
        return _Closed(stream, names, where, persistent).load()
    except DAMAGE as error:
        raise _damaged(error, where) from error


def read_plain(stream: IO[bytes], where: str) -> Any:
    """The value of a pickle that names nothing at all: numbers, texts, lists, tuples and dictionaries.

    It is ten times as fast as `read`, for it is Python's unpickler in C, whose memory a damaged file may exhaust: for
    files that come from a package, not from anybody.

    Raises:
        ForeignError, InputError: as `read`.
    """
    try:
        return _Nothing(stream, where).load()
    except DAMAGE as error:
        raise _damaged(error, where) from error


def _damaged(error: Exception, where: str) -> InputError:
    said = (str(error).splitlines() or [type(error).__name__])[0][:80]
    return InputError(f"{where} is truncated or no pickle ({said}); get it again")


def _foreign(module: str, name: str, where: str) -> ForeignError:
    return ForeignError(
        f"{where} asks for {module}.{name}"[: len(where) + 100] + ", which data has no need of; nothing of it was run: "
        "get the file from where it was published"
    )


class _Nothing(pickle.Unpickler):
    """Python's unpickler in C, which names nothing."""

    def __init__(self, stream: IO[bytes], where: str) -> None:
        super().__init__(stream)
        self._where = where

    def find_class(self, module: str, name: str) -> Any:
        raise _foreign(module, name, self._where)


class _Closed(pickle._Unpickler):
    """Python's unpickler, closed."""

    stack: list[Any]  # what the opcodes work on

    def __init__(self, stream: IO[bytes], names: Names, where: str, persistent: Callable[[Any], Any] | None) -> None:
        super().__init__(stream, encoding="latin1")
        self._names, self._where, self._persistent = names, where, persistent
        self._classes = tuple(one for one in names.values() if isinstance(one, type))

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._names:
            raise _foreign(module, name, self._where)
        return self._names[module, name]

    def persistent_load(self, identifier: Any) -> Any:
        if self._persistent is None:
            raise ForeignError(
                f"{self._where} refers to something outside of itself; get it from where it was published"
            )
        return self._persistent(identifier)

    def _call(self) -> None:
        arguments, function = self.stack.pop(), self.stack[-1]
        if not isinstance(arguments, tuple) or not any(function is one for one in self._names.values()):
            raise ForeignError(f"{self._where} calls something that is not on the list of what it may call")
        self.stack[-1] = function(*arguments)

    def _build(self) -> None:
        state: Any = self.stack.pop()
        instance: Any = self.stack[-1]
        if not isinstance(instance, self._classes):
            raise ForeignError(f"{self._where} sets the state of something that has none")
        cast(Any, instance).__setstate__(state)

    def _refused(self) -> None:
        raise ForeignError(f"{self._where} needs more than plain data does; get it from where it was published")


class State:
    """A class that only keeps the state it is given."""

    state: Any = None

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments

    def __setstate__(self, state: Any) -> None:
        self.state = state


_OPCODES: dict[int, Any] = {
    **pickle._Unpickler.dispatch,
    **{getattr(pickle, name)[0]: _Closed._refused for name in REFUSED},
    **{pickle.REDUCE[0]: _Closed._call, pickle.NEWOBJ[0]: _Closed._call, pickle.BUILD[0]: _Closed._build},
}
_Closed.dispatch = _OPCODES
