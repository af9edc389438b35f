"""What metrics see: each judge is asked once, pairs too, and long answers are not kept from edit to edit."""

from __future__ import annotations

import torch
from torch import Tensor

from faceedit_bench.contracts import EditBatch
from faceedit_bench.observe import WIDEST, Above, Observation
from faceedit_bench.suite import Edit


def observation(asked: list[str], remembered: dict[tuple[str, tuple[int, ...]], Tensor]) -> Observation:
    """Two faces, source black and edited white, and judges that write down what they are asked."""

    def narrow(images: Tensor) -> Tensor:
        asked.append("narrow")
        return images.mean((1, 2, 3))[:, None]

    def wide(images: Tensor) -> Tensor:
        asked.append("wide")
        return images.new_zeros(len(images), WIDEST + 1)

    def pair(edited: Tensor, reference: Tensor) -> Tensor:
        asked.append("pair")
        return (edited - reference).mean((1, 2, 3))[:, None]

    source = torch.zeros(2, 3, 4, 4, dtype=torch.uint8)
    one = torch.ones(2, 1)
    batch = EditBatch(torch.zeros(2, 3, 4, 4), one, one, one > 0, torch.ones(2), torch.arange(2), ("Male",))
    return Observation(
        batch=batch,
        samples=torch.arange(2),
        edit=Edit("Male", ("Male",)),
        edit_index=0,
        source=source,
        edited=source + 255,
        truth=source + 255,
        regions=None,
        judges={"narrow": narrow, "wide": wide, "pair": pair},
        remembered=remembered,
    )


def test_a_judge_of_pairs_gets_the_edited_picture_first_and_is_asked_once() -> None:
    asked: list[str] = []
    seen = observation(asked, {})
    assert seen.compare("pair").flatten().tolist() == [2, 2]  # 1 − (−1)
    assert torch.equal(seen.compare("pair"), seen.compare("pair", "source"))
    assert seen.compare("pair", "truth").flatten().tolist() == [0, 0]
    assert asked == ["pair", "pair"]


def test_a_judge_above_another_takes_its_answers_and_looks_at_no_picture() -> None:
    asked: list[str] = []
    seen = observation(asked, {})
    seen.judges = {**seen.judges, "sign": Above("narrow", lambda answers: answers.sign())}
    assert seen.judge("sign").flatten().tolist() == [1, 1]
    assert seen.judge("narrow").flatten().tolist() == [1, 1]
    assert seen.judge("sign", "source").flatten().tolist() == [-1, -1]
    assert asked == ["narrow", "narrow"]  # edited, source


def test_judges_get_pictures_on_their_own_device() -> None:
    asked: list[str] = []

    def elsewhere(images: Tensor) -> Tensor:
        asked.append(images.device.type)
        return torch.zeros(2, 1)

    seen = observation([], {})
    seen.judges, seen.device = {"far": elsewhere}, "meta"
    seen.judge("far")
    assert asked == ["meta"]


def test_judges_of_one_picture_share_what_is_made_of_it() -> None:
    given: list[Tensor] = []

    def listening(images: Tensor) -> Tensor:
        given.append(images)
        return torch.zeros(2, 1)

    seen = observation([], {})
    seen.judges = {"one": listening, "other": listening}
    seen.judge("one"), seen.judge("other")
    assert given[0] is given[1]


def test_answers_on_source_pictures_serve_the_next_edit_unless_they_are_long() -> None:
    asked: list[str] = []
    remembered: dict[tuple[str, tuple[int, ...]], Tensor] = {}
    for _ in range(2):
        seen = observation(asked, remembered)
        for _ in range(2):
            assert seen.judge("narrow", "source").flatten().tolist() == [-1, -1]
            assert seen.judge("wide", "source").shape == (2, WIDEST + 1)
    assert asked == ["narrow", "wide", "wide"]  # wide: once for each edit
