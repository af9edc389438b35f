"""The loop on a toy: what it changes, how it goes on, how it stops."""

import copy
import dataclasses
import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn
from toy_training import criticise, faces, paint, preview, recipe, settings

from faceedit_bench.errors import BadConfig, BrokenPromise, ResultsError, TrainingFailed, UnknownName
from faceedit_bench.train import Phase, Recipe, Schedule, Settings, checkpoint, train
from faceedit_bench.train.average import Average
from faceedit_bench.train.interrupt import stop_on_signals
from faceedit_bench.train.trainer import Training


class Watch:
    """Remembers what it is told and does something at one step."""

    def __init__(self, at=0, act=lambda: None):
        self.at, self.act, self.told = at, act, []

    def began(self, recipe, step, steps):
        self.told.append(("began", step))

    def stepped(self, step, losses):
        self.told.append(("stepped", step))
        if step == self.at:
            self.act()

    def sampled(self, step, path):
        self.told.append(("sampled", step))

    def ended(self, step):
        self.told.append(("ended", step))


class PowerCut(Exception):
    pass


def power_cut():
    raise PowerCut


def training(own=None, **changes):
    return Training(own or recipe(), faces(), settings(**changes), torch.device("cpu"), {})


def weights(network):
    return {key: value.clone() for key, value in network.state_dict().items()}


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def checkpoints_agree(one, other):
    """Everything that a checkpoint holds but the time."""
    first, second = checkpoint.load(one), checkpoint.load(other)
    first.pop("seconds"), second.pop("seconds")
    return flat(first) == flat(second)


def flat(value):
    if isinstance(value, torch.Tensor):
        return value.tolist()
    if isinstance(value, dict):
        return {key: flat(entry) for key, entry in value.items()}
    return [flat(entry) for entry in value] if isinstance(value, (list, tuple)) else value


# ---- one step -------------------------------------------------------------------------------------


def test_a_phase_changes_its_own_network_only():
    run = training(recipe(every=2))
    editor, critic = weights(run.networks["editor"]), weights(run.networks["critic"])
    run.take_step()  # critic only
    assert not same(critic, weights(run.networks["critic"]))
    learned = dict(run.networks["editor"].named_parameters())
    assert all(torch.equal(editor[key], value) for key, value in learned.items())


def test_one_phase_may_move_several_networks_by_one_loss():
    """Both change, both are averaged, and neither sees the other's update before its own."""
    seen = []

    def both(networks, batch):
        seen.append({name: all(p.requires_grad for p in net.parameters()) for name, net in networks.items()})
        return paint({"editor": networks["editor"], "critic": networks["critic"]}, batch) | {
            "other": networks["other"](batch.images, batch.change).square().mean()
        }

    plain = recipe()
    networks = {**plain.networks, "other": copy.deepcopy(plain.networks["editor"])}
    toy = Recipe(
        "toy", networks, (Phase("editors", ("editor", "other"), both),), exported=("editor", "other")
    )
    run = training(toy)
    before = {name: weights(network) for name, network in run.networks.items()}
    run.take_step()
    assert seen == [{"editor": True, "other": True, "critic": False}]
    for name in ("editor", "other"):
        assert run.networks[name].training and not same(before[name], weights(run.networks[name]))
        assert run.averages[name].updates == 1
    assert same(before["critic"], weights(run.networks["critic"]))


def test_a_network_that_must_be_given_is_missed_and_once_given_is_used():
    toy = dataclasses.replace(recipe(), phases=(Phase("editor", "editor", paint),), given=("critic",))
    with pytest.raises(BadConfig, match=r"weights of network 'critic' and got none.*--weights-from"):
        training(toy)
    wanted = {key: value + 1 for key, value in weights(toy.networks["critic"]).items()}
    run = Training(toy, faces(), settings(), torch.device("cpu"), {"critic": wanted})
    assert same(wanted, weights(run.networks["critic"]))


def test_only_the_network_of_the_phase_requires_gradients():
    seen = []

    def look(networks, batch):
        seen.append({name: [p.requires_grad for p in net.parameters()] for name, net in networks.items()})
        return criticise(networks, batch)

    toy = dataclasses.replace(recipe(), phases=(Phase("critic", "critic", look),))
    training(toy).take_step()
    assert all(seen[0]["critic"]) and not any(seen[0]["editor"])


def test_a_parameter_that_the_plugin_froze_stays_as_it_is():
    toy = recipe(every=1)
    toy.networks["editor"].mix.bias.requires_grad_(False)
    run, before = training(toy), toy.networks["editor"].mix.bias.clone()
    run.take_step()
    assert torch.equal(run.networks["editor"].mix.bias, before)


