"""All stages of a method: what a later one starts from, the weights file, its card and its pin."""

import ast
import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
import toy_training
from safetensors.torch import load_file, save_file

from faceedit_bench import config
from faceedit_bench.catalog import Catalog
from faceedit_bench.contracts import EXPLAINING, DatasetSpec, MethodSpec, Pin, Preset
from faceedit_bench.errors import (
    BadConfig,
    BadDataset,
    BrokenPromise,
    ResultsError,
    UnknownName,
    WrongWeights,
)
from faceedit_bench.train import Phase, Recipe, TrainingConfig, train_method
from faceedit_bench.train import method as training_of_methods
from faceedit_bench.train.config import Stage
from faceedit_bench.train.export import as_python, read_weights
from faceedit_bench.weights import Description, check, description_of

FAST = TrainingConfig(method="toy", data="noise", size=8, steps=3, batch_size=4, sample_every=0)


@dataclass(frozen=True)
class Options:
    every: int = 1


def recipes(options):
    """Stage `coarse` trains an editor, stage `fine` a second one beside the frozen first."""
    coarse = toy_training.recipe(every=options.every)
    networks = {
        "editor": toy_training.Painter(),
        "finisher": toy_training.Painter(),
        "critic": toy_training.critic(),
    }

    def finish(networks, batch):
        with torch.no_grad():
            guide = networks["editor"](batch.images, batch.change)
        return {"likeness": (networks["finisher"](guide, batch.change) - batch.images).abs().mean()}

    phases = (Phase("finisher", "finisher", finish),)
    fine = Recipe("fine", networks, phases, exported=("finisher",), given=("editor",))
    return replace(coarse, name="coarse"), fine


def interim_recipes(options):
    """The first stage is scaffolding: the second starts from it, the weights file leaves it out."""
    coarse, fine = recipes(options)
    return replace(coarse, is_interim=True), fine


def recipes_that_share_a_network(options):
    """The first stage trains editor and finisher together; the second goes on with the finisher alone."""
    coarse, fine = recipes(options)
    both = Phase(
        "both",
        ("editor", "finisher"),
        lambda networks, batch: {
            "rest": sum(networks[name].mix.weight.square().sum() for name in both.network)
        },
    )
    networks = {name: fine.networks[name] for name in both.network}
    return replace(coarse, networks=networks, phases=(both,), exported=both.network), fine


def recipes_that_explain(options):
    """The last critic of the first stage shows something of what the editor learned."""
    coarse, fine = recipes(options)
    return replace(coarse, explaining=("critic",)), fine


class Noise:
    """A data set of random pictures."""

    attributes = toy_training.ATTRIBUTES

    def __init__(self, count, size):
        made = toy_training.faces(count or 20, size)
        self.images, self.labels = made.images, made.labels

    def __len__(self):
        return len(self.images)

    def digest(self):
        return f"noise-{self.images.shape}"


def spec(name="toy", **changes):
    presets = {"small": Preset(Options(), weights=None), "slow": Preset(Options(every=2), weights=None)}
    values = {"options": Options, "presets": presets, "recipes": recipes, **changes}
    return MethodSpec(
        name, "1", "a toy", "none", toy_training.ATTRIBUTES, (), load=lambda options, context: None, **values
    )


def dataset(name, provides):
    return DatasetSpec(
        name,
        "1",
        "noise",
        Noise.attributes,
        ("train",),
        lambda root, split, size, count: Noise(count, size),
        provides,
    )


@pytest.fixture(autouse=True)
def shelf(monkeypatch):
    """A catalog of toys in place of the installed one."""
    found = Catalog(
        methods={"toy": spec(), "copy": spec("copy", recipes=None)},
        datasets={"noise": dataset("noise", ("labels",)), "bare": dataset("bare", ())},
    )
    monkeypatch.setattr(training_of_methods, "catalog", lambda: found)
    return found


# ---- stages ---------------------------------------------------------------------------------------


