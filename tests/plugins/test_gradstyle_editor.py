"""GradStyle as a user meets it: editing, remembering, explaining, training over e4e's weights."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from faceedit_plugins import e4e, gradstyle
from faceedit_plugins.gradstyle.editor import GradStyle
from faceedit_plugins.gradstyle.memory import Inverted, Memory
from faceedit_plugins.gradstyle.streams import sha256
from faceedit_plugins.stylegan2.sizes import Sizes
from torch import Tensor, nn

from faceedit_bench.api import BadConfig, EditBatch, Preset, WrongWeights
from faceedit_bench.catalog import catalog
from faceedit_bench.train import TrainingConfig, train_method
from faceedit_bench.train.export import read_weights, write_weights
from faceedit_bench.weights import Description, load_method, pin_of

NAMES = ("Bald", "Male")
SIZES: dict[str, Any] = {
    "size": 32,
    "channels": [8, 8, 8, 8],
    "w_dim": 8,
    "n_mlp": 2,
    "encoder_size": 32,
    "widths": [4, 6, 7, 8],
    "units": [1, 1, 1, 1],
    "learned": list(NAMES),
}
MODULES: dict[str, Any] = {
    "blocks": [3, 6],
    "width": 4,
    "head_width": 4,
    "layers": 1,
    "ffn": 8,
    "loss_size": 32,
}
OPTIONS = gradstyle.over(
    e4e.sized(Sizes(32, (8, 8, 8, 8), 8, 2), (4, 6, 7, 8), (1, 1, 1, 1), learned=NAMES),
    **{**MODULES, "blocks": (3, 6)},
)


class Given:
    """A load context whose networks are as a seed makes them, nothing at zero."""

    device = "cpu"

    def restore(self, network: nn.Module, part: int | Path = 0) -> nn.Module:
        for value in network.parameters():
            if not value.any():
                nn.init.normal_(value, std=0.3)
        if "directions" in dict(network.named_children()):
            network["directions"].spans.data.fill_(3.0)
        return network.eval().requires_grad_(False)

    def file(self, part: int = 0) -> Path:
        raise AssertionError("not asked")


def editor_of(options: gradstyle.Options = OPTIONS) -> GradStyle:
    torch.manual_seed(0)
    return gradstyle.load(options, Given())


def pictures(count: int, side: int = 32, seed: int = 3) -> Tensor:
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def batch_for(change: list[list[float]], strength: float = 1.0, side: int = 32, seed: int = 3) -> EditBatch:
    wanted, count = torch.tensor(change), len(change)
    source = (wanted < 0).float()
    strengths = torch.full((count,), strength)
    images = pictures(count, side, seed)
    return EditBatch(images, source, source + wanted, wanted != 0, strengths, torch.arange(count), NAMES)


def passes(editor: GradStyle) -> Counter[str]:
    """Counts passes of the encoder and whole passes of the generator."""
    counts: Counter[str] = Counter()
    encoder, generator = editor.base.inversion.encoder, editor.generator
    encoder.input_layer.register_forward_hook(lambda *_: counts.update(["encoder"]))
    generator.conv1.register_forward_hook(lambda *_: counts.update(["begun"]))
    generator.to_rgbs[-1].register_forward_hook(lambda *_: counts.update(["whole"]))
    return counts


# ---- editing --------------------------------------------------------------------------------------


@torch.inference_mode()
def test_asking_nothing_gives_the_reconstruction_stream() -> None:
    editor = editor_of()
    batch = batch_for([[0, 0], [0, 0]])
    known, stream = editor._invert(batch.images, is_partial=False)
    assert torch.equal(editor.edit(batch), stream.picture.clamp(-1, 1))
    inversion = editor.base.inversion
    assert torch.equal(known.codes, inversion.codes(batch.images))
    assert not torch.equal(editor.edit(batch), inversion.picture(known.codes))  # more than e4e's


@torch.inference_mode()
def test_an_edit_is_the_editing_stream_with_the_codes_that_e4e_moves() -> None:
    editor = editor_of()
    batch = batch_for([[0, 1], [1, -1]], strength=0.5)
    known, _ = editor._invert(batch.images, is_partial=True)
    codes = editor.base.moved(known.codes, batch)
    direction = editor.base.moves["Male"].direction
    torch.testing.assert_close(codes[0], known.codes[0] + 0.5 * direction)
    stream = editor.refinement.edit(editor.generator, codes, known.residuals)
    assert torch.equal(editor.edit(batch), stream.picture.clamp(-1, 1))


@torch.inference_mode()
def test_a_picture_s_edit_does_not_depend_on_what_is_asked_of_others() -> None:
    editor = editor_of()
    mixed = editor.edit(batch_for([[0, 1], [0, 0]]))
    assert torch.equal(mixed[0], editor.edit(batch_for([[0, 1], [0, 1]]))[0])
    assert torch.equal(mixed[1], editor.edit(batch_for([[0, 0], [0, 0]]))[1])


@torch.inference_mode()
def test_no_strength_is_no_edit() -> None:
    editor = editor_of()
    assert torch.equal(editor.edit(batch_for([[0, 1]], 0.0)), editor.edit(batch_for([[0, 0]])))


@torch.inference_mode()
def test_a_picture_of_another_size_comes_back_in_its_own() -> None:
    assert editor_of().edit(batch_for([[1, 0]], side=48)).shape == (1, 3, 48, 48)


def test_an_attribute_without_a_direction_is_named() -> None:
    with pytest.raises(WrongWeights, match="gradstyle has no direction for Young; it has Bald, Male"):
        editor_of().edit(replace(batch_for([[1]]), attributes=("Young",)))


@torch.inference_mode()
def test_gates_and_residuals_can_be_looked_at() -> None:
    editor = editor_of()
    for change in ([[0.0, 1.0]], [[0.0, 0.0]]):
        shown = editor.explain(batch_for(change, side=48))
        assert list(shown) == ["gate-block3", "residual-block3", "gate-block6", "residual-block6"]
        for picture in shown.values():
            assert picture.shape == (1, 1, 48, 48) and picture.min() >= 0 and picture.max() <= 1
            assert picture.std() > 0
    stream = editor.stream(batch_for([[0, 1]]))
    gate = stream.refined[0].gate.mean(1, keepdim=True)
    side = torch.nn.functional.interpolate(gate, size=(32, 32), mode="bilinear")
    torch.testing.assert_close(editor.explain(batch_for([[0, 1]]))["gate-block3"], side)


@torch.inference_mode()
def test_the_edit_pass_compiles_as_one_graph() -> None:
    editor = editor_of()
    known, _ = editor._invert(pictures(2), is_partial=True)
    compiled = torch.compile(editor.refinement, backend="eager", fullgraph=True)
    found = compiled(editor.generator, known.codes, known.residuals)
    assert torch.equal(found, editor.refinement(editor.generator, known.codes, known.residuals))


# ---- remembering ----------------------------------------------------------------------------------


@torch.inference_mode()
def test_residuals_are_computed_once_for_all_edits_of_a_batch() -> None:
    """ "encoder pass count 1, generator passes 1 + number of edits"; the first ends at the last place."""
    editor = editor_of()
    counts = passes(editor)
    edits = [[[1.0, 0.0]] * 2, [[0.0, 1.0]] * 2, [[1.0, -1.0]] * 2]
    for change in edits:
        editor.edit(batch_for(change))
    assert counts == {"encoder": 1, "begun": 1 + len(edits), "whole": len(edits)}
    editor.edit(batch_for([[0, 0]] * 2))
    assert (counts["encoder"], counts["whole"]) == (1, len(edits) + 1)


@torch.inference_mode()
def test_a_reconstruction_is_one_pass() -> None:
    editor = editor_of()
    counts = passes(editor)
    editor.edit(batch_for([[0, 0]]))
    assert counts == {"encoder": 1, "begun": 1, "whole": 1}


@torch.inference_mode()
def test_remembering_changes_no_bit() -> None:
    remembering, forgetting = editor_of(), editor_of()
    for change in ([[1, 0], [0, 0]], [[0, 0], [0, 0]], [[0, -1], [1, 1]], [[0, 0], [0, 0]]):
        forgetting.forget()
        batch = batch_for(change)
        assert torch.equal(remembering.edit(batch), forgetting.edit(batch))


@torch.inference_mode()
def test_another_picture_and_a_changed_one_are_not_taken_for_known_ones() -> None:
    editor = editor_of()
    batch = batch_for([[1, 0]])
    first = editor.edit(batch)
    counts = passes(editor)
    assert not torch.equal(editor.edit(batch_for([[1, 0]], seed=4)), first)
    batch.images.mul_(-1)  # in place, by whoever owns it
    changed = editor.edit(batch)
    assert counts["encoder"] == 2
    editor.forget()
    assert torch.equal(editor.edit(batch), changed)


def known(size: int) -> Inverted:
    return Inverted(torch.zeros(size, 1, 1), ())


def test_the_batch_that_was_not_used_for_longest_is_forgotten_first() -> None:
    memory = Memory(limit=3 * 20)  # of one picture of 4 numbers and one code: 20 bytes
    batches = [torch.full((1, 1, 2, 2), float(number)) for number in range(4)]
    for batch in batches[:3]:
        memory.keep(batch, known(1))
    assert memory.find(batches[0]) is not None and memory.used == 60
    memory.keep(batches[3], known(1))
    assert [memory.find(batch) is not None for batch in batches] == [True, False, True, True]
    assert memory.used == 60
    memory.keep(torch.ones(1, 1, 9, 9), known(1))  # too large: nothing is forgotten for it
    assert memory.used == 60 and memory.find(torch.ones(1, 1, 9, 9)) is None


def test_tensors_without_numbers_are_not_remembered() -> None:
    memory = Memory(limit=1000)
    memory.keep(torch.empty(4, device="meta"), known(1))
    assert memory.find(torch.empty(4, device="meta")) is None and memory.used == 0


def test_equal_fingerprints_are_not_taken_for_equal_pictures() -> None:
    memory = Memory(limit=1000)
    memory.keep(torch.tensor([1.0, 2.0]), known(1))
    assert memory.find(torch.tensor([2.0, 1.0])) is None  # the same bits in another order


# ---- weights and training -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of e4e, trained for two steps a stage."""
    folder = tmp_path_factory.mktemp("base")
    return train_method(
        TrainingConfig(method="e4e", options=SIZES, size=32, count=8, steps=2, batch_size=4, sample_every=0),
        folder,
    ).weights