def test_a_network_without_a_phase_is_frozen_and_evaluating():
    toy = recipe()
    toy = dataclasses.replace(toy, phases=(Phase("editor", "editor", paint),))
    run = training(toy)
    assert not run.networks["critic"].training and run.networks["editor"].training
    before = weights(run.networks["critic"])
    run.take_step()
    assert same(before, weights(run.networks["critic"]))


def test_phases_are_due_at_the_steps_their_interval_divides(tmp_path):
    train(recipe(every=3), faces(), settings(7), tmp_path)
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3, 4, 5, 6, 7]
    assert [line["step"] for line in lines if "editor.reconstruction" in line] == [3, 6]
    assert all("critic.penalty" in line for line in lines)


def test_every_phase_gets_a_fresh_batch():
    shown = []

    def look(loss):
        def looking(networks, batch):
            shown.append(batch.images.clone())
            return loss(networks, batch)

        return looking

    phases = (Phase("critic", "critic", look(criticise)), Phase("editor", "editor", look(paint), every=2))
    run = training(dataclasses.replace(recipe(), phases=phases), flip=False)
    for _ in range(3):
        run.take_step()
    stream = [run.batches.batch(number, 1).images for number in range(4)]
    assert len(shown) == 4 and all(torch.equal(a, b) for a, b in zip(shown, stream, strict=True))


@pytest.mark.parametrize(
    ("schedule", "wanted"),
    [
        (Schedule("tenth", 0.8), [1.0] * 8 + [0.1] * 2),
        (Schedule("linear", 0.5), [1.0] * 6 + [0.8, 0.6, 0.4, 0.2]),
        (Schedule("exponential", 0.5), [1.0] * 5 + [0.01 ** (n / 5) for n in range(1, 6)]),
        (Schedule("release", 0.5), [1.0] * 6 + [0.9998, 0.9996, 0.9994, 0.9992]),
        (Schedule("none", 0.5), [1.0] * 10),
    ],
)
def test_learning_rates_follow_the_schedule_of_the_recipe(schedule, wanted):
    run = training(dataclasses.replace(recipe(), rate=schedule), steps=10)
    rates = []
    for _ in range(10):
        run.take_step()
        rates.append(run.optimizers["critic"].param_groups[0]["lr"])
    assert rates == pytest.approx([2e-4 * factor for factor in wanted])


def test_a_phase_that_is_not_fresh_takes_the_batch_of_the_one_before_it():
    shown: dict[str, list] = {"critic": [], "editor": []}

    def look(name, loss):
        def looking(networks, batch):
            shown[name].append((batch.images, batch.target))
            return loss(networks, batch)

        return looking

    phases = (
        Phase("critic", "critic", look("critic", criticise)),
        Phase("editor", "editor", look("editor", paint), every=2, fresh=False),
    )
    run = training(dataclasses.replace(recipe(), phases=phases), flip=False)
    for _ in range(4):
        run.take_step()
    stream = [run.batches.batch(number, 1) for number in range(4)]
    for (images, target), batch in zip(shown["critic"], stream, strict=True):
        assert torch.equal(images, batch.images) and torch.equal(target, batch.target)
    for (images, target), batch in zip(shown["editor"], stream[1::2], strict=True):
        assert torch.equal(images, batch.images) and torch.equal(target, batch.target)


def test_the_first_phase_needs_a_fresh_batch():
    with pytest.raises(BadConfig, match="needs a fresh batch"):
        dataclasses.replace(recipe(), phases=(Phase("critic", "critic", criticise, fresh=False),))


def test_dropout_draws_from_the_step_and_not_from_what_happened_before():
    first = training()
    first.take_step()
    torch.rand(100)
    second = training()
    torch.rand(7)
    second.take_step()
    first.take_step(), second.take_step()
    assert same(weights(first.networks["editor"]), weights(second.networks["editor"]))


def test_training_leaves_the_global_random_state_alone(tmp_path):
    toy = recipe()
    before = torch.get_rng_state()
    train(toy, faces(), settings(2), tmp_path)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_memory_format_changes_speed_and_not_meaning(tmp_path):
    plain = train(recipe(), faces(), settings(2), tmp_path / "plain")
    other = train(recipe(), faces(), settings(2, channels_last=True), tmp_path / "last")
    one, two = plain.averages["editor"]["mix.weight"], other.averages["editor"]["mix.weight"]
    assert torch.allclose(one, two, atol=5e-4)  # two updates of at most 2e-4 each