def test_a_later_stage_starts_from_the_averages_of_the_earlier_one(tmp_path):
    trained = train_method(FAST, tmp_path)
    frozen = torch.load(tmp_path / "fine" / "checkpoint.pt")["networks"]["editor"]
    exported = trained.results[0].averages["editor"]
    assert all(torch.equal(frozen[key], exported[key]) for key in exported)


def test_everything_exported_is_in_one_file_under_the_names_of_its_networks(tmp_path):
    trained = train_method(FAST, tmp_path)
    file = load_file(trained.weights)
    assert {key.partition(".")[0] for key in file} == {"editor", "finisher"}
    assert torch.equal(file["finisher.mix.weight"], trained.results[1].averages["finisher"]["mix.weight"])
    assert set(read_weights(trained.weights)["editor"]) == set(toy_training.Painter().state_dict())


def test_the_same_training_gives_the_same_file(tmp_path):
    first, second = train_method(FAST, tmp_path / "a"), train_method(FAST, tmp_path / "b")
    other = train_method(replace(FAST, seed=2), tmp_path / "c")
    assert first.pin.sha256 == second.pin.sha256 != other.pin.sha256


def test_a_stage_may_have_its_own_steps_and_size(tmp_path):
    own = replace(FAST, stages={"fine": Stage(steps=2, batch_size=2, size=16)})
    trained = train_method(own, tmp_path)
    assert [(result.recipe, result.step) for result in trained.results] == [("coarse", 3), ("fine", 2)]
    assert [trained.card["stages"][name]["size"] for name in ("coarse", "fine")] == [8, 16]
    assert trained.card["stages"]["fine"]["batch_size"] == 2


def test_one_stage_alone_takes_the_earlier_one_from_its_checkpoint(tmp_path):
    whole = train_method(FAST, tmp_path / "whole")
    train_method(FAST, tmp_path / "parts", stage="coarse")
    last = train_method(FAST, tmp_path / "parts", stage="fine")
    assert last.pin.sha256 == whole.pin.sha256
    assert [result.recipe for result in last.results] == ["fine"]


def test_a_late_stage_alone_needs_the_earlier_one(tmp_path):
    with pytest.raises(BadConfig, match=r"stage 'coarse' comes first.*--weights-from"):
        train_method(FAST, tmp_path, stage="fine")


def test_a_late_stage_alone_may_start_from_a_weights_file(tmp_path):
    whole = train_method(FAST, tmp_path / "whole")
    late = train_method(FAST, tmp_path / "late", stage="fine", weights_from=whole.weights)
    assert set(read_weights(late.weights)) == {"editor", "finisher"}
    before, after = read_weights(whole.weights), read_weights(late.weights)
    assert torch.equal(before["editor"]["mix.weight"], after["editor"]["mix.weight"])
    assert not torch.equal(before["finisher"]["mix.weight"], after["finisher"]["mix.weight"])


@pytest.fixture
def sharing(shelf, monkeypatch):
    """`toy` whose first stage trains what the second trains on, too."""
    found = replace(shelf, methods={"toy": spec(recipes=recipes_that_share_a_network)})
    monkeypatch.setattr(training_of_methods, "catalog", lambda: found)


def test_a_late_stage_alone_asks_only_for_what_it_does_not_train(sharing, tmp_path):
    save_file(tensors_of("editor"), tmp_path / "editor.safetensors")
    late = train_method(FAST, tmp_path / "a", stage="fine", weights_from=tmp_path / "editor.safetensors")
    assert torch.equal(
        read_weights(late.weights)["editor"]["mix.weight"], tensors_of("editor")["editor.mix.weight"]
    )
    assert set(read_weights(late.weights)) == {"editor", "finisher"}
    save_file(tensors_of("finisher"), tmp_path / "finisher.safetensors")
    with pytest.raises(BadConfig, match="give network 'editor' with --weights-from"):
        train_method(FAST, tmp_path / "b", stage="fine", weights_from=tmp_path / "finisher.safetensors")


