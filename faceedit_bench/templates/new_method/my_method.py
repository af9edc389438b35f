"""my-method: a face attribute editing method for faceedit-bench. It works as it is; make `edit` yours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from faceedit_bench.api import EditBatch, LoadContext, MethodSpec, Preset, hookimpl

if TYPE_CHECKING:  # heavy imports stay out of listings: put networks into a module of their own
    from torch import Tensor


@dataclass(frozen=True)
class Options:
    """What a user may change with --option; keep the types, they are checked."""

    brightness: float = (
        0.1  # added to the whole face for every attribute switched on, taken for every one off
    )


class MyMethod:
    """Brightens or darkens the face: a stand-in that any metric can see."""

    def __init__(self, options: Options) -> None:
        self.options = options

    def edit(self, batch: EditBatch) -> Tensor:
        """(B, 3, H, W) in [-1, 1] -> the same; may use only the batch, its seeds and its weights."""
        asked = (batch.change * batch.edited).sum(dim=1) * batch.strength  # (B,)
        return (batch.images + self.options.brightness * asked[:, None, None, None]).clamp(-1, 1)


def load(options: Options, context: LoadContext) -> MyMethod:
    """With a network: `return MyMethod(context.restore(Network(options)))` gives it its checked weights."""
    return MyMethod(options)


@hookimpl
def faceedit_methods() -> list[MethodSpec]:
    return [
        MethodSpec(
            name="my-method",
            version="1",  # raise it whenever the pictures change
            summary="brightens the face: replace this with one line about yours",
            paper="none",
            attributes=(),  # () takes the suite's; or name the ones you were trained on, in your order
            resolutions=(),  # () any size
            load=load,
            options=Options,
            presets={"default": Preset(Options())},
        )
    ]
