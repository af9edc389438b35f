"""The use case behind `faceedit-bench edit`: photographs in, edited photographs and a sheet out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .conflicts import CONFLICTS
from .errors import BadConfig, BrokenPromise, FaceEditError, ResultsError, UnknownName
from .suite import THIRTEEN

if TYPE_CHECKING:
    import numpy as np

    from .contracts import EditBatch, Editor

SHEET = "sheet.png"


@dataclass(frozen=True)
class Request:
    """What is asked of every photo."""

    changes: Mapping[str, int]  # attribute -> 1 switched on, 0 switched off
    has: frozenset[str] | None = None  # attributes that the photos show; None: unknown
    size: int | None = None  # pixels of the shorter side; None keeps the photo's own resolution
    strength: float = 1.0  # 1 as the method is meant to be used
    seed: int = 2020

    @property
    def title(self) -> str:
        """`Eyeglasses=1 Male=0`."""
        return " ".join(f"{name}={value}" for name, value in self.changes.items())


def edit_photos(
    photos: Sequence[str | Path],
    *,
    method: str,
    request: Request,
    out: str | Path,
    preset: str | None = None,
    weights: str | Path | None = None,
    options: Mapping[str, Any] | None = None,
    device: str = "cpu",
    overwrite: bool = False,
) -> list[Path]:
    """Edit every photo, write `<photo>-edited.png` and `sheet.png` into `out`, and return what was written.

    Nothing is written before every photo was read once and the method is loaded.
    """
    from .data.images import read_image, save_png, write_png
    from .device import choose as choose_device
    from .sheet import sheet
    from .weights import build_editor, choose

    places = _places([Path(photo) for photo in photos], Path(out), overwrite)
    choice = choose(method, preset=preset, weights=weights, options=options)
    attributes = choice.spec.attributes_for(choice.options) or THIRTEEN
    _check(request, choice.spec.name, attributes, choice.spec.needs)
    device = choose_device(device)
    for photo in places:
        read_image(photo)
    editor = build_editor(choice, device)

    shown = 512 if len(places) <= 4 else 256 if len(places) <= 16 else 128  # pixels per side of a cell
    rows = []
    for photo, place in places.items():
        source = _scaled(read_image(photo), request.size)
        edited = _edit_one(editor, method, photo.name, source, request, attributes, device)
        write_png(place, edited)
        rows.append([_at_most(source, shown), _at_most(edited, shown)])
    page = sheet(rows, ["source", f"{method}: {request.title}"], [photo.name for photo in places], cell=shown)
    save_png(Path(out) / SHEET, page)
    return [*places.values(), Path(out) / SHEET]


def _places(photos: Sequence[Path], out: Path, overwrite: bool) -> dict[Path, Path]:
    """Photo -> file to write. Two photos never share a file, and nothing is replaced unasked."""
    places: dict[Path, Path] = {}
    taken: dict[Path, Path] = {}
    for photo in photos:
        place = out / f"{photo.stem}-edited.png"
        if place in taken and taken[place] != photo:
            raise ResultsError(
                f"{taken[place]} and {photo} would both be written to {place}; edit them one at a time"
            )
        places[photo], taken[place] = place, photo
    there = [place for place in (*places.values(), out / SHEET) if place.exists()]
    if there and not overwrite:
        raise ResultsError(f"{there[0]} exists already; give --overwrite, or another folder with --out")
    if out.exists() and not out.is_dir():
        raise ResultsError(f"{out}: wanted a folder to write into, found a file")
    return places


def _check(request: Request, method: str, attributes: Sequence[str], needs: Sequence[str]) -> None:
    if "truth" in needs:
        raise BadConfig(
            f"{method} needs the exact counterfactual, which only drawn faces have; choose another method"
        )
    if not request.changes:
        raise BadConfig("nothing asked; give at least one --set, for example --set Eyeglasses=1")
    if request.size is not None and request.size < 1:
        raise BadConfig(f"--size wants at least 1 pixel, found {request.size}")
    for name in (*request.changes, *(request.has or ())):
        if name not in attributes:
            raise UnknownName(f"attribute for {method}", name, attributes)
    if "labels" in needs and request.has is None:
        raise BadConfig(
            f"{method} is told every attribute, so it has to know what the photo shows beside what changes; "
            f"give --has with those of {', '.join(attributes)} that it has, for example --has Male,Young "
            "(--has none if it has none)"
        )


def _edit_one(
    editor: Editor,
    method: str,
    name: str,
    source: np.ndarray,
    request: Request,
    attributes: Sequence[str],
    device: str,
) -> np.ndarray:
    """(3, H, W) uint8 -> (3, H, W) uint8."""
    import torch

    from .evaluate import check_promise
    from .observe import to_bytes

    batch = _batch(source, request, attributes, device)
    height, width = source.shape[1:]
    try:
        with torch.inference_mode():
            result = editor.edit(batch)
    except FaceEditError:
        raise
    except torch.OutOfMemoryError as error:
        raise BadConfig(
            f"{name}: {width}×{height} px do not fit into memory ({error}); try --size 512"
        ) from error
    except Exception as error:  # whatever a plugin may raise; --debug shows where
        raise BrokenPromise(
            f"{method} failed on {name}, {width}×{height} px: {type(error).__name__}: {error}; try --size 256"
        ) from error
    check_promise(result, batch, method=method, edit=request.title, ids=[name])
    return to_bytes(result.cpu())[0].numpy()


def _batch(source: np.ndarray, request: Request, attributes: Sequence[str], device: str) -> EditBatch:
    """One photo as a batch. An asked attribute is taken to be the opposite of its target; every other one
    stays as it is, unless it is known to be there and excluded by what is asked."""
    import torch

    from .contracts import EditBatch
    from .observe import to_unit

    has, changes = request.has or frozenset(), request.changes
    excluded = {other for name in changes if changes[name] for other in CONFLICTS["stgan"].get(name, ())}
    source_labels = [1 - changes[name] if name in changes else name in has for name in attributes]
    target_labels = [changes.get(name, name in has - excluded) for name in attributes]
    return EditBatch(
        images=to_unit(torch.from_numpy(source.copy())[None]).to(device),
        source=torch.tensor([source_labels], dtype=torch.float32, device=device),  # (1, A)
        target=torch.tensor([target_labels], dtype=torch.float32, device=device),
        edited=torch.tensor([[name in changes for name in attributes]], device=device),
        strength=torch.full((1,), float(request.strength), device=device),
        seeds=torch.tensor([request.seed * 1_000_003], device=device),
        attributes=tuple(attributes),
    )


def _scaled(picture: np.ndarray, size: int | None) -> np.ndarray:
    """(3, H, W) uint8 with a shorter side of `size` pixels, its shape kept."""
    if size is None or size == min(picture.shape[1:]):
        return picture
    scale = size / min(picture.shape[1:])
    return _resized(picture, scale)


def _at_most(picture: np.ndarray, side: int) -> np.ndarray:
    """Small enough to keep many for the sheet."""
    scale = side / max(picture.shape[1:])
    return picture if scale >= 1 else _resized(picture, scale)


def _resized(picture: np.ndarray, scale: float) -> np.ndarray:
    import numpy as np
    from PIL import Image

    _, height, width = picture.shape
    size = max(1, round(width * scale)), max(1, round(height * scale))
    image = Image.fromarray(np.ascontiguousarray(picture.transpose(1, 2, 0)))
    return np.asarray(image.resize(size, Image.Resampling.BICUBIC)).transpose(2, 0, 1)
