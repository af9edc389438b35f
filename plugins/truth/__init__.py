"""The ceiling: returns the exact counterfactual of a drawn face. No method can do better than this row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from faceedit_bench.api import EditBatch, LoadContext, MethodSpec, NoOptions, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class Truth:
    """Gives back the picture that the data set knows to be right."""

    def edit(self, batch: EditBatch) -> Tensor:
        assert batch.truth is not None, "the engine hands the truth to methods that declare needs=('truth',)"
        return batch.truth.clone()


def load(options: NoOptions, context: LoadContext) -> Truth:
    return Truth()


@hookimpl
def faceedit_methods() -> list[MethodSpec]:
    return [
        MethodSpec(
            name="truth",
            version="1",
            summary="the exact counterfactual (drawn faces only): the ceiling of every metric",
            paper="none",
            attributes=(),
            resolutions=(),
            load=load,
            needs=("truth",),
        )
    ]
