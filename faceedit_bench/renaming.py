"""Names of a released network's tensors beside ours, and what does not fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .errors import WrongWeights

if TYPE_CHECKING:
    from torch import Tensor

COUNTER = "num_batches_tracked"  # of batch norm; older programs do not write it and nothing depends on it


@dataclass(frozen=True)
class Names:
    """A checkpoint format as one table."""

    table: Mapping[str, str]  # our key -> the file's, for as many layers as there may be
    plain: Callable[[str], str]  # the file's key without what savers put before or behind it
    ignores: Callable[[str, Tensor], bool]  # whether editing does not need the tensor of that plain key
    axes: tuple[int, ...] = (0, 1, 2, 3)  # order of the file's axes in ours, of tensors that have four

    def sort(self, tensors: Mapping[str, Tensor]) -> Sorted:
        """Every tensor under our name, or ignored, or unknown."""
        ours = {theirs: our for our, theirs in self.table.items()}
        found: dict[str, Tensor] = {}
        keys: dict[str, str] = {}
        ignored: list[str] = []
        unknown: list[str] = []
        for key, value in tensors.items():
            our = ours.get(self.plain(key))
            if our is None:
                (ignored if self.ignores(self.plain(key), value) else unknown).append(key)
            elif our in found:
                unknown.append(key)  # the same tensor with and without a prefix
            else:
                found[our] = value.permute(self.axes) if value.dim() == 4 else value
                keys[our] = key
        if not found:
            wanted, there = next(iter(self.table.values())), ", ".join(list(tensors)[:3])
            raise WrongWeights(
                f"none of its keys is of this layout: wanted {wanted} and so on, found {there}"
            )
        return Sorted(self, found, keys, tuple(ignored), tuple(unknown))


@dataclass(frozen=True)
class Sorted:
    """The tensors of a checkpoint under our names."""

    names: Names
    found: dict[str, Tensor]
    keys: dict[str, str]  # our key -> the file's, as it stands there
    ignored: tuple[str, ...]
    unknown: tuple[str, ...]

    def fitted(self, wanted: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The tensors that our network has, whose state is `wanted`; everything amiss is listed."""
        state = {key: self.found.get(key) for key in wanted}
        for key in wanted:
            if state[key] is None and key.endswith(COUNTER):
                state[key] = wanted[key].new_zeros((), device="cpu")
        missing = [key for key, value in state.items() if value is None]
        misshaped = [
            key for key, value in state.items() if value is not None and value.shape != wanted[key].shape
        ]
        unknown = [*self.unknown, *(self.keys[key] for key in self.found if key not in wanted)]
        mistakes = [
            *(f"missing {self.names.table[key]} {self._shape(wanted[key])}" for key in missing),
            *(f"unknown {key}" for key in unknown),
            *(
                f"{self.keys[key]}: wanted {self._shape(wanted[key])}, found {self._shape(self.found[key])}"
                for key in misshaped
            ),
        ]
        if mistakes:
            raise WrongWeights("\n  ".join([f"{len(mistakes)} of its keys do not fit:", *mistakes]))
        return {key: value for key, value in state.items() if value is not None}

    def _shape(self, value: Tensor) -> tuple[int, ...]:
        """A shape as the file has it."""
        if value.dim() != 4:
            return tuple(value.shape)
        return tuple(value.shape[self.names.axes.index(axis)] for axis in range(4))
