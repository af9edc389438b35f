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
        return f"{self.value_text(digits)} {self.bounds_text(digits)}".strip()

    def value_text(self, digits: int) -> str:
        """`81.2`, `∞`."""
        return "∞" if math.isinf(self.value) and self.value > 0 else f"{self.value:.{digits}f}"

    def bounds_text(self, digits: int) -> str:
        """`[80.1, 82.3]` for an interval, `(80.1, 82.3)` for a spread, "" without bounds."""
        if self.low is None or self.high is None:
            return ""
        left, right = "[]" if self.kind.startswith(("bootstrap", "wilson")) else "()"
        return f"{left}{self.low:.{digits}f}, {self.high:.{digits}f}{right}".replace("inf", "∞")