def test_a_network_that_folder_and_weights_file_both_have_is_refused_unless_it_is_the_same(tmp_path):
    train_method(FAST, tmp_path / "parts", stage="coarse")
    own = train_method(FAST, tmp_path / "own", stage="coarse")
    other = train_method(replace(FAST, seed=2), tmp_path / "other", stage="coarse")
    with pytest.raises(BadConfig, match=r"'editor' of stage 'fine' comes twice: stage 'coarse' .*Leave"):
        train_method(FAST, tmp_path / "parts", stage="fine", weights_from=other.weights)
    assert not (tmp_path / "parts" / "fine").exists()
    call = {"stage": "fine", "weights_from": own.weights}
    part = train_method(FAST, tmp_path / "parts", **call, minutes=1e-9)
    assert part.stopped == "time"
    rest = train_method(FAST, tmp_path / "parts", **call)  # and the same call goes on
    assert rest.pin.sha256 == train_method(FAST, tmp_path / "whole").pin.sha256


def tensors_of(name):
    return {
        f"{name}.{key}": value.clone()
        for key, value in toy_training.recipe().networks["editor"].state_dict().items()
    }


def test_a_recipe_that_freezes_an_earlier_stage_s_network_must_say_that_it_is_given(
    shelf, monkeypatch, tmp_path
):
    def silent(options):
        coarse, fine = recipes(options)
        return coarse, replace(fine, given=())

    found = replace(shelf, methods={"toy": spec(recipes=silent)})
    monkeypatch.setattr(training_of_methods, "catalog", lambda: found)
    with pytest.raises(BrokenPromise, match=r"stage 'fine' freezes network 'editor'.*given="):
        train_method(FAST, tmp_path)


@pytest.fixture
def scaffolding(shelf, monkeypatch):
    """`toy` with a first stage that the weights file leaves out."""
    found = replace(shelf, methods={"toy": spec(recipes=interim_recipes)})
    monkeypatch.setattr(training_of_methods, "catalog", lambda: found)


def test_what_only_later_stages_need_is_left_out_of_the_weights(scaffolding, tmp_path):
    trained = train_method(FAST, tmp_path)
    assert trained.is_complete and set(read_weights(trained.weights)) == {"finisher"}
    frozen = torch.load(tmp_path / "fine" / "checkpoint.pt")["networks"]["editor"]
    assert torch.equal(frozen["mix.weight"], trained.results[0].averages["editor"]["mix.weight"])


def test_an_interim_stage_trained_alone_leaves_a_file_that_later_trainings_start_from(scaffolding, tmp_path):
    alone = train_method(FAST, tmp_path / "a", stage="coarse")
    assert set(read_weights(alone.weights)) == {"editor"} and not alone.is_complete
    late = train_method(FAST, tmp_path / "b", stage="fine", weights_from=alone.weights)
    assert set(read_weights(late.weights)) == {"finisher"}


def test_a_time_limit_leaves_the_rest_for_the_same_call(tmp_path):
    whole = train_method(FAST, tmp_path / "whole")
    part = train_method(FAST, tmp_path / "parts", minutes=1e-9)
    assert part.stopped == "time" and not part.is_complete
    assert list(part.card["stages"]) == ["coarse"] and part.card["stages"]["coarse"]["steps"] == 1
    rest = train_method(FAST, tmp_path / "parts")
    assert rest.is_complete and rest.pin.sha256 == whole.pin.sha256


# ---- networks that only explain -------------------------------------------------------------------


@pytest.fixture
def explaining(shelf, monkeypatch):
    found = replace(shelf, methods={"toy": spec(recipes=recipes_that_explain)})
    monkeypatch.setattr(training_of_methods, "catalog", lambda: found)


def test_networks_that_only_explain_get_a_file_beside_the_weights(explaining, tmp_path):
    trained = train_method(FAST, tmp_path / "whole")
    assert trained.explaining == tmp_path / "whole" / "toy-small-explain.safetensors"
    assert set(read_weights(trained.weights)) == {"editor", "finisher"}
    last = torch.load(tmp_path / "whole" / "coarse" / "checkpoint.pt")["networks"]["critic"]
    found = read_weights(trained.explaining)
    assert found.keys() == {"critic"}
    assert all(torch.equal(found["critic"][key], value) for key, value in last.items())
    check(trained.explaining, Pin.from_card(tmp_path / "whole" / "toy-small.json", EXPLAINING))


