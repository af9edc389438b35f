"""The shipped demo judges: files as their cards say, small, and as good as promised on a small sample."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from faceedit_bench.contracts import JudgeSpec
from faceedit_bench.data import drawn
from faceedit_bench.judges import attributes, classes, identity
from faceedit_bench.judges.pictures import Artist, Pictures, from_bytes, paint
from faceedit_bench.judges.pictures import testing_order as order_to_test
from faceedit_bench.judges.specs import FINE_VIEW, KINDS, SPECS, VIEW, WEIGHTS, WIDTH, card_of
from faceedit_bench.judges.view import look
from faceedit_bench.suite import THIRTEEN, load

NAMES = {"attributes-demo", "identity-demo", "swav-demo", "classes-demo", "classes-pool-demo"}
PEOPLE = 50  # test people, fifteen pictures each


class Context:
    """A LoadContext that reads the shipped weights."""

    device = "cpu"

    def __init__(self, spec: JudgeSpec) -> None:
        self.spec = spec

    def file(self, part: int = 0) -> Path:
        return WEIGHTS / self.spec.pin.file

    def restore(self, network: nn.Module, part: int = 0) -> nn.Module:
        network.load_state_dict(load_file(self.file()), strict=True)
        return network.eval()


def judge(name: str) -> Callable[[Tensor], Tensor]:
    spec = next(spec for spec in SPECS if spec.name == name)
    network = spec.load(Context(spec))
    if spec.above:
        below = judge(spec.above)
        return lambda faces: network(below(faces))
    return network


def card(name: str) -> dict:
    return json.loads(card_of(name).read_text())


@pytest.fixture(scope="module")
def artist() -> Artist:
    return Artist(draw=drawn.draw, labels=drawn.labels, digest="")


@pytest.fixture(scope="module")
def faces(artist: Artist) -> Pictures:
    """Test people for judges that look at 64 px."""
    return paint(artist, order_to_test(artist, PEOPLE), VIEW)


@pytest.fixture(scope="module")
def fine_faces(artist: Artist) -> Pictures:
    """Test people for judges that look at 96 px."""
    return paint(artist, order_to_test(artist, PEOPLE), FINE_VIEW)


def test_all_demo_judges_are_shipped_and_say_so() -> None:
    assert {spec.name for spec in SPECS} == NAMES
    assert all("demo" in spec.name and spec.faces == "drawn" and spec.pin.licence == "MIT" for spec in SPECS)


def test_the_default_suite_finds_its_judges_in_their_roles() -> None:
    roles = {spec.name: spec.role for spec in SPECS}
    assert all(roles[name] == role for role, name in load("drawn-128").judges.items())


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_weights_are_what_the_card_pins_and_small(spec: JudgeSpec) -> None:
    content = (WEIGHTS / spec.pin.file).read_bytes()
    assert hashlib.sha256(content).hexdigest() == spec.pin.sha256
    assert len(content) == spec.pin.bytes <= 5_000_000


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_answers_have_the_promised_width_and_do_not_depend_on_company(spec: JudgeSpec) -> None:
    ask = judge(spec.name)
    images = (
        torch.rand(3, 3, spec.view.size, spec.view.size, generator=torch.Generator().manual_seed(0)) * 2 - 1
    )
    with torch.inference_mode():
        together, alone = ask(images), ask(images[1:2])
    assert together.shape == (3, spec.width) and together.dtype == torch.float32
    assert spec.outputs == () or len(spec.outputs) == spec.width
    assert torch.allclose(together[1:2], alone, atol=1e-4)  # other batch, other kernels: float32 rounding


def test_cards_keep_the_gates_that_were_asked_for() -> None:
    gates = {
        name: json.loads((WEIGHTS / f"{name}.json").read_text())["gates"]
        for name in ("attributes-demo", "identity-demo")
    }
    assert gates["attributes-demo"]["accuracy_mean"] >= 97
    assert gates["identity-demo"]["tar_at_far_1e-3"] >= 95


def test_attributes_are_seen_on_unseen_people(fine_faces: Pictures) -> None:
    found = attributes.gates(judge("attributes-demo"), fine_faces)
    assert tuple(found["accuracy"]) == THIRTEEN
    # the gate is 97 over 300 people; 50 people leave ±1 around it
    assert found["accuracy_mean"] >= 95 and found["hit_mean"] >= 95 and min(found["hit"].values()) >= 85


def test_attribute_answers_are_probabilities(fine_faces: Pictures) -> None:
    with torch.inference_mode():
        answers = judge("attributes-demo")(from_bytes(fine_faces.images[:20]))
    assert answers.min() >= 0 and answers.max() <= 1


def test_attributes_are_seen_at_other_sizes(artist: Artist) -> None:
    order = order_to_test(artist, 4)
    labels = order.labels > 0
    for size in (64, 256):
        images = artist.draw(order.seeds[:20], order.labels[:20], size, scenes=order.scenes[:20]).images
        with torch.inference_mode():
            seen = judge("attributes-demo")(look(from_bytes(images), FINE_VIEW)) > 0.5
        assert (seen == labels[:20]).float().mean() >= 0.93, size  # 260 decisions


def test_a_person_edited_is_the_same_person(fine_faces: Pictures) -> None:
    found = identity.gates(judge("identity-demo"), fine_faces)
    assert found["tar_at_far_1e-3"] >= 90  # 650 same pairs; the gate of 95 is over 3900
    assert found["cosine_same_mean"] > found["cosine_other_mean"] + 0.4


def test_kinds_of_people_are_told_apart(faces: Pictures) -> None:
    found = classes.gates(judge("classes-demo"), faces)
    assert len(KINDS) == 40 and found["accuracy"] >= 85


def test_the_pool_lies_right_below_the_classes(faces: Pictures) -> None:
    logits, pool = judge("classes-demo"), judge("classes-pool-demo")
    images = from_bytes(faces.images[:5])
    with torch.inference_mode():
        below: Tensor = pool(images)
        assert below.shape == (5, WIDTH)
        head = load_file(WEIGHTS / "classes-demo.safetensors")["head.weight"]
        assert torch.allclose(below @ head.T, logits(images), atol=1e-4)  # float32 rounding


def test_self_supervised_features_know_more_than_chance_about_attributes() -> None:
    gates = card("swav-demo")["gates"]
    assert gates["probe"] > gates["probe_untrained"]
