"""`faceedit-bench train-judge`: train a judge, for drawn faces or for photographs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import ResultsError

if TYPE_CHECKING:
    from ..judges.pictures import Artist

NAMES = ("attributes-demo", "identity-demo", "swav-demo", "classes-demo")


@click.command("train-judge")
@click.argument("name", type=click.Choice([*NAMES, "attributes"]))
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("judges"), show_default=True, help="Folder."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Start of everything random.")
@click.option("--device", default="cpu", show_default=True)
@click.option(
    "--threads", type=click.IntRange(min=1), default=1, show_default=True, help="Threads on the CPU."
)
@click.option("--steps", type=click.IntRange(min=1), help="Demo judges: training steps.")
@click.option(
    "--minutes", type=click.FloatRange(min=0, min_open=True), help="Demo judges: train no longer than this."
)
@click.option("--people", type=click.IntRange(min=130), help="Demo judges: identities, six pictures each.")
@click.option("--drawn", type=click.Path(path_type=Path), help="Demo judges: folder that keeps drawn faces.")
@click.option(
    "--data", multiple=True, metavar="NAME", help="attributes: data set; repeat for other crops of it."
)
@click.option("--root", type=click.Path(path_type=Path), help="attributes: folder of the data set.")
@click.option("--backbone", help="attributes: network of timm.  [default: resnet50]")
@click.option(
    "--backbone-weights", type=click.Path(path_type=Path), help="attributes: file of ImageNet weights for it."
)
@click.option("--epochs", type=click.FloatRange(min=0, min_open=True), help="attributes.  [default: 12]")
@click.option("--batch", type=click.IntRange(min=2), help="attributes: faces per step.  [default: 256]")
@click.option("--workers", type=click.IntRange(min=0), help="attributes: processes that read pictures.")
@click.option(
    "--leave-out",
    type=click.Path(path_type=Path),
    help="attributes: file of ids not to train on, one a line.",
)
@click.option(
    "--leave-out-hq",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="MAPPING",
    help="attributes: CelebA-HQ-to-CelebA-mapping.txt; no originals of HQ test faces.",
)
@click.option(
    "--leave-out-people",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="IDENTITIES",
    help="attributes: identity_CelebA.txt; nor others of the same people.",
)
@click.option(
    "--second",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="attributes: a judge with another backbone, to compare decisions.",
)
@click.option("--limit", type=click.IntRange(min=2), help="attributes: only so many faces of each split.")
def train_judge(name: str, out: Path, seed: int, device: str, threads: int, **options: Any) -> None:
    """Train the judge NAME, measure it on test faces, write weights and card.

    Demo judges learn from drawn train faces; the shipped ones were made by these commands, and
    `classes-pool-demo` is `classes-demo`, asked a layer earlier. `attributes` is the judge of photographs: it
    learns from a data set of yours, is held against its gates, and is used after `weights add`. Ended at any
    time, the same command goes on after the last whole epoch; finished, it only measures again.

    \b
    Examples:
      faceedit-bench train-judge attributes-demo --out judges
      faceedit-bench train-judge attributes --data celeba --data celeba-170 \\
        --root ~/celeba --leave-out-hq CelebA-HQ-to-CelebA-mapping.txt \\
        --second judges/attributes-convnext_tiny.safetensors --device cuda
    """
    import torch

    torch.set_num_threads(threads)
    _refuse_strange(name, options)
    make = _photographs if name == "attributes" else _demo
    try:
        card = make(name, out, seed, device, options)
    except OSError as error:
        raise ResultsError(
            f"{out}: cannot write the judge ({error.strerror}); choose another --out"
        ) from None
    click.echo(_told(name, card["gates"]))
    click.echo(f"\n{out / card['file']}  {card['bytes'] / 1e6:.2f} MB  sha256 {card['sha256']}")
    if name == "attributes":
        click.echo(f"next: faceedit-bench weights add {out / card['file']}")
        click.echo(f"{out / card['judge']}.training is kept to measure again; else delete it")


DEMO = ("steps", "minutes", "people", "drawn")  # options of demo judges; the others are those of `attributes`


def _refuse_strange(name: str, options: dict[str, Any]) -> None:
    """An option that the judge does not have is an error, not a silence."""
    demo = name != "attributes"
    strange = [key for key, value in options.items() if value not in (None, ()) and (key in DEMO) != demo]
    if strange:
        listed = ", ".join(f"--{key.replace('_', '-')}" for key in strange)
        raise click.UsageError(f"{name} does not take {listed}")
    if not demo and not options["data"]:
        raise click.UsageError("attributes wants --data NAME, a data set with labels (faceedit-bench data)")


def _demo(name: str, out: Path, seed: int, device: str, options: dict[str, Any]) -> dict[str, Any]:
    import dataclasses

    from ..judges.recipe import RECIPES, make

    asked = {"seed": seed, "device": device, **{key: options[key] for key in ("steps", "minutes", "people")}}
    settings = dataclasses.replace(
        RECIPES[name].settings, **{key: value for key, value in asked.items() if value is not None}
    )
    say = lambda line: click.echo(line, err=True)  # noqa: E731
    return make(name, _artist(), settings, out, cache=options["drawn"], say=say)


def _photographs(name: str, out: Path, seed: int, device: str, options: dict[str, Any]) -> dict[str, Any]:
    from ..judges.attribute_training import Settings
    from .train_attributes import Data, train_attributes

    chosen = {key: options[key] for key in ("backbone", "epochs", "batch", "workers")}
    settings = Settings(
        seed=seed, device=device, **{key: value for key, value in chosen.items() if value is not None}
    )
    data = Data(
        options["data"],
        options["root"],
        limit=options["limit"] or 0,
        left_out=options["leave_out"],
        left_out_hq=options["leave_out_hq"],
        left_out_people=options["leave_out_people"],
    )
    return train_attributes(data, settings, options["backbone_weights"], options["second"], out)


def _artist() -> Artist:
    """The renderer, named by the digest of its sources."""
    import hashlib

    from ..data import drawn
    from ..judges.pictures import Artist

    sources = sorted(Path(str(drawn.__file__)).parent.glob("*.py"))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    return Artist(draw=drawn.draw, labels=drawn.labels, digest=digest)


def _told(name: str, gates: dict[str, Any]) -> str:
    from .train_attributes import as_text

    return as_text(gates) if name == "attributes" else "\n".join(_lines(gates))


def _lines(gates: dict[str, Any], indent: str = "") -> list[str]:
    """Figures one below the other, names of groups above theirs."""
    lines = []
    for name, value in gates.items():
        if isinstance(value, dict):
            lines += [f"{indent}{name}", *_lines(value, indent + "  ")]
        else:
            lines.append(f"{indent}{name:<26} {'–' if value is None else value}")
    return lines
