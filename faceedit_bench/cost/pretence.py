"""Networks and pictures without memory: shapes and devices are followed, no number is computed.

Large tensors, and all that a network holds, are PyTorch's fake tensors on the device that is pretended; none
need be there. Small ones, such as labels, are real, so that a method may branch on what it is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode, unset_fake_temporarily
from torch.utils._pytree import tree_flatten, tree_map_only, tree_unflatten

from ..contracts import Part
from ..errors import BadConfig
from .memory import LivingStorages
from .operations import flops_of

DEVICE, COPY, CAT = torch.ops.prim.device.default, torch.ops.aten.copy_.default, torch.ops.aten.cat.default
SMALL = 4096  # elements up to which a tensor made from nothing is real


class Pretence(LivingStorages):
    """Runs operations on fake tensors; counts what lives, where, and FLOPs."""

    def __init__(self, device: str, known: Iterable[Tensor] = (), fake: FakeTensorMode | None = None) -> None:
        super().__init__(known)
        self.device = torch.device(device)
        self.flops = 0
        self.fake = fake or FakeTensorMode(allow_non_fake_inputs=True)
        self._small = SMALL

    @contextmanager
    def begun(self) -> Iterator[Pretence]:
        """Inside, every operation goes through here."""
        with torch.inference_mode(False), torch.no_grad(), self.fake, self:
            yield self

    def like(self, tensor: Tensor, device: str | torch.device) -> Tensor:
        """A fake tensor of the same shape, however small."""
        return self._made(tuple(tensor.shape), tensor.stride(), tensor.dtype, device)

    def picture(self, count: int, size: int, device: str) -> Tensor:
        """Fake pictures (B, 3, size, size)."""
        return self._made((count, 3, size, size), (3 * size**2, size**2, size, 1), torch.float32, device)

    def _made(
        self, shape: tuple[int, ...], stride: tuple[int, ...], dtype: torch.dtype, device: str | torch.device
    ) -> Tensor:
        self._small = -1
        try:
            return torch.empty_strided(shape, stride, dtype=dtype, device=device)
        finally:
            self._small = SMALL

    def alive(self) -> frozenset[int]:
        """Addresses of storages that are known or live now."""
        return frozenset(self._alive)

    def compute(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if func is DEVICE and isinstance(args[0], FakeTensor):
            return args[0].fake_device
        if func is COPY and isinstance(args[0], FakeTensor):
            return args[0]
        if torch.is_inference_mode_enabled():  # a plugin's own: composite operations arrive whole
            with self:
                result = func.decompose(*args, **kwargs)
            if result is not NotImplemented:
                return result
        leaves = _leaves(args, kwargs)
        tensors = [leaf for leaf in leaves if isinstance(leaf, Tensor)]
        fakes = [tensor for tensor in tensors if isinstance(tensor, FakeTensor)]
        if not fakes and (tensors or _elements(leaves) <= self._small):
            return self._compute_really(func, args, kwargs)
        if len(fakes) < len(tensors):
            place = fakes[0].fake_device
            args, kwargs = tree_map_only(Tensor, lambda one: self._faked(one, place), (args, kwargs))
        if func is CAT and all(map(_is_in_rows, args[0])):
            return self._joined(*args, **kwargs)
        result = func(*args, **kwargs)
        self.flops += flops_of(func, args, kwargs, result)
        return result

    def _joined(self, parts: list[Tensor], dim: int = 0) -> Tensor:
        """What `cat` makes of tensors in rows. PyTorch takes a millisecond to find out, and pictures of
        thousands of patches are joined thousands of times."""
        shape = list(parts[0].shape)
        shape[dim] = sum(part.shape[dim] for part in parts)
        strides = [1]
        for length in shape[:0:-1]:
            strides.insert(0, strides[0] * length)
        return self._made(tuple(shape), tuple(strides), parts[0].dtype, parts[0].device)

    def place(self, tensor: Tensor) -> str:
        """Real tensors stand for small ones on the device."""
        return tensor.fake_device.type if isinstance(tensor, FakeTensor) else self.device.type

    def _compute_really(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with unset_fake_temporarily():
            if kwargs.get("device") is not None:
                kwargs = {**kwargs, "device": torch.device("cpu")}
            return func(*args, **kwargs)

    def _faked(self, tensor: Tensor, place: torch.device) -> Tensor:
        if isinstance(tensor, FakeTensor):
            return tensor
        return torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device=place)


def _is_in_rows(part: Tensor) -> bool:
    """Whether it is a picture, or a view of one, whose last direction is the fastest."""
    if part.dim() != 4 or part.dtype is not torch.float32 or 1 in part.shape[-2:] or 0 in part.shape:
        return False
    return all(one >= other for one, other in pairwise(part.stride()))


def _leaves(args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
    """Of an operation's arguments: lists of tensors are the deepest there is."""
    found: list[Any] = []
    for argument in (*args, *kwargs.values()):
        found += argument if isinstance(argument, (list, tuple)) else (argument,)
    return found


