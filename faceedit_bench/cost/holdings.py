"""What an editor holds: its tensors wherever it keeps them, its networks, their numbers and bytes."""

from __future__ import annotations

import functools
import types
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from torch import Tensor, nn


def weight_counts(weights: Iterable[Tensor]) -> dict[str, int]:
    """Numbers in parameters and in other tensors (tied ones once), and bytes of their storages."""
    unique = {_identity(tensor): tensor for tensor in weights}
    storages = {tensor.untyped_storage()._cdata: tensor.untyped_storage() for tensor in unique.values()}
    trained = [tensor.numel() for tensor in unique.values() if isinstance(tensor, nn.Parameter)]
    return {
        "parameters": sum(trained),
        "buffers": sum(tensor.numel() for tensor in unique.values()) - sum(trained),
        "weights_bytes": sum(storage.nbytes() for storage in storages.values()),
    }


def _identity(tensor: Tensor) -> tuple[Any, ...]:
    """Equal for tensors that show the same memory in the same way."""
    return (tensor.untyped_storage()._cdata, tensor.storage_offset(), tensor.shape, tensor.stride())


def reachable_tensors(editor: object) -> list[Tensor]:
    """Every tensor that the editor holds: in networks, containers, closures and objects of its own."""
    return list(_reachable(editor, Tensor))


def reachable_networks(editor: object) -> list[nn.Module]:
    """The networks that the editor calls: modules that it holds, without the modules inside them."""
    return list(_reachable(editor, nn.Module))


def _reachable(thing: Any, kind: type) -> Iterator[Any]:
    """Everything of that kind; what such things hold in turn is not looked at."""
    waiting, seen = [thing], set[int]()
    while waiting:
        current = waiting.pop()
        if id(current) in seen or isinstance(current, (str, bytes, int, float, type, types.ModuleType)):
            continue
        seen.add(id(current))
        if isinstance(current, kind):
            yield current
        elif not isinstance(current, Tensor):
            waiting += reversed(_parts(current))


def _parts(thing: Any) -> list[Any]:
    """What a thing holds."""
    if isinstance(thing, Mapping):
        return list(thing.values())
    if isinstance(thing, (list, tuple, set, frozenset)):
        return list(thing)
    if isinstance(thing, functools.partial):
        return [thing.func, *thing.args, *thing.keywords.values()]
    if isinstance(thing, types.MethodType):
        return [thing.__self__]
    if isinstance(thing, types.FunctionType):
        return [cell.cell_contents for cell in thing.__closure__ or () if _is_filled(cell)]
    slots = [name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ())]
    return [*getattr(thing, "__dict__", {}).values(), *(getattr(thing, name, None) for name in slots)]


def _is_filled(cell: types.CellType) -> bool:
    try:
        cell.cell_contents  # noqa: B018  (an empty cell raises)
    except ValueError:
        return False
    return True
