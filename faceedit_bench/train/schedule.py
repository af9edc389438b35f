"""How learning rates fall in the course of a training."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import BadConfig, UnknownName

KINDS = ("tenth", "linear", "exponential", "release", "none")


@dataclass(frozen=True)
class Schedule:
    """Constant up to a fraction `start` of the training; then

    tenth        a tenth of the rate to the end (AttGAN, STGAN, CooGAN);
    linear       in a straight line to 0 (StarGAN's paper);
    exponential  by equal factors to a hundredth at the last step (SeCGAN on AttGAN);
    release      by one thousandth in all (what StarGAN's released code does);
    none         still constant.
    """

    kind: str = "none"
    start: float = 0.5

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UnknownName("learning-rate schedule", self.kind, KINDS)
        if not 0 <= self.start <= 1:
            raise BadConfig(f"a schedule must start at a fraction from 0 to 1, found {self.start}")

    def factor(self, step: int, steps: int) -> float:
        """Of all learning rates at `step`, from 1 to `steps`."""
        constant = self.start * steps
        if self.kind == "none" or step <= constant:
            return 1.0
        if self.kind == "tenth":
            return 0.1
        if self.kind == "exponential":
            return 0.01 ** ((step - constant) / (steps - constant))
        done = (step - 1 - constant) / (steps - constant)  # in [0, 1): the last update still moves
        return 1 - max(0.0, done) * (1.0 if self.kind == "linear" else 1e-3)
