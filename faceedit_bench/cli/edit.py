"""`faceedit-bench edit`: photographs of the user's own."""

from __future__ import annotations

from pathlib import Path

import click

from ..errors import BadConfig, NoFace
from .options import OPTION, method_options
from .output import note


@click.command(
    epilog="Example: faceedit-bench edit me.jpg --method coogan --set Eyeglasses=1 --set Male=0 --out edited"
)
@click.argument("photos", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--method", required=True, help="Name of the method; `faceedit-bench methods` lists them.")
@click.option(
    "--set", "settings", multiple=True, metavar="ATTRIBUTE=0|1", help="What to change; may be repeated."
)
@click.option(
    "--has",
    metavar="A,B,…",
    help="Attributes that the photos show, or none: for methods that are told all of them (StarGAN, AttGAN).",
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder for the edited pictures.")
@click.option("--size", type=int, help="Scale the photo to this shorter side first.  [default: as it is]")
@click.option("--preset", help="Preset of the method.  [default: its first]")
@click.option(
    "--weights", type=click.Path(path_type=Path), help="Weights of your own instead of the preset's."
)
@method_options()
@click.option(
    "--strength",
    type=float,
    default=1.0,
    show_default=True,
    help="How far: 0 not at all, below 0 the other way.",
)
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda or auto.")
@click.option("--overwrite", is_flag=True, help="Replace pictures that exist already.")
@click.option(
    "--explain", is_flag=True, help="Also write what shows how the method edits, such as masks or segments."
)
def edit(
    photos: tuple[Path, ...],
    method: str,
    settings: tuple[str, ...],
    has: str | None,
    out: Path,
    size: int | None,
    preset: str | None,
    weights: Path | None,
    options: tuple[str, ...],
    strength: float,
    device: str,
    overwrite: bool,
    explain: bool,
) -> None:
    """Edit PHOTOS; write <photo>-edited.png for each, at its own resolution, and sheet.png.

    All --set are asked for together. What a photo shows is unknown, so an attribute that you set is taken to
    be the opposite now, and every attribute that you do not set stays as it is. Methods that are told every
    attribute want to know with --has which of the others the photos show.
    """
    from ..config import parse_overrides
    from ..edit import Request, edit_photos

    left_out: list[str] = []
    written = edit_photos(
        photos,
        method=method,
        request=Request(changes=parse_changes(settings), has=parse_has(has), size=size, strength=strength),
        out=out,
        preset=preset,
        weights=weights,
        options=parse_overrides(options, OPTION),
        device=device,
        overwrite=overwrite,
        explain=explain,
        without_face=lambda photo, error: left_out.append(f"{photo}: {error.reason}"),
    )
    for path in written:
        click.echo(path)
    note(f"{len(photos) - len(left_out)} of {len(photos)} photo(s) edited")
    for line in left_out:
        note(f"left out {line}")
    if not written:
        raise NoFace("no photo could be edited; crop them to the face, or choose another method")


def parse_changes(settings: tuple[str, ...]) -> dict[str, int]:
    """`("Eyeglasses=1", "Male=0")` -> {"Eyeglasses": 1, "Male": 0}."""
    changes: dict[str, int] = {}
    for setting in settings:
        name, sign, value = (part.strip() for part in setting.partition("="))
        if not (name and sign and value in ("0", "1")):
            raise BadConfig(
                f"--set {setting!r}: wanted ATTRIBUTE=0 or ATTRIBUTE=1, for example --set Eyeglasses=1"
            )
        if changes.setdefault(name, int(value)) != int(value):
            raise BadConfig(f"--set {name}=0 and {name}=1 contradict each other")
    return changes


def parse_has(text: str | None) -> frozenset[str] | None:
    """`"Male,Young"` -> the names; `"none"` -> no name; None: not said."""
    if text is None:
        return None
    names = frozenset(name.strip() for name in text.split(",") if name.strip())
    return names - {"none"}
