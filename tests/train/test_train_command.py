"""`faceedit-bench train` as a user meets it, on the toy method."""

import json

import pytest
from click.testing import CliRunner
from test_train_method import dataset, spec

import faceedit_bench.catalog as catalogs
from faceedit_bench.catalog import Catalog
from faceedit_bench.cli import cli
from faceedit_bench.cli import train_progress as shown
from faceedit_bench.train import method as training_of_methods

TOY = ["train", "--method", "toy", "--data", "noise", "--size", "8", "--steps", "3", "--batch-size", "4"]


@pytest.fixture(autouse=True)
def shelf(monkeypatch, tmp_path):
    found = Catalog(methods={"toy": spec()}, datasets={"noise": dataset("noise", ("labels",))})
    monkeypatch.setattr(training_of_methods, "catalog", lambda: found)
    monkeypatch.setattr(catalogs, "catalog", lambda: found)
    monkeypatch.chdir(tmp_path)


def call(*arguments, code=0):
    result = CliRunner().invoke(cli, [*TOY, *arguments])
    if code != result.exit_code:
        raise AssertionError(result.output) from result.exception
    return result


def test_the_command_ends_with_a_pin_and_a_card(tmp_path):
    result = call("--device", "cpu")
    assert 'file="toy-small.safetensors"' in result.stdout
    assert str(json.loads((tmp_path / "training/toy-small/toy-small.json").read_text())["bytes"]) in (
        result.stdout.replace("_", "")
    )


def test_json_is_the_card_and_nothing_else(tmp_path):
    card = json.loads(call("--json", "--out", "here").stdout)
    assert card == json.loads((tmp_path / "here" / "toy-small.json").read_text())


def test_the_origin_is_the_command_without_what_decides_no_weight():
    card = json.loads(
        call("--json", "--device", "cpu", "--out", "here", "--set", "every=2", "--no-compile").stdout
    )
    assert card["origin"] == (
        "faceedit-bench train --method toy --option every=2 --data noise --size 8 --steps 3 "
        "--batch-size 4 --no-compile"
    )
    assert card["options"] == {"every": 2}


def test_an_absolute_path_does_not_get_into_the_origin(tmp_path):
    (tmp_path / "toy.toml").write_text('method = "toy"\n')
    card = json.loads(call("--json", "--config", str(tmp_path / "toy.toml")).stdout)
    assert "--config toy.toml" in card["origin"] and str(tmp_path) not in card["origin"]


def test_the_command_line_comes_before_the_file(tmp_path):
    (tmp_path / "toy.toml").write_text(
        'method = "toy"\npreset = "slow"\nseed = 5\nsteps = 9\n[stages.fine]\nsteps = 7\nbatch_size = 2\n'
    )
    card = json.loads(call("--json", "--config", "toy.toml").stdout)
    assert [stage["steps"] for stage in card["stages"].values()] == [3, 3]
    assert [stage["batch_size"] for stage in card["stages"].values()] == [4, 4]
    assert (card["preset"], card["seed"], card["options"]) == ("slow", 5, {"every": 2})


def test_a_file_for_another_method_is_refused(tmp_path):
    (tmp_path / "other.toml").write_text('method = "coogan"\n')
    told = call("--config", "other.toml", code=1).stderr
    assert told == "Error: other.toml is for method 'coogan'; --method says 'toy'\n"


def test_without_a_method_the_command_says_what_it_wants():
    result = CliRunner().invoke(cli, ["train"])
    assert result.exit_code == 1 and "which method? Give --method NAME" in result.stderr


def test_a_stopped_training_says_that_the_same_command_goes_on():
    assert "The same command goes on" in call("--minutes", "1e-9").stderr
    assert json.loads(call("--json").stdout)["complete"] is True


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--stage", "corse"], "did you mean 'coarse'"),
        (["--preset", "smal"], "did you mean 'small'"),
        (["--data", "nose"], "unknown data set 'nose'; did you mean 'noise'"),
        (["--set", "every=often"], "options of toy: every:"),
        (["--batch-size", "0"], "batch_size must be at least 1, found 0"),
        (["--minutes", "-1"], "--minutes must not be negative"),
        (["--device", "abacus"], "--device abacus: not usable here"),
        (["--config", "gone.toml"], "gone.toml: no such file"),
    ],
)
def test_bad_input_is_one_message_and_leaves_no_folder(tmp_path, arguments, told):
    result = call(*arguments, code=1)
    assert told in result.stderr and "Traceback" not in result.output
    assert not (tmp_path / "training").exists()


def test_tensorboard_that_is_missing_names_the_extra(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "torch.utils.tensorboard", None)
    told = call("--tensorboard", code=1).stderr
    assert 'pip install "faceedit-bench[tensorboard]"' in told


def test_tensorboard_gets_losses_where_it_is_installed(tmp_path):
    pytest.importorskip("tensorboard")
    call("--tensorboard")
    assert len(list((tmp_path / "training/toy-small/tensorboard").glob("*/events*"))) == 2


def test_help_has_an_example():
    assert "faceedit-bench train --method coogan" in CliRunner().invoke(cli, ["train", "--help"]).stdout


# ---- progress -------------------------------------------------------------------------------------


def test_progress_without_a_terminal_is_a_line_now_and_then(monkeypatch, capsys):
    monkeypatch.delenv("FACEEDIT_QUIET", raising=False)
    monkeypatch.delenv("CI", raising=False)
    clock = iter(range(0, 1000, 20))  # a step takes twenty seconds
    monkeypatch.setattr(shown.time, "monotonic", lambda: float(next(clock)))
    (lines,) = shown.progress()
    lines.began("global", 0, 4)
    for step in range(1, 5):
        lines.stepped(step, {"critic.penalty": 0.5, "critic.wasserstein": -2.0})
    lines.ended(4)
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "global: 4 steps"
    assert told[1] == "global: step 2 of 4, 0.05 steps/s, 0:40 left; critic penalty 0.5 wasserstein -2"
    assert told[-1].startswith("global: step 4 of 4 after 1:40")


def test_progress_on_a_terminal_is_a_bar_with_losses(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "160")
    bar = shown.Bar()
    bar.began("global", 0, 4)
    for step in range(1, 5):
        bar.stepped(step, {"critic.penalty": 0.5})
    bar.ended(4)
    told = capsys.readouterr().err
    assert "4/4" in told and "critic penalty 0.5" in told


def test_progress_is_silent_when_asked():
    assert shown.progress() == []


@pytest.mark.parametrize(("seconds", "told"), [(5, "0:05"), (125, "2:05"), (3725, "1:02:05")])
def test_a_duration_is_told_as_a_clock_does(seconds, told):
    assert shown.clock(seconds) == told