def test_bf16_training_keeps_float32_weights(tmp_path):
    result = train(recipe(), faces(), settings(2, precision="bf16"), tmp_path / "bf16")
    plain = train(recipe(), faces(), settings(2), tmp_path / "fp32")
    one, other = result.averages["editor"]["mix.weight"], plain.averages["editor"]["mix.weight"]
    assert one.dtype == torch.float32 and not torch.equal(one, other)
    assert torch.allclose(one, other, atol=5e-4)  # two updates of at most 2e-4 each


# ---- the average ----------------------------------------------------------------------------------


def test_the_average_follows_the_formula_with_its_warm_up():
    network = nn.Linear(1, 1, bias=False)
    nn.init.constant_(network.weight, 0.0)
    average, wanted = Average(network, decay=0.25), 0.0
    for update, value in enumerate((1.0, 5.0, -2.0), start=1):
        nn.init.constant_(network.weight, value)
        average.update(network)
        decay = min(0.25, (1 + update) / (10 + update))
        wanted = decay * wanted + (1 - decay) * value
    assert average.network.weight.item() == pytest.approx(wanted, rel=1e-6)


def test_buffers_are_copied_and_not_averaged():
    network = nn.BatchNorm1d(2)
    average = Average(network, decay=0.999)
    network.train()(torch.randn(8, 2, generator=torch.Generator().manual_seed(0)))
    average.update(network)
    assert torch.equal(average.network.running_mean, network.running_mean)
    assert average.network.num_batches_tracked == 1


def test_the_average_moves_only_when_its_network_does():
    run = training(recipe(every=2))
    run.take_step()
    assert run.averages["editor"].updates == 0
    run.take_step()
    assert run.averages["editor"].updates == 1


def test_the_result_is_the_average_and_not_the_last_step(tmp_path):
    toy = recipe()
    result = train(toy, faces(), settings(6), tmp_path)
    assert set(result.averages) == {"editor"}
    assert not torch.equal(result.averages["editor"]["mix.weight"], toy.networks["editor"].mix.weight)


# ---- going on -------------------------------------------------------------------------------------


def test_ten_steps_cut_off_in_between_end_with_the_same_bits(tmp_path):
    whole = train(recipe(), faces(), settings(10, save_every=4), tmp_path / "whole")
    cut = tmp_path / "cut"
    with pytest.raises(PowerCut):
        train(recipe(), faces(), settings(10, save_every=4), cut, watch=[Watch(at=7, act=power_cut)])
    assert checkpoint.load(cut)["step"] == 4
    again = train(recipe(seed=99), faces(), settings(10, save_every=4), cut)
    assert same(whole.averages["editor"], again.averages["editor"])
    assert checkpoints_agree(tmp_path / "whole", cut)
    assert (tmp_path / "whole/log.jsonl").read_text() == (cut / "log.jsonl").read_text()


def test_more_steps_may_be_asked_for_later(tmp_path):
    whole = train(recipe(), faces(), settings(6), tmp_path / "whole")
    train(recipe(), faces(), settings(3), tmp_path / "parts")
    more = train(recipe(), faces(), settings(6), tmp_path / "parts")
    assert same(whole.averages["editor"], more.averages["editor"])


def test_a_finished_training_is_not_trained_further(tmp_path):
    train(recipe(), faces(), settings(3), tmp_path)
    watch = Watch()
    again = train(recipe(), faces(), settings(3), tmp_path, watch=[watch])
    assert watch.told == [("began", 3), ("ended", 3)]
    assert again.step == 3 and again.is_complete


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"batch_size": 5}, "batch_size was 4, is 5"),
        ({"seed": 2}, "seed was 1, is 2"),
        ({"ema": 0.5}, "ema was"),
    ],
)
def test_a_folder_of_another_training_is_refused(tmp_path, changes, told):
    train(recipe(), faces(), settings(2), tmp_path)
    with pytest.raises(ResultsError, match=f"holds another training: {told}.*--out"):
        train(recipe(), faces(), settings(4, **changes), tmp_path)


def test_other_faces_and_other_options_are_another_training(tmp_path):
    train(recipe(), faces(), settings(2), tmp_path, identity={"options": {"width": 16}})
    with pytest.raises(ResultsError, match="faces was 'random-20"):
        train(recipe(), faces(seed=3), settings(4), tmp_path, identity={"options": {"width": 16}})
    with pytest.raises(ResultsError, match=r"options was \{'width': 16\}, is \{'width': 32\}"):
        train(recipe(), faces(), settings(4), tmp_path, identity={"options": {"width": 32}})