def _elements(leaves: Iterable[Any]) -> int:
    """Of a tensor made from nothing: product of the sizes it is given."""
    product = 1
    for leaf in leaves:
        if isinstance(leaf, int) and not isinstance(leaf, bool):
            product *= max(leaf, 1)
    return product


@dataclass
class Unweighted:
    """A LoadContext (faceedit_bench.api) for a pretence: networks need no weights and take no memory."""

    pretence: Pretence
    files: tuple[Path, ...] = ()
    _moved: dict[int, tuple[Tensor, Tensor]] = field(default_factory=dict)  # kept, so that no id comes again

    @property
    def device(self) -> str:
        return str(self.pretence.device)

    def restore(self, network: nn.Module, part: Part | Path = 0) -> nn.Module:
        for module in network.modules():
            held: tuple[dict[str, Any], ...] = (module._parameters, module._buffers)
            for tensors in held:
                tensors.update({name: self._faked(one) for name, one in tensors.items() if one is not None})
        return network.eval()

    def _faked(self, tensor: Tensor) -> Tensor:
        """A fake one of the same shape on the device; the same for a tensor that is tied."""
        if id(tensor) not in self._moved:
            made = self.pretence.like(tensor, self.device)
            if isinstance(tensor, nn.Parameter):
                made = nn.Parameter(made, requires_grad=False)
            self._moved[id(tensor)] = tensor, made
        return self._moved[id(tensor)][1]

    def file(self, part: Part = 0) -> Path:
        if not isinstance(part, int) or part >= len(self.files):
            raise BadConfig(
                "it reads a weights file of its own, which is not here, so it cannot be predicted"
            )
        return self.files[part]


# ---- repetition -----------------------------------------------------------------------------------


def remember_calls(networks: Iterable[nn.Module], pretence: Pretence) -> None:
    """From now on a network that is called again with the same shapes is not run again.

    Its operations, its peak above what lives and its outputs are those of the first time. A picture of 4096
    patches is then predicted as fast as one of a few.
    """
    for network in networks:
        network.forward = Remembered(network.forward, pretence)


@dataclass
class Call:
    """What a call left behind."""

    flops: int
    rise: dict[str, int]  # place -> most bytes above those that lived before
    outputs: list[Any]  # shape, stride, dtype and device of each tensor; other leaves as they are
    shape: Any  # tree of the outputs


class Remembered:
    """A network's forward."""

    def __init__(self, forward: Callable[..., Any], pretence: Pretence) -> None:
        self.forward, self.pretence = forward, pretence
        self.calls: dict[Any, Call | None] = {}  # None: its outputs are not new tensors, so run it

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        leaves, _ = tree_flatten((args, kwargs))
        key = tuple(_described(leaf) for leaf in leaves)
        call = self.calls.get(key)
        if call is not None:
            return self._again(call)
        if key in self.calls:
            return self.forward(*args, **kwargs)
        return self._first(key, args, kwargs)

    def _first(self, key: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        levels, flops, there = self.pretence.levels, self.pretence.flops, self.pretence.alive()
        before, outside = levels.now.copy(), levels.peak.copy()
        levels.peak = before.copy()
        result = self.forward(*args, **kwargs)
        rise = {place: levels.peak[place] - before[place] for place in levels.peak}
        for place, peak in outside.items():
            levels.peak[place] = max(levels.peak[place], peak)
        outputs, shape = tree_flatten(result)
        is_new = all(_is_whole(leaf) and leaf.untyped_storage()._cdata not in there for leaf in outputs)
        described = [_described(leaf) for leaf in outputs]
        self.calls[key] = Call(self.pretence.flops - flops, rise, described, shape) if is_new else None
        return result

    def _again(self, call: Call) -> Any:
        levels = self.pretence.levels
        for place, rise in call.rise.items():
            levels.peak[place] = max(levels.peak[place], levels.now[place] + rise)
        self.pretence.flops += call.flops
        made = [
            torch.empty_strided(size, stride, dtype=dtype, device=device)
            for size, stride, dtype, device in call.outputs
        ]
        return tree_unflatten(made, call.shape)


def _described(leaf: Any) -> Any:
    """What a network's memory and operations can depend on; of real tensors, their values too."""
    if not isinstance(leaf, Tensor):
        return leaf
    if isinstance(leaf, FakeTensor):
        return (tuple(leaf.shape), leaf.stride(), leaf.dtype, leaf.fake_device)
    return (tuple(leaf.shape), leaf.dtype, str(leaf.tolist()))


def _is_whole(leaf: Any) -> bool:
    """Whether it is a fake tensor that fills its storage."""
    if not isinstance(leaf, FakeTensor):
        return False
    return leaf.untyped_storage().nbytes() == leaf.numel() * leaf.element_size()
