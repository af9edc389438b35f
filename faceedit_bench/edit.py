"""The use case behind `faceedit-bench edit`: photographs in, edited photographs and a sheet out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .conflicts import CONFLICTS
from .errors import BadConfig, BrokenPromise, FaceEditError, NoFace, ResultsError, UnknownName, WrongWeights
from .suite import THIRTEEN

if TYPE_CHECKING:
    import numpy as np

    from .contracts import EditBatch, Editor

SHEET = "sheet.png"
EDITED = "edited"


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
    explain: bool = False,
    without_face: Callable[[Path, NoFace], object] | None = None,
) -> list[Path]:
    """Edit every photo, write `<photo>-edited.png` and `sheet.png` into `out`, and return what was written.

    `explain` also writes `<photo>-<name>.png` for whatever the method shows of how it edits. A photo in which
    the method finds no face is told to `without_face` and left out; without that function it is an error.
    Nothing is written before every photo was read once, the method is loaded, and the first photo is edited.
    """
    import torch

    from .data.images import read_image, save_png, write_png
    from .device import choose as choose_device
    from .device import of_pictures
    from .sheet import sheet
    from .weights import build_editor, choose

    files = [Path(photo) for photo in photos]
    places = _places(files, Path(out), [EDITED], overwrite)
    choice = choose(method, preset=preset, weights=weights, options=options)
    attributes = choice.spec.attributes_for(choice.options) or THIRTEEN
    _check(request, choice.spec.name, attributes, choice.spec.needs)
    device = choose_device(device)
    torch.set_flush_denormal(True)  # as runs do: arithmetic on subnormal numbers is many times slower
    for photo in places:
        read_image(photo)
    editor = build_editor(choice, device)
    if explain and not hasattr(editor, "explain"):
        raise BadConfig(f"{method} cannot show how it edits; leave --explain out")
    if explain and (why := getattr(editor, "unexplained", "")):
        raise WrongWeights(why)

    shown = 512 if len(places) <= 4 else 256 if len(places) <= 16 else 128  # pixels per side of a cell
    names: list[str] = []  # of the pictures that there are of every photo
    edited: list[Path] = []
    rows = []
    for photo in places:
        source = _scaled(read_image(photo), request.size)
        batch = _batch(source, request, attributes, device, of_pictures(editor, device))
        try:
            pictures = {EDITED: _edit_one(editor, method, photo.name, request, batch)}
            if explain:
                pictures |= _explain_one(editor, method, photo.name, batch)
        except NoFace as error:
            if without_face is None:
                raise NoFace(error.reason, error.picture or str(photo)) from error
            without_face(photo, error)
            continue
        if not names:  # nothing is written yet
            names = list(pictures)
            places = _places(files, Path(out), names, overwrite)
        if names != list(pictures):
            found = f"{_listed(pictures)} of {photo.name} and {_listed(names)} of the first photo"
            raise BrokenPromise(f"{method}: the same must be shown of every photo; found {found}")
        for name, picture in pictures.items():
            write_png(places[photo][name], picture)
        rows.append([_at_most(picture, shown) for picture in (source, *pictures.values())])
        edited.append(photo)
    columns = ["source", f"{method}: {request.title}", *(name.replace("-", " ") for name in names[1:])]
    if not edited:
        return []
    page = sheet(rows, columns, [photo.name for photo in edited], cell=shown)
    save_png(Path(out) / SHEET, page)
    return [*(places[photo][name] for photo in edited for name in names), Path(out) / SHEET]


def _places(
    photos: Sequence[Path], out: Path, names: Sequence[str], overwrite: bool
) -> dict[Path, dict[str, Path]]:
    """Photo -> name of a picture -> file to write. No two share a file, and nothing is replaced unasked."""
    places: dict[Path, dict[str, Path]] = {}
    taken: dict[Path, Path] = {}
    for photo in photos:
        places[photo] = {name: out / f"{photo.stem}-{name}.png" for name in names}
        for place in places[photo].values():
            if taken.setdefault(place, photo) != photo:
                raise ResultsError(
                    f"{taken[place]} and {photo} would both be written to {place}; edit them one at a time"
                )
    there = [place for place in (*taken, out / SHEET) if place.exists()]
    if there and not overwrite:
        raise ResultsError(f"{there[0]} exists already; give --overwrite, or another folder with --out")
    if out.exists() and not out.is_dir():
        raise ResultsError(f"{out}: wanted a folder to write into, found a file")
    return places


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "nothing"


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


def _edit_one(editor: Editor, method: str, name: str, request: Request, batch: EditBatch) -> np.ndarray:
    """(3, H, W) uint8."""
    from .observe import to_bytes
    from .promise import check_promise

    result = _call(editor.edit, method, name, batch)
    check_promise(result, batch, method=method, edit=request.title, ids=[name])
    return to_bytes(result.cpu())[0].numpy()


def _explain_one(editor: Editor, method: str, name: str, batch: EditBatch) -> dict[str, np.ndarray]:
    """What shows how the method edits, by name: (3, H, W) uint8 each, grey where it has one channel."""
    from .promise import check_explanation

    shows = check_explanation(
        _call(editor.explain, method, name, batch),  # type: ignore[attr-defined]
        batch,
        f"{method}, {name}",
        taken=(EDITED,),
    )
    return {key: picture[0].numpy() for key, picture in shows.items()}


def _call(work: Callable[[EditBatch], Any], method: str, name: str, batch: EditBatch) -> Any:
    """What a plugin makes of a photo; whatever it raises is told with the photo."""
    import torch

    height, width = batch.images.shape[2:]
    try:
        with torch.inference_mode():
            return work(batch)
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


def _batch(
    source: np.ndarray, request: Request, attributes: Sequence[str], device: str, home: str
) -> EditBatch:
    """One photo as a batch, the picture itself on `home`.

    An asked attribute is taken to be the opposite of its target; every other one stays as it is, unless it is
    known to be there and excluded by what is asked.
    """
    import torch

    from .contracts import EditBatch
    from .observe import to_unit

    has, changes = request.has or frozenset(), request.changes
    excluded = {other for name in changes if changes[name] for other in CONFLICTS["stgan"].get(name, ())}
    source_labels = [1 - changes[name] if name in changes else name in has for name in attributes]
    target_labels = [changes.get(name, name in has - excluded) for name in attributes]
    return EditBatch(
        images=to_unit(torch.from_numpy(source.copy())[None]).to(home),
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
