"""How the faces of a run or a training are read: decoded every time, or once and kept; pixels are the same.

    device   decoded once, and the whole split lies in the device's memory
    host     decoded once, and kept in the memory of each process
    pack     decoded once into a pack (faceedit_bench.data.packed), which stays in the cache folder
    none     decoded each time; what is packed is read where it lies

Pictures that cannot be read end a run before it begins, or are left out and named.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .. import folders
from ..contracts import Sample, Samples
from ..errors import BadConfig, BadDataset, BadImage, UnknownName
from ..folders import CACHES
from .pack import MOVE_CACHE
from .packed import open_pack
from .packing import pack_faces
from .photographs import Photographs, told

SHARE = 0.5  # of the free memory: faces may take so much
MIB = 2**20
Free = Callable[[str], int | None]  # device -> bytes; None where nobody tells


@dataclass(frozen=True)
class Reading:
    """What was decided; small, and travels to workers."""

    cache: str = "none"
    asked: str = "none"
    why: str = ""  # where the toolkit chose
    decoder: str = ""
    left_out: tuple[tuple[str, str], ...] = ()  # id, reason: pictures that cannot be read

    def entry(self) -> dict[str, str]:
        """For the manifest's provenance: it decides no number."""
        told = {"cache": self.cache, "asked": self.asked, "why": self.why, "decoder": self.decoder}
        return {key: value for key, value in told.items() if value}


AS_THEY_LIE = Reading()


# ---- deciding -------------------------------------------------------------------------------------


def usable(samples: Samples, name: str, *, skip_bad: bool, workers: int | None = None) -> Samples:
    """The faces to take: all, or with `skip_bad` those whose pictures can be read; their `left_out` names the
    others."""
    gone = getattr(samples, "left_out", {})
    if not skip_bad:
        if gone:
            raise BadImage(
                f"this pack was made without {len(gone)} broken pictures; use the others with --skip-bad, or "
                f"pack again when they are mended:\n  {told_of(gone)}"
            )
        return samples
    if not (hasattr(samples, "broken") and hasattr(samples, "without")):
        raise BadConfig(
            f"--skip-bad: data set {name!r} has no picture files of which some could be left out; give the "
            "command without it"
        )
    sound: Samples = samples.without(samples.broken(workers))
    return sound


def plan(
    samples: Samples, asked: str, free: Free, *, face_bytes: int, device: str = "cpu", workers: int = 1
) -> Reading:
    """The way that was asked for, or the quickest that there is room for; an error where there is none.

    Args:
        free: bytes that can still be taken on a device.
        face_bytes: that a face takes once it is decoded.
        workers: processes that read, each of which keeps its own.
    """
    if asked not in CACHES:
        raise UnknownName("--cache", asked, CACHES)
    size = face_bytes * len(samples)
    kept = Reading(asked, asked, "", decoder_of(samples), tuple(getattr(samples, "left_out", {}).items()))
    if asked == "auto":
        cache, why = _quickest(samples, size, free, device, workers)
        return dataclasses.replace(kept, cache=cache, why=why)
    for place in _places(samples, asked, device):
        if not _fits(size * workers, free(place)):
            of = f" in {workers} processes" if workers > 1 else ""
            remedy = "take --cache pack" + (", or fewer --workers" if workers > 1 else "")
            raise BadConfig(_no_room(f"--cache {asked}{of}", size * workers, free(place), place, remedy))
    if asked == "pack" and not (is_packed(samples) or isinstance(samples, Photographs)):
        raise BadConfig("--cache pack: this data set cannot be packed; take --cache host")
    return kept


def _places(samples: Samples, cache: str, device: str) -> tuple[str, ...]:
    """Where faces take room; those on a device are in memory, too, for metrics, unless they are packed."""
    kept = {"device": (device,) if is_packed(samples) else (device, "cpu"), "host": ("cpu",)}
    return kept.get(cache, ())


