"""A score with its interval."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Cell:
    """A score with its interval."""

    value: float
    low: float | None
    high: float | None
    kind: str  # how the interval was made

    @property
    def has_bootstrap(self) -> bool:
        return self.kind.startswith("bootstrap") and self.low is not None and self.high is not None

    def overlaps(self, other: Cell) -> bool:
        """Whether two bootstrap intervals share a point; without them, whether the values are equal."""
        if not (self.has_bootstrap and other.has_bootstrap):
            return self.value == other.value
        assert (
            self.low is not None
            and self.high is not None
            and other.low is not None
            and other.high is not None
        )
        return self.low <= other.high and other.low <= self.high

    def text(self, digits: int) -> str:
        """`81.2 [80.1, 82.3]`."""
        value = number(self.value, digits)
        if self.low is None or self.high is None:
            return value
        return f"{value} [{number(self.low, digits)}, {number(self.high, digits)}]"


def number(value: float, digits: int) -> str:
    """`81.2`, `∞`."""
    return "∞" if math.isinf(value) and value > 0 else f"{value:.{digits}f}"
