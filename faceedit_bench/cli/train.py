"""`faceedit-bench train`: all stages of a method, ending with weights, their card and their pin."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click

from .options import OPTION, method_options
from .output import json_option, note, print_json
from .reading import cache_option

EXAMPLES = """
\b
Examples:
  faceedit-bench train --method coogan --preset demo
  faceedit-bench train --config configs/train/coogan-demo.toml --minutes 60
  faceedit-bench train --method coogan --option width=24 --steps 500 --out training/narrow
"""
NOT_IN_ORIGIN = (
    "out",
    "root",
    "device",
    "cache",
    "minutes",
    "tensorboard",
    "as_json",
)  # decide no weight of the result


@click.command(epilog=EXAMPLES)
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="Settings in a TOML file.")
@click.option("--method", help="Name of the method; see `faceedit-bench methods`.")
@click.option("--preset", help="Preset of the method; its first one by default.")
@method_options("--set")
@click.option("--data", help="Data set with labels.  [default: drawn-faces]")
@click.option(
    "--root", type=click.Path(path_type=Path), help="Folder of the data set, if it is not embedded."
)
@click.option("--split", help="Split of the data set.  [default: train]")
@click.option("--count", type=int, help="Number of faces; 0 the whole split.  [default: 4000]")
@click.option("--size", type=int, help="Pixels per side.  [default: 128]")
@click.option("--steps", type=int, help="Steps of each stage.  [default: the preset's]")
@click.option(
    "--minutes", type=float, default=0.0, help="Stop and save after this long; the same command goes on."
)
@click.option("--batch-size", type=int, help="Faces per batch.  [default: the preset's]")
@click.option("--seed", type=int, help="Of weights, batches and everything else random.  [default: 1]")
@click.option(
    "--precision", type=click.Choice(["fp32", "bf16"]), help="bf16: mixed.  [default: bf16 on a GPU]"
)
@click.option("--compile/--no-compile", default=None, help="torch.compile the editor.  [default: on a GPU]")
@click.option("--threads", type=int, help="CPU threads.  [default: torch's choice]")
@click.option("--device", default="auto", show_default=True, help="cpu, cuda or auto.")
@cache_option
@click.option(
    "--decode",
    type=click.Choice(("auto", "cpu", "cuda")),
    default="auto",
    show_default=True,
    help="Who decodes JPEG files; auto: the GPU if training is there, and its decoder agrees with the CPU's.",
)
@click.option("--stage", default="", help="Train only this stage.")
@click.option(
    "--weights-from", type=click.Path(path_type=Path), help="Weights file that networks start from."
)
@click.option("--out", type=click.Path(path_type=Path), help="Folder.  [default: training/METHOD-PRESET]")
@click.option("--tensorboard", is_flag=True, help="Write a TensorBoard log into the folder, too.")
@json_option("Print the card as JSON and no progress.")
@click.pass_context
def train(
    context: click.Context,
    config_file: Path | None,
    options: tuple[str, ...],
    root: Path | None,
    minutes: float,
    device: str,
    cache: str,
    decode: str,
    stage: str,
    weights_from: Path | None,
    out: Path | None,
    tensorboard: bool,
    as_json: bool,
    **settings: Any,  # the rest: fields of TrainingConfig, None where not given
) -> None:
    """Train a method; ends with weights and their pin.

    Stopped by a time limit, Ctrl-C or a power cut, the same command goes on where the last checkpoint was,
    and ends with the same bits. Without --config, settings come from configs/train/METHOD-PRESET.toml of
    this toolkit's sources if there is one. Options given here come before those of the file.
    """
    from ..config import parse_overrides
    from ..device import choose as choose_device
    from ..errors import BadConfig
    from ..train.export import as_python
    from ..train.method import choose, train_method
    from .train_progress import progress
    from .train_settings import merged

    if minutes < 0:
        raise BadConfig(f"--minutes must not be negative, found {minutes}")
    device = choose_device(device)
    given = {key: value for key, value in settings.items() if value is not None}
    chosen = merged(config_file, given, parse_overrides(options, OPTION), is_gpu=device != "cpu", say=note)
    spec, preset, _ = choose(chosen)
    folder = out or Path("training") / f"{spec.name}-{preset}"
    watch: list[Any] = [*progress()]
    if tensorboard:
        from ..train.tensorboard import TensorBoard

        watch.append(TensorBoard(folder))
    trained = train_method(
        chosen,
        folder,
        device=device,
        root=root,
        stage=stage,
        weights_from=weights_from,
        minutes=minutes,
        origin=origin(context),
        watch=watch,
        cache=cache,
        decode=decode,
    )
    if as_json:
        print_json(trained.card)
    else:
        click.echo(as_python(trained.pin))
        click.echo(f"weights  {trained.weights}\ncard     {trained.weights.with_suffix('.json')}")
        if trained.explaining:
            click.echo(f"explain  {trained.explaining}  (for `edit --explain`, beside the weights)")
        print_json(trained.card)
    if trained.stopped:
        why = "the time is over" if trained.stopped == "time" else "a signal asked for it"
        note(f"stopped because {why}; the weights are those so far. The same command goes on")
    if trained.stopped == "signal":
        context.exit(130)


def origin(context: click.Context) -> str:
    """The command that makes these weights: what was given, without what decides nothing."""
    words = ["faceedit-bench", "train"]
    for parameter in context.command.params:
        name = parameter.name or ""
        source = context.get_parameter_source(name)
        if name in NOT_IN_ORIGIN or source is not click.core.ParameterSource.COMMANDLINE:
            continue
        value = context.params[name]
        option = parameter.opts[0]
        if isinstance(value, bool):
            words.append(option if value else parameter.secondary_opts[0])
        else:
            values = value if isinstance(value, tuple) else (value,)
            words += [word for one in values for word in (option, _short(one))]
    return shlex.join(words)


def _short(value: Any) -> str:
    """A path from the root tells of a machine, not of a training: only its name is kept."""
    return value.name if isinstance(value, Path) and value.is_absolute() else str(value)