def test_other_first_weights_are_another_training(tmp_path):
    start = {"editor": weights(recipe(seed=5).networks["editor"])}
    train(recipe(), faces(), settings(2), tmp_path, start=start)
    train(recipe(), faces(), settings(3), tmp_path, start=start)
    with pytest.raises(ResultsError, match="start was"):
        train(recipe(), faces(), settings(4), tmp_path)


def test_a_damaged_checkpoint_is_named_and_not_overwritten(tmp_path):
    (tmp_path / "checkpoint.pt").write_bytes(b"half a file")
    with pytest.raises(ResultsError, match=r"checkpoint.pt: not a readable checkpoint.*move it away"):
        train(recipe(), faces(), settings(2), tmp_path)
    assert (tmp_path / "checkpoint.pt").read_bytes() == b"half a file"


def test_a_checkpoint_with_code_in_it_is_not_run(tmp_path):
    torch.save({"format": 1, "code": print}, tmp_path / "checkpoint.pt")
    with pytest.raises(ResultsError, match="not a readable checkpoint"):
        checkpoint.load(tmp_path)


def test_half_a_line_in_the_log_is_dropped(tmp_path):
    train(recipe(), faces(), settings(2), tmp_path)
    with open(tmp_path / "log.jsonl", "a") as log:
        log.write('{"step": 3, "cri')
    train(recipe(), faces(), settings(4), tmp_path)
    steps = [json.loads(line)["step"] for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert steps == [1, 2, 3, 4]


# ---- stopping -------------------------------------------------------------------------------------


def test_the_time_limit_stops_saves_and_can_be_continued(tmp_path):
    first = train(recipe(), faces(), settings(8, minutes=1e-9), tmp_path / "parts")
    assert (first.step, first.stopped, first.is_complete) == (1, "time", False)
    assert checkpoint.load(tmp_path / "parts")["step"] == 1
    rest = train(recipe(), faces(), settings(8), tmp_path / "parts")
    whole = train(recipe(), faces(), settings(8), tmp_path / "whole")
    assert same(rest.averages["editor"], whole.averages["editor"])
    assert rest.seconds > first.seconds


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_after_the_step_and_saves(tmp_path, number):
    watch = Watch(at=3, act=lambda: os.kill(os.getpid(), number))
    before = signal.getsignal(number)
    result = train(recipe(), faces(), settings(50), tmp_path, watch=[watch])
    assert result.stopped == "signal" and result.step in (3, 4)
    assert checkpoint.load(tmp_path)["step"] == result.step
    assert signal.getsignal(number) is before


def test_a_second_ctrl_c_interrupts_at_once():
    with stop_on_signals() as wish:
        os.kill(os.getpid(), signal.SIGINT)
        while not wish.asked:
            pass
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
            while True:
                pass


def test_training_outside_the_main_thread_leaves_signals_alone(tmp_path):
    with ThreadPoolExecutor(1) as pool:
        result = pool.submit(train, recipe(), faces(), settings(2), tmp_path).result()
    assert result.is_complete


def test_a_log_that_cannot_be_written_keeps_the_last_checkpoint(tmp_path):
    train(recipe(), faces(), settings(2), tmp_path)
    (tmp_path / "log.jsonl").unlink()
    watch = Watch(at=3, act=(tmp_path / "log.jsonl").mkdir)
    with pytest.raises(ResultsError, match=r"log.jsonl: cannot be written .*last checkpoint is kept"):
        train(recipe(), faces(), settings(4), tmp_path, watch=[watch])
    assert checkpoint.load(tmp_path)["step"] == 2


def test_a_loss_that_is_not_a_number_stops_with_step_and_phase(tmp_path):
    def poisoned(networks, batch):
        terms = paint(networks, batch)
        return {**terms, "reconstruction": terms["reconstruction"] * (float("nan") if batch.step == 6 else 1)}

    phases = (Phase("critic", "critic", criticise), Phase("editor", "editor", poisoned, every=2))
    toy = dataclasses.replace(recipe(), phases=phases)
    with pytest.raises(
        TrainingFailed, match=r"step 6, phase 'editor': loss 'reconstruction' is nan.*step 4.*good"
    ):
        train(toy, faces(), settings(10, save_every=2), tmp_path)
    saved = checkpoint.load(tmp_path)
    assert saved["step"] == 4
    assert all(value.isfinite().all() for value in saved["networks"]["editor"].values())


def test_weights_that_are_not_numbers_are_not_saved(tmp_path):
    """An infinite gradient spoils the weights a step before a loss tells."""

    def spoiling(networks, batch):
        value = networks["critic"](batch.images).mean()
        return {"score": value * 0 + (value.sqrt() * 0 if batch.step < 2 else torch.sqrt(value * 0))}

    toy = dataclasses.replace(recipe(), phases=(Phase("critic", "critic", spoiling),))
    toy.networks["critic"][-1].bias.data.fill_(100.0)
    with pytest.raises(TrainingFailed, match="step 2: weights of network 'critic' are not finite"):
        train(toy, faces(), settings(2, save_every=1), tmp_path)
    assert checkpoint.load(tmp_path)["step"] == 1


def test_a_full_disk_leaves_the_old_checkpoint(tmp_path, monkeypatch):
    train(recipe(), faces(), settings(2), tmp_path)
    before = (tmp_path / "checkpoint.pt").read_bytes()

    def full(content, file):
        file.write(b"some of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(ResultsError, match=r"No space left on device.*from before is untouched"):
        train(recipe(), faces(), settings(4), tmp_path)
    assert (tmp_path / "checkpoint.pt").read_bytes() == before
    assert not (tmp_path / "checkpoint.pt.part").exists()


def test_a_folder_that_cannot_be_written_is_said_before_training(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultsError, match=r"cannot be written.*--out"):
        train(recipe(), faces(), settings(2), tmp_path / "file" / "out")


# ---- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"steps": 0}, "steps must be at least 1"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"ema": 1.0}, "ema must be"),
        ({"minutes": -1.0}, "minutes must not be negative"),
    ],
)
def test_settings_out_of_range_are_refused(changes, told):
    with pytest.raises(BadConfig, match=told):
        Settings(**{"steps": 1, **changes})


