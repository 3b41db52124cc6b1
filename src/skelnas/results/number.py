"""A number that says what it is a number of."""

from typing import Any


class Number(float):
    """A float that knows its unit, metric, split, seed and epoch; in a session it shows them, printed it is the number.

    unit: "%" (percent of the split's samples), "nats" (cross-entropy) or "s". seeds: those that it is of; with several
    it is their mean. epoch: counts from 0; None where epochs may differ from seed to seed. epochs: of the recipe.
    note: what else must be known, such as the device that seconds were measured on.
    """

    __slots__ = ("cell", "epoch", "epochs", "metric", "note", "seeds", "split", "unit")
    unit: str
    metric: str
    split: str
    cell: int
    seeds: tuple[int, ...]
    epoch: int | None
    epochs: int
    note: str

    def __new__(
        cls,
        value: float,
        unit: str,
        metric: str,
        split: str,
        cell: int,
        seeds: tuple[int, ...],
        epoch: int | None,
        epochs: int,
        note: str = "",
    ) -> "Number":
        self = super().__new__(cls, value)
        self.unit, self.metric, self.split, self.cell = unit, metric, split, cell
        self.seeds, self.epoch, self.epochs, self.note = seeds, epoch, epochs, note
        return self

    def __getnewargs__(self) -> tuple[Any, ...]:
        return (float(self), *(getattr(self, name) for name in _ARGUMENTS))

    def __repr__(self) -> str:
        return f"{float(self):.6g} {self.unit} ({self.meaning})"

    def __str__(self) -> str:
        return float.__repr__(self)

    @property
    def meaning(self) -> str:
        """What it is a number of, without the number."""
        seeds = f"seed {self.seeds[0]}" if len(self.seeds) == 1 else f"mean of seeds {', '.join(map(str, self.seeds))}"
        when = "" if self.epoch is None else f", after epoch {self.epoch + 1} of {self.epochs}"
        of = f"{self.metric} of {self.split}" if self.split else self.metric
        return f"{of}, cell {self.cell}, {seeds or 'no seed'}{when}{', ' if self.note else ''}{self.note}"


_ARGUMENTS = ("unit", "metric", "split", "cell", "seeds", "epoch", "epochs", "note")