def _quickest(samples: Samples, size: int, free: Free, device: str, workers: int) -> tuple[str, str]:
    """What `auto` takes, and why."""
    if device != "cpu" and all(
        _fits(size * workers, free(place)) for place in _places(samples, "device", device)
    ):
        return "device", "the device has room for all faces"
    if is_packed(samples):
        return "pack", "the faces are packed already"
    if _fits(size * workers, free("cpu")):
        return "host", "there is memory for all faces"
    return "none", _no_room("host", size * workers, free("cpu"), "cpu", "--cache pack reads them quicker")


def _fits(size: int, free: int | None) -> bool:
    return free is None or size <= SHARE * free


def _no_room(what: str, size: int, free: int | None, device: str, remedy: str) -> str:
    return (
        f"{what}: the faces take {size / MIB:,.0f} MiB, and of {(free or 0) / MIB:,.0f} MiB that are free on "
        f"{device} they may take {SHARE:.0%}; {remedy}"
    )


def is_packed(samples: Samples) -> bool:
    """Whether the faces are arrays already."""
    return isinstance(getattr(samples, "images", None), np.ndarray)


def decoder_of(samples: Samples) -> str:
    """What made pixels of the files; "" where the data set does not say, or has none."""
    return str(getattr(samples, "decoder", ""))


def told_of(left_out: dict[str, str]) -> str:
    """Pictures left out, the first few by name."""
    from .index import first_named

    return first_named([f"{face}: {reason}" for face, reason in left_out.items()])


def listed(samples: Samples, error: BadImage) -> BadImage:
    """The same error naming every picture that cannot be read, where the data set can tell."""
    faces = getattr(samples, "samples", samples)  # without the suite's order of columns
    broken: dict[str, str] = faces.broken() if hasattr(faces, "broken") else {}
    if not broken:
        return error
    return BadImage(told([f"{face}: {why}" for face, why in broken.items()], len(samples)))


# ---- doing ----------------------------------------------------------------------------------------


def applied(samples: Samples, reading: Reading, recent: int = 0) -> Samples:
    """Faces of a data set as they were decided to be read; the `recent` ones are kept in any case."""
    if reading.left_out:
        samples = samples.without(dict(reading.left_out))  # type: ignore[attr-defined]
    if reading.cache == "host" or (reading.cache == "device" and not is_packed(samples)):
        return InMemory(samples, len(samples))
    return InMemory(samples, recent) if recent and not is_packed(samples) else samples


def packed(samples: Samples, workers: int | None = None) -> tuple[Samples, Path | None]:
    """The same faces from a pack in the cache folder, made now if it is not there, and that folder; None for
    faces that are packed already."""
    if not isinstance(samples, Photographs):
        return samples, None
    digest = samples.digest()
    index = samples.index
    name = f"{index.name}-{samples.split}-{samples.resolution}px-{digest[:16]}"
    folder = folders.cache() / "packs" / name
    if not folder.exists():
        skip = bool(samples.left_out)
        pack_faces(samples, folder, workers, skip_bad=skip, remedy=MOVE_CACHE)
    found = open_pack(folder, index.name, samples.split, samples.resolution, samples.count)
    if found.digest() != digest:
        raise BadDataset(f"{folder}: holds other faces than the files; remove it and give the command again")
    return found, folder


class InMemory:
    """Faces that are kept once they were read: the latest `most` (contracts.Samples)."""

    def __init__(self, samples: Samples, most: int) -> None:
        self.samples, self.attributes, self.most = samples, samples.attributes, most
        self.faces: dict[int, Sample] = {}
        self.lock = threading.Lock()
        if hasattr(samples, "truth"):
            self.truth = samples.truth
        if hasattr(samples, "ids"):
            self.ids = samples.ids

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Sample:
        face = self.faces.get(index)
        if face is None:
            face = _owned(self.samples[index])
            with self.lock:
                self.faces[index] = face
                while len(self.faces) > self.most:
                    self.faces.pop(next(iter(self.faces)))
        return face

    def digest(self) -> str:
        return self.samples.digest()


def _owned(face: Sample) -> Sample:
    """The same with arrays of its own, which lie in no file."""
    regions = None if face.regions is None else np.array(face.regions)
    return dataclasses.replace(
        face, image=np.array(face.image), labels=np.array(face.labels), regions=regions
    )
