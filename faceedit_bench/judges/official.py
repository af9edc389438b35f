"""Tensors of published files under the names of the networks that hold them here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import Tensor

Rename = Callable[[Mapping[str, Tensor]], dict[str, Tensor]]


def as_published(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The network has the published names, and uses every tensor."""
    return dict(tensors)


def without(*heads: str, prefix: str = "") -> Rename:
    """Names less `prefix` (what savers put before them); those that begin with one of `heads` are not used.

    A name that is in neither list stays, so that `fill` refuses a file of another network.
    """

    def rename(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        plain = {name.removeprefix(prefix): value for name, value in tensors.items()}
        return {name: value for name, value in plain.items() if not name.startswith(heads)}

    return rename


def as_slices(ends: tuple[int, ...]) -> Rename:
    """torchvision's `features.N` as lpips cuts them: slice 1 up to layer `ends[0]`, and so on; no classifier.

    What lies behind the last slice is not used.
    """

    def rename(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        found = {}
        for name, value in tensors.items():
            part, _, rest = name.partition(".")
            layer = rest.partition(".")[0]
            if part == "features" and layer.isdigit() and int(layer) < ends[-1]:
                found[f"slice{1 + sum(int(layer) >= end for end in ends)}.{rest}"] = value
            elif part not in ("features", "classifier"):
                found[name] = value
        return found

    return rename
