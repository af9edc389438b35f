"""`faceedit-bench train-judge`: train one of the demo judges on drawn faces."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import ResultsError

if TYPE_CHECKING:
    from ..judges.pictures import Artist

NAMES = ("attributes-demo", "identity-demo", "swav-demo", "classes-demo")


@click.command("train-judge")
@click.argument("name", type=click.Choice(NAMES))
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("judges"), show_default=True, help="Folder."
)
@click.option("--steps", type=click.IntRange(min=1), help="Training steps.  [default: the judge's own]")
@click.option("--minutes", type=click.FloatRange(min=0, min_open=True), help="Train no longer than this.")
@click.option("--seed", type=int, default=0, show_default=True, help="Start of everything random.")
@click.option("--people", type=click.IntRange(min=130), help="Train identities, six pictures each.")
@click.option("--device", default="cpu", show_default=True)
@click.option(
    "--threads", type=click.IntRange(min=1), default=1, show_default=True, help="Threads on the CPU."
)
@click.option(
    "--cache", type=click.Path(path_type=Path), help="Folder that keeps drawn faces for the next judge."
)
def train_judge(
    name: str,
    out: Path,
    steps: int | None,
    minutes: float | None,
    seed: int,
    people: int | None,
    device: str,
    threads: int,
    cache: Path | None,
) -> None:
    """Train the demo judge NAME on drawn train faces, measure it on test faces, write weights and card.

    The shipped judges were made by these commands; `classes-pool-demo` is `classes-demo`,
    asked a layer earlier.

    \b
    Example:
      faceedit-bench train-judge attributes-demo --out judges
    """
    import dataclasses

    import torch

    from ..judges.recipe import RECIPES, make

    torch.set_num_threads(threads)
    asked: dict[str, Any] = {
        "steps": steps,
        "minutes": minutes,
        "people": people,
        "seed": seed,
        "device": device,
    }
    settings = dataclasses.replace(
        RECIPES[name].settings, **{k: v for k, v in asked.items() if v is not None}
    )
    try:
        card = make(name, _artist(), settings, out, cache=cache, say=lambda line: click.echo(line, err=True))
    except OSError as error:
        raise ResultsError(
            f"{out}: cannot write the judge ({error.strerror}); choose another --out"
        ) from None
    click.echo("\n".join(_lines(card["gates"])))
    click.echo(f"\n{out / card['file']}  {card['bytes'] / 1e6:.2f} MB  sha256 {card['sha256']}")


def _artist() -> Artist:
    """The renderer, named by the digest of its sources."""
    import hashlib

    from ..data import drawn
    from ..judges.pictures import Artist

    sources = sorted(Path(str(drawn.__file__)).parent.glob("*.py"))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    return Artist(draw=drawn.draw, labels=drawn.labels, digest=digest)


def _lines(gates: dict[str, Any], indent: str = "") -> list[str]:
    """Figures one below the other, names of groups above theirs."""
    lines = []
    for name, value in gates.items():
        if isinstance(value, dict):
            lines += [f"{indent}{name}", *_lines(value, indent + "  ")]
        else:
            lines.append(f"{indent}{name:<26} {value}")
    return lines
