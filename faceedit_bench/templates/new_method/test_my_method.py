"""What faceedit-bench asks of my-method."""

from __future__ import annotations

import my_method
import torch

from faceedit_bench.api import EditBatch


def batch(size: int = 32) -> EditBatch:
    """Two grey faces; the first is asked to put on the second of three attributes."""
    source = torch.zeros(2, 3)
    target = torch.tensor([[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    return EditBatch(
        images=torch.zeros(2, 3, size, size),
        source=source,
        target=target,
        edited=target != source,
        strength=torch.ones(2),
        seeds=torch.arange(2),
        attributes=("Bangs", "Eyeglasses", "Male"),
    )


def editor() -> my_method.MyMethod:
    (spec,) = my_method.faceedit_methods()
    return spec.load(spec.options(), context=None)


def test_the_result_has_the_shape_and_range_of_the_input() -> None:
    asked = batch()
    result = editor().edit(asked)
    assert result.shape == asked.images.shape
    assert result.dtype == asked.images.dtype
    assert result.abs().max() <= 1


def test_a_face_that_is_asked_to_change_changes_and_the_other_does_not() -> None:
    asked = batch()
    change = (editor().edit(asked) - asked.images).abs().amax(dim=(1, 2, 3))
    assert change[0] > 0
    assert change[1] == 0


def test_the_same_batch_gives_the_same_bits() -> None:
    assert torch.equal(editor().edit(batch()), editor().edit(batch()))