def test_stages_trained_one_by_one_leave_the_same_file(explaining, tmp_path):
    whole = train_method(FAST, tmp_path / "whole")
    train_method(FAST, tmp_path / "parts", stage="coarse")
    parts = train_method(FAST, tmp_path / "parts", stage="fine")
    assert parts.card[EXPLAINING]["sha256"] == whole.card[EXPLAINING]["sha256"]


def test_without_such_networks_there_is_no_such_file(tmp_path):
    trained = train_method(FAST, tmp_path)
    assert trained.explaining is None and EXPLAINING not in trained.card
    assert not list(tmp_path.glob("*-explain*"))


def test_a_stage_explains_by_networks_that_it_has():
    with pytest.raises(UnknownName, match="unknown explaining network 'critik'; did you mean 'critic'"):
        toy_training.recipe(explaining=("critik",))


# ---- card and pin ---------------------------------------------------------------------------------


def test_the_pin_is_that_of_the_file(tmp_path):
    trained = train_method(FAST, tmp_path, origin="faceedit-bench train --method toy")
    check(trained.weights, trained.pin)
    assert trained.pin.file == "toy-small.safetensors"
    assert trained.pin.licence == "MIT"


def test_the_card_can_be_read_back_as_the_pin(tmp_path):
    trained = train_method(FAST, tmp_path)
    path = tmp_path / "toy-small.json"
    assert Pin.from_card(path) == trained.pin
    assert json.loads(path.read_text()) == trained.card


def test_the_weights_carry_their_method_preset_and_options(tmp_path):
    trained = train_method(replace(FAST, preset="slow", options={"every": 3}), tmp_path)
    assert description_of(trained.weights) == Description("toy", "slow", {"every": 3})


def test_the_card_says_how_the_weights_were_made(tmp_path):
    chosen = replace(FAST, preset="slow", options={"every": 3}, count=12)
    card = train_method(chosen, tmp_path, origin="the command").card
    assert (card["method"], card["preset"], card["options"]) == ("toy", "slow", {"every": 3})
    assert (card["origin"], card["seed"], card["complete"]) == ("the command", 1, True)
    assert card["data"] == {"name": "noise", "split": "train"}
    stage = card["stages"]["coarse"]
    assert (stage["steps"], stage["faces"], stage["digest"]) == (3, 12, "noise-(12, 3, 8, 8)")
    assert {"editor.reconstruction", "critic.penalty"} <= set(stage["losses"])
    assert card["seconds"] > 0 and card["device"].startswith("CPU")
    assert card["torch"] == torch.__version__


def test_a_training_that_is_finished_is_written_again_with_the_same_card(tmp_path):
    """Losses too: those of a session without steps are the last of the one before."""
    slow = replace(FAST, preset="slow")  # the editor learns at every second step of three
    first, second = (train_method(slow, tmp_path).card["stages"]["coarse"] for _ in range(2))
    assert "editor.reconstruction" in first["losses"]
    assert second["losses"] == pytest.approx(first["losses"], rel=2e-3)  # four digits, of six in the log


def test_the_printed_pin_is_python_that_gives_the_pin():
    pin = Pin("toy.safetensors", "ab" * 32, 5156160, "faceedit-bench train --set 'a=\"b\"'", "MIT")
    (line,) = ast.parse(as_python(pin)).body
    assert eval(compile(ast.Expression(line.value), "pin", "eval"), {"Pin": Pin}) == pin