def config(**changes: Any) -> TrainingConfig:
    options = {**SIZES, **MODULES, **changes}
    return TrainingConfig(
        method="gradstyle", options=options, size=32, count=8, steps=2, batch_size=4, sample_every=2
    )


@pytest.fixture(scope="module")
def own(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own")
    trained = train_method(config(), folder, weights_from=base)
    assert trained.is_complete and list(trained.card["stages"]) == ["gradstyle"]
    assert len(list(folder.glob("gradstyle/samples/*.png"))) == 1
    return trained.weights


def test_a_weights_file_holds_the_modules_and_names_their_base(base: Path, own: Path) -> None:
    states, of_base = read_weights(own), read_weights(base)
    assert set(states) == {"gradstyle"}
    assert {key.partition(".")[0] for key in states["gradstyle"]} == {
        "grm", "gate", "aligner", "generator_sha256", "encoder_sha256"
    }  # fmt: skip
    editor = load_method("gradstyle", weights=own, options={"base": str(base)})
    stylegan2 = editor.base.inversion.stylegan2
    assert torch.equal(states["gradstyle"]["generator_sha256"], sha256(stylegan2))
    assert torch.equal(of_base["stylegan2"]["latent_avg"], stylegan2.latent_avg)
    assert list(editor.base.moves) == list(NAMES)
    with torch.inference_mode():
        assert bool(editor.edit(batch_for([[1, -1]])).isfinite().all())


def test_another_base_is_refused(base: Path, own: Path, tmp_path: Path) -> None:
    states = read_weights(base)
    states["encoder"]["latlayer1.bias"] += 1
    other = tmp_path / "other.safetensors"
    write_weights(other, states, Description("e4e"))
    with pytest.raises(WrongWeights, match=r"trained on another encoder: wanted sha256 \w{12}…, found"):
        load_method("gradstyle", weights=own, options={"base": str(other)})


def shipping(monkeypatch: pytest.MonkeyPatch, base: Path | None) -> None:
    """As if the demo preset were shipped over this base, or not at all."""
    presets = catalog().method("gradstyle").presets
    pin = base and replace(pin_of(base), file=str(base))
    monkeypatch.setitem(presets, "demo", Preset(presets["demo"].options, pin and (pin, pin)))  # type: ignore[index]


def test_the_user_s_own_modules_stand_on_the_shipped_base(
    base: Path, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipping(monkeypatch, base)
    latent_avg = load_method("gradstyle", weights=own).base.inversion.stylegan2.latent_avg
    assert torch.equal(latent_avg, read_weights(base)["stylegan2"]["latent_avg"])


def test_a_missing_base_is_asked_for(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipping(monkeypatch, None)
    with pytest.raises(WrongWeights, match=r"name the weights file of e4e .* option base=FILE\.safetensors"):
        load_method("gradstyle", weights=own)


def test_training_without_a_base_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match=r"weights of network 'stylegan2' and got none(.|\n)*--weights-from"):
        train_method(config(), tmp_path)


def test_ablations_train_as_well(base: Path, tmp_path: Path) -> None:
    for name, changes in {"plain": {"gam": False, "grm": False}, "no critic": {"adversarial": 0.0}}.items():
        chosen = replace(config(**changes), steps=1, sample_every=0)
        trained = train_method(chosen, tmp_path / name, weights_from=base)
        load_method("gradstyle", weights=trained.weights, options={"base": str(base)})


# ---- the shipped demo -----------------------------------------------------------------------------


def demo_editor() -> GradStyle:
    editor = load_method("gradstyle")
    assert isinstance(editor, GradStyle)
    return editor


def unseen_faces() -> Tensor:
    """(16, 3, 64, 64): drawn people of the test split."""
    from faceedit_bench.data import drawn

    seeds = [3_000_000 + number for number in range(16)]
    return drawn.draw(seeds, drawn.labels(seeds), 64).images.float() / 127.5 - 1


@torch.inference_mode()
def test_the_demo_reconstructs_better_than_e4e() -> None:
    """ "reconstruction MSE below the e4e baseline's on held-out synthetic faces (expected ≥ 20 % lower)"."""
    editor, faces = demo_editor(), unseen_faces()
    inversion = editor.base.inversion
    plain = inversion.picture(inversion.codes(faces))
    refined = editor.reconstruction(faces).clamp(-1, 1)
    errors = [(picture - faces).square().mean().item() for picture in (refined, plain)]
    assert errors[0] < 0.8 * errors[1]


@torch.inference_mode()
def test_the_demo_s_aligners_undo_some_of_a_warp() -> None:
    """ "aligner L1 on warped residuals below the L1 of no alignment"."""
    from faceedit_plugins.gradstyle.warp import homographies, warp

    editor, faces = demo_editor(), unseen_faces()
    found = editor.inverted(faces)
    homography = homographies(len(faces), 0.15, 1.0, torch.Generator().manual_seed(0))
    warped = [warp(residual, homography) for residual in found.residuals]
    stream = editor.refinement.edit(editor.generator, found.codes, warped)
    aligned, left = (
        sum(float((a - b).abs().mean()) for a, b in zip(parts, found.residuals, strict=True))
        for parts in (stream.residuals, warped)
    )
    assert aligned < left
