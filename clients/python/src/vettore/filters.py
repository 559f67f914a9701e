"""Filters, written as Python expressions.

>>> from vettore import F
>>> (F("year") >= 2000) & (F("lang").one_of(["en", "it"])) & ~F("draft").exists()
all(year >= 2000, lang in ('en', 'it'), not exists(draft))
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from .types import Id

Scalar: TypeAlias = bool | int | float | str


class Filter:
    """A condition on payload and id. Combine with `&`, `|` and `~`."""

    def __and__(self, other: Filter) -> Filter:
        return All((*_operands(self, All), *_operands(other, All)))

    def __or__(self, other: Filter) -> Filter:
        return Any((*_operands(self, Any), *_operands(other, Any)))

    def __invert__(self) -> Filter:
        return Not(self)

    def __bool__(self) -> bool:
        raise TypeError(
            "combine filters with &, | and ~, not with and, or, not or chained comparisons"
        )


def _operands(part: Filter, kind: type[All] | type[Any]) -> tuple[Filter, ...]:
    return part.operands if isinstance(part, kind) else (part,)


@dataclass(frozen=True, repr=False)
class All(Filter):
    """True when all operands are."""

    operands: tuple[Filter, ...]

    def __repr__(self) -> str:
        return f"all({', '.join(map(repr, self.operands))})"


@dataclass(frozen=True, repr=False)
class Any(Filter):
    """True when any operand is."""

    operands: tuple[Filter, ...]

    def __repr__(self) -> str:
        return f"any({', '.join(map(repr, self.operands))})"


@dataclass(frozen=True, repr=False)
class Not(Filter):
    """True when the operand is not."""

    operand: Filter

    def __repr__(self) -> str:
        return f"not {self.operand!r}"


@dataclass(frozen=True, repr=False)
class OneOf(Filter):
    """The field equals one of the values."""

    field: str
    values: tuple[Scalar, ...]

    def __repr__(self) -> str:
        return f"{self.field} in {self.values!r}"


@dataclass(frozen=True, repr=False)
class Equals(Filter):
    """The field equals the value."""

    field: str
    value: Scalar

    def __repr__(self) -> str:
        return f"{self.field} == {self.value!r}"


@dataclass(frozen=True, repr=False)
class Range(Filter):
    """The field is a number within the bounds that are set."""

    field: str
    gt: float | None = None
    gte: float | None = None
    lt: float | None = None
    lte: float | None = None

    def __repr__(self) -> str:
        signs = ((">", self.gt), (">=", self.gte), ("<", self.lt), ("<=", self.lte))
        return " and ".join(f"{self.field} {sign} {b}" for sign, b in signs if b is not None)


@dataclass(frozen=True, repr=False)
class Exists(Filter):
    """The field is there and not null."""

    field: str

    def __repr__(self) -> str:
        return f"exists({self.field})"


@dataclass(frozen=True)
class HasId(Filter):
    """The point's id is one of these."""

    ids: tuple[Id, ...]


class F:
    """A payload field by its dotted path: `F("author.name") == "Eco"`, `F("year") >= 2000`.

    Where the field holds an array, a condition is true when it is true of any element.
    """

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, field: str) -> None:
        self._field = field

    def __eq__(self, value: Scalar) -> Filter:  # type: ignore[override]
        return Equals(self._field, value)

    def __ne__(self, value: Scalar) -> Filter:  # type: ignore[override]
        return Not(Equals(self._field, value))

    def __gt__(self, bound: float) -> Filter:
        return Range(self._field, gt=bound)

    def __ge__(self, bound: float) -> Filter:
        return Range(self._field, gte=bound)

    def __lt__(self, bound: float) -> Filter:
        return Range(self._field, lt=bound)

    def __le__(self, bound: float) -> Filter:
        return Range(self._field, lte=bound)

    def between(self, low: float, high: float) -> Filter:
        """The field is a number from `low` to `high`, both included."""
        return Range(self._field, gte=low, lte=high)

    def one_of(self, values: Iterable[Scalar]) -> Filter:
        """The field equals one of the values."""
        return OneOf(self._field, tuple(values))

    def exists(self) -> Filter:
        """The field is there and not null."""
        return Exists(self._field)
