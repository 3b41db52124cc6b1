"""Pickles from elsewhere, read with a closed list of names: nothing that a pickle says is imported or called.

It is Python's own unpickler in Python, whose memory grows with what is read and not with what a pickle claims, less the
opcodes that no data needs. Names of the list stand for callables of the caller, and only instances of classes of
the list may be given a state.
"""

import pickle
from collections.abc import Callable, Mapping
from typing import IO, Any, cast

from skelnas.errors import InputError

Names = Mapping[tuple[str, str], Callable[..., Any]]  # (module, name) -> what stands for it
REFUSED = ("EXT1", "EXT2", "EXT4", "INST", "OBJ", "NEWOBJ_EX", "PERSID", "NEXT_BUFFER", "READONLY_BUFFER")  # opcodes
DAMAGE = (
    pickle.UnpicklingError,
    EOFError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    ImportError,
    OverflowError,
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
        said = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"{where} is truncated or no pickle ({said}); get it again") from error


class _Closed(pickle._Unpickler):
    """Python's unpickler, closed."""

    stack: list[Any]  # what the opcodes work on

    def __init__(self, stream: IO[bytes], names: Names, where: str, persistent: Callable[[Any], Any] | None) -> None:
        super().__init__(stream, encoding="latin1")
        self._names, self._where, self._persistent = names, where, persistent
        self._classes = tuple(one for one in names.values() if isinstance(one, type))

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._names:
            raise ForeignError(
                f"{self._where} asks for {module}.{name}, which data has no need of; nothing of it was run: "
                "get the file from where it was published"
            )
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
