"""`faceedit-bench experiment`: what edits are good for."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import BadConfig
from .options import OPTION, method_options
from .output import as_json, note, print_json
from .table import WIDTH, table

if TYPE_CHECKING:
    from ..experiments.intervals import Estimate
    from ..experiments.records import Outcome
    from ..published import Claim


@click.group(epilog="Example: faceedit-bench experiment augmentation --method attgan")
def experiment() -> None:
    """Put edits to use, and measure whether they help."""


@experiment.command(
    epilog="""
\b
Examples:
  faceedit-bench experiment augmentation --method attgan
  faceedit-bench experiment augmentation --method stgan --attribute No_Beard
  faceedit-bench experiment augmentation --method copy --set epochs=2
  faceedit-bench experiment augmentation --method sagan --preset paper \\
    --weights sagan.safetensors --protocol paper \\
    --root celeba=~/data/celeba --root lfw=~/data/lfw
"""
)
@click.option("--method", required=True, help="Name of the method; see `faceedit-bench methods`.")
@click.option("--protocol", default="small", show_default=True, help="small, paper, or a .toml file.")
@click.option(
    "--attribute",
    "attributes",
    multiple=True,
    help="Train an arm with edits of it; repeatable.  [default: the protocol's]",
)
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="A setting of the protocol.")
@click.option("--preset", help="Preset of the method; its first one by default.")
@click.option("--weights", type=click.Path(), help="Weights file to use instead of the preset's own.")
@method_options()
@click.option(
    "--root", "roots", multiple=True, metavar="DATASET=DIR", help="Folder of a data set; repeatable."
)
@click.option(
    "--results", type=click.Path(), help="Results folder.  [default: $FACEEDIT_RESULTS or results/]"
)
@click.option(
    "--workers", type=int, default=1, show_default=True, help="Processes; their number changes no bit."
)
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda or auto.")
@as_json
def augmentation(
    method: str,
    protocol: str,
    attributes: tuple[str, ...],
    settings: tuple[str, ...],
    preset: str | None,
    weights: str | None,
    options: tuple[str, ...],
    roots: tuple[str, ...],
    results: str | None,
    workers: int,
    device: str,
    as_json: bool,
) -> None:
    """Train a face recogniser with and without edited faces, and compare them.

    A ResNet-18 learns the people of training from their pictures, and once more for each attribute from the
    same pictures and their edits. All start from the same weights and take the same steps and batches. Then
    each tells strangers apart: true accepts at fixed rates of false accepts, the curve, and the difference.

    The same command continues an experiment that was stopped, and prints one that is complete.
    """
    from ..config import parse_overrides
    from ..experiments.augmentation import augment
    from ..experiments.protocol import load

    outcome = augment(
        method,
        chosen=load(protocol, settings, attributes),
        preset=preset,
        weights=weights,
        options=parse_overrides(options, OPTION),
        roots=parse_roots(roots),
        results=results,
        workers=workers,
        device=device,
    )
    if as_json:
        print_json(outcome.content)
    else:
        show(outcome)
    note(f"results  {outcome.folder}")


def parse_roots(roots: tuple[str, ...]) -> dict[str, Path]:
    """`("celeba=~/celeba",)` -> the folder by data set."""
    found: dict[str, Path] = {}
    for root in roots:
        name, sign, folder = root.partition("=")
        if not (name and sign and folder):
            raise BadConfig(f"--root {root!r}: wanted DATASET=DIR, for example --root celeba=~/data/celeba")
        found[name] = Path(folder).expanduser()
    return found


# ---- printing -------------------------------------------------------------------------------------


def show(outcome: Outcome) -> None:
    """Every number, under what it was measured on."""
    trained = outcome.content["training"]
    steps = next(iter(trained["arms"].values()))["steps"]
    say("training", f"{people(trained)}; {steps:,} steps of every arm")
    if trained["without_face"]:
        say("no face", f"found in {len(trained['without_face'])} pictures, which stay unedited")
    for number, test in enumerate(outcome.tests):
        pairs = test["pairs"]
        click.echo()
        say("test", f"{people(test)}; {pairs['same']:,} pairs of one person, {pairs['different']:,} of two")
        for name, rate in trained["rates"].items():
            there = f", {test['rates'][name]:.0%} of the test's" if name in test["rates"] else ""
            say("labels", f"{name}: {rate:.0%} of the training pictures{there}")
        estimates = outcome.estimates(number)
        click.echo("\n" + table(HEADINGS, [row(one) for one in estimates], right=("%", "− none")))
        for remark in dict.fromkeys(one.note for one in estimates if one.note):
            say("note", remark)
    click.echo()
    say("measures", "TAR@1%: true accepts at 1 % false accepts; area under the curve; equal error rate")
    say("intervals", "95 %, test people drawn anew, the same draws for all arms")
    say("chance", "one training of each arm; another --set seed=… moves the numbers, too")
    for claim in claims():
        say("published", f"under its own protocol, {claim.dataset}: {claim.text} ({claim.source})")


def say(title: str, text: str) -> None:
    """A line with a title in the margin, wrapped."""
    margin = " " * 11
    click.echo(textwrap.fill(text, WIDTH, initial_indent=f"{title:<11}", subsequent_indent=margin))


def people(found: dict[str, Any]) -> str:
    """`celeba people-train: 8,177 people, 191,649 pictures`."""
    odd = ", which is not the paper's split" if found["split_matches_paper"] is False else ""
    return f"{found['where']}: {found['people']:,} people, {found['pictures']:,} pictures{odd}"


HEADINGS = ("measure", "arm", "%", "95 %", "− none", "95 % of the difference")
TITLES = {"auc": "AUC", "eer": "EER", "accuracy": "accuracy"}


def row(one: Estimate) -> tuple[str, ...]:
    """In percent; a dash where there is nothing to say."""
    title = f"TAR@{100 * one.far:g}%" if one.far is not None else TITLES[one.measure]
    bounds = f"± {percent(one.spread)}" if one.spread is not None else span(one.low, one.high)
    return (
        title,
        one.arm,
        percent(one.value),
        bounds,
        percent(one.gain, "+"),
        span(one.gain_low, one.gain_high, "+"),
    )


def percent(value: float | None, sign: str = "") -> str:
    return "–" if value is None else f"{100 * value:{sign}.2f}"


def span(low: float | None, high: float | None, sign: str = "") -> str:
    return "" if low is None else f"{percent(low, sign)} to {percent(high, sign)}"


def claims() -> tuple[Claim, ...]:
    """What the paper shows, where this toolkit's sources lie here."""
    from .. import published

    path = Path(__file__).parents[2] / "leaderboards" / "published" / "sagan.toml"
    return published.load(path).claims if path.is_file() else ()