def test_an_unknown_precision_names_the_nearest():
    with pytest.raises(UnknownName, match="did you mean 'bf16'"):
        Settings(steps=1, precision="b16")


def test_a_phase_of_a_network_that_is_not_there_is_refused():
    with pytest.raises(UnknownName, match="network in phase 'editor' 'edtor'; did you mean 'editor'"):
        dataclasses.replace(recipe(), phases=(Phase("editor", "edtor", paint),))


def test_an_exported_network_that_is_not_there_is_refused():
    with pytest.raises(UnknownName, match="exported network"):
        Recipe("toy", recipe().networks, recipe().phases, exported=("painter",))


@pytest.mark.parametrize(
    ("loss", "told"),
    [
        (lambda networks, batch: torch.zeros(()), "must return a dict of scalars, found Tensor"),
        (
            lambda networks, batch: {"a": batch.images},
            r"term 'a' must be a scalar tensor, found \(4, 3, 8, 8\)",
        ),
        (lambda networks, batch: {"a": 1.0}, "must be a scalar tensor, found float"),
        (
            lambda networks, batch: {"a": batch.images.mean()},
            "no term depends on the parameters of network 'editor'",
        ),
    ],
)
def test_a_loss_that_returns_something_else_is_a_broken_promise(loss, told):
    toy = dataclasses.replace(recipe(), phases=(Phase("editor", "editor", loss),))
    with pytest.raises(BrokenPromise, match=f"recipe 'toy', phase 'editor'.*{told}"):
        training(toy).take_step()


# ---- looking on -----------------------------------------------------------------------------------


def test_a_sample_sheet_shows_source_reconstruction_and_every_flip(tmp_path):
    from PIL import Image

    watch = Watch()
    train(recipe(preview=preview), faces(), settings(5, sample_every=3), tmp_path, watch=[watch])
    assert [entry for entry in watch.told if entry[0] == "sampled"] == [("sampled", 3), ("sampled", 5)]
    with Image.open(tmp_path / "samples" / "step-000003.png") as sheet:
        width, height = sheet.size
    assert round(width / 100) == 4 and height > 600  # columns of 96 + 4 pixels, six rows and titles


def test_looking_changes_no_bit(tmp_path):
    plain = train(recipe(), faces(), settings(4), tmp_path / "plain")
    watched = train(
        recipe(preview=preview), faces(), settings(4, sample_every=1), tmp_path / "watched", watch=[Watch()]
    )
    assert same(plain.averages["editor"], watched.averages["editor"])


def test_watchers_hear_of_every_step_in_order(tmp_path):
    watch = Watch()
    train(recipe(), faces(), settings(3), tmp_path, watch=[watch])
    assert watch.told == [("began", 0), ("stepped", 1), ("stepped", 2), ("stepped", 3), ("ended", 3)]