def test_a_full_disk_keeps_the_weights_from_before(tmp_path, monkeypatch):
    trained = train_method(FAST, tmp_path)

    def full(tensors, path, metadata):
        path.write_bytes(b"some of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("safetensors.torch.save_file", full)
    with pytest.raises(ResultsError, match="No space left on device"):
        train_method(FAST, tmp_path)
    check(trained.weights, trained.pin)
    assert not list(tmp_path.glob("*.part"))


# ---- what is refused ------------------------------------------------------------------------------


def test_an_unknown_preset_names_the_nearest(tmp_path):
    with pytest.raises(UnknownName, match="unknown preset of toy 'smal'; did you mean 'small'"):
        train_method(replace(FAST, preset="smal"), tmp_path)


@pytest.mark.parametrize("where", ["argument", "file"])
def test_an_unknown_stage_names_the_nearest(tmp_path, where):
    chosen = replace(FAST, stages={"corse": Stage(steps=1)}) if where == "file" else FAST
    with pytest.raises(UnknownName, match="unknown stage of toy 'corse'; did you mean 'coarse'"):
        train_method(chosen, tmp_path, stage="corse" if where == "argument" else "")


def test_a_method_without_recipes_says_which_have_some(tmp_path):
    with pytest.raises(BadConfig, match="copy has nothing to train; methods that have: toy"):
        train_method(replace(FAST, method="copy"), tmp_path)


def test_an_unknown_option_of_the_method_names_the_nearest(tmp_path):
    with pytest.raises(BadConfig, match="options of toy: unknown key 'evry'; did you mean 'every'"):
        train_method(replace(FAST, options={"evry": 2}), tmp_path)


def test_data_without_labels_are_refused(tmp_path):
    with pytest.raises(BadDataset, match="bare has no labels"):
        train_method(replace(FAST, data="bare"), tmp_path)


def test_an_unknown_split_names_the_nearest(tmp_path):
    with pytest.raises(UnknownName, match="split of noise 'trian'; did you mean 'train'"):
        train_method(replace(FAST, split="trian"), tmp_path)


def test_a_folder_trained_with_other_options_is_refused(tmp_path):
    train_method(FAST, tmp_path)
    with pytest.raises(ResultsError, match="holds another training: options was"):
        train_method(replace(FAST, steps=4, options={"every": 3}), tmp_path)


def test_first_weights_of_another_shape_are_refused(tmp_path):
    save_file({"editor.mix.weight": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(WrongWeights, match=r"other.safetensors: .*mix"):
        train_method(FAST, tmp_path, weights_from=tmp_path / "other.safetensors")
    save_file({"painter.weight": torch.zeros(1)}, tmp_path / "strange.safetensors")
    with pytest.raises(WrongWeights, match="network 'painter' is none of editor, critic, finisher"):
        train_method(FAST, tmp_path, weights_from=tmp_path / "strange.safetensors")


@pytest.mark.parametrize("content", [None, b"not tensors"])
def test_first_weights_that_cannot_be_read_are_named(tmp_path, content):
    path = tmp_path / "gone.safetensors"
    if content:
        path.write_bytes(content)
    with pytest.raises(WrongWeights, match=r"gone.safetensors: (no such file|not a readable)"):
        train_method(FAST, tmp_path, weights_from=path)


# ---- training files -------------------------------------------------------------------------------


def test_the_mistakes_of_a_training_file_are_told_together(tmp_path):
    path = tmp_path / "toy.toml"
    path.write_text('method = "toy"\nseeed = 3\nsize = "big"\n[stages.coarse]\nstep = 4\n')
    with pytest.raises(BadConfig) as told:
        config.load(TrainingConfig, path)
    assert "did you mean 'seed'" in str(told.value)
    assert "size" in str(told.value) and "stages.coarse.step" in str(told.value)


def shipped():
    return sorted((Path(__file__).parents[2] / "configs" / "train").glob("*.toml"))


@pytest.mark.parametrize("path", shipped(), ids=lambda path: path.stem)
def test_the_training_files_of_this_repository_fit_their_methods(path, monkeypatch):
    from faceedit_bench.catalog import catalog

    monkeypatch.setattr(training_of_methods, "catalog", catalog)
    chosen = config.load(TrainingConfig, path)
    method, preset, options = training_of_methods.choose(chosen)
    assert path.stem == f"{method.name}-{preset}"
    recipes = training_of_methods.recipes_of(method, options, chosen, "")
    assert set(chosen.stages) <= {recipe.name for recipe in recipes}
    assert all(chosen.settings(recipe).steps > 0 for recipe in recipes)
