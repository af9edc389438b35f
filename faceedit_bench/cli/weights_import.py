"""`faceedit-bench weights import`: checkpoints of the methods' released code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..catalog import catalog
from ..contracts import THIRTEEN
from .output import as_json, note, print_json

if TYPE_CHECKING:
    from ..importing import Report


@click.command(
    "import",
    epilog="Example: faceedit-bench weights import attgan weights.49.pth --out attgan.safetensors",
)
@click.argument("method")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--layout", help="Which program wrote FILE.  [default: the layout that fits]")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The .safetensors file to write.")
@click.option(
    "--attributes", metavar="A,B,…", help="What FILE was trained for, in its order.  [default: the method's]"
)
@click.option("--overwrite", is_flag=True, help="Replace the output if it exists already.")
@as_json
def import_weights(
    method: str,
    file: Path,
    layout: str | None,
    out: Path,
    attributes: str | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Make weights for METHOD from FILE, a checkpoint of its released code; nothing in FILE is executed.

    FILE is a PyTorch file, a .safetensors file, or an .npz of TensorFlow variables. Layouts and where to get
    such files are in docs/importing-weights.md.
    """
    from ..importing import import_weights

    report = import_weights(
        method,
        file,
        out=out,
        layout=layout,
        attributes=[name.strip() for name in (attributes or "").split(",") if name.strip()],
        overwrite=overwrite,
    )
    if as_json:
        return print_json(report.card)
    _show(report, file, out)
    if report.attributes:
        click.echo(f"next        faceedit-bench {_next(method, report.attributes)} --weights {out}")


def _next(method: str, attributes: Sequence[str]) -> str:
    """The default suite asks for thirteen attributes; weights that know fewer edit photos first."""
    if set(THIRTEEN) <= set(attributes):
        return f"run --method {method}"
    needs = " --has none" if "labels" in catalog().method(method).needs else ""
    return f"edit PHOTO --out edited --method {method}{needs} --set {attributes[-1]}=1"


def _show(report: Report, file: Path, out: Path) -> None:
    click.echo(f"layout      {report.layout}: {report.summary}")
    click.echo(f"options     {' '.join(f'{key}={value}' for key, value in report.told.items())}")
    click.echo(f"attributes  {' '.join(report.attributes) or 'none by themselves'}")
    click.echo(f"tensors     {report.used} used, {len(report.ignored)} ignored{_groups(report.ignored)}")
    click.echo(
        f"weights     {out} ({report.card['bytes'] / 1e6:.1f} MB)\ncard        {out.with_suffix('.json')}"
    )
    for precision, count in report.converted.items():
        note(f"{file}: {count} tensors of {precision} converted to float32")


def _groups(keys: Sequence[str]) -> str:
    """` (D 20, optim_G 90)`: what was ignored, by the first part of its name."""
    groups = Counter(key.replace("/", ".").split(".")[0] for key in keys)
    return f" ({', '.join(f'{name} {count}' for name, count in groups.items())})" if groups else ""
