"""Making a pack (see `packed.py`): all faces of a split, decoded, cropped and resized by all cores.

It is made in `.PACK.part` and renamed when whole; a journal there lets packing that was stopped go on, with
what was made of files that are still the same.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadDataset, BadImage
from ..locking import alone
from ..progress import bar, say
from .images import decoder
from .index import Index, folder_given, without_folder
from .pack import check_room, make_folder, zeros
from .packed import (
    CARD,
    FACES,
    FAILURES,
    FORMAT,
    IMAGES,
    LABELS,
    LANDMARKS,
    REGIONS,
    Part,
    file_hash,
    wrong_parts,
)
from .photographs import Photographs, Reader, digest_of, files_of, hash_of, read_sample, told
from .workers import over_spans

SPAN = 64  # faces of a part
JOURNAL, PLAN, NEW = "journal.jsonl", "plan.json", ".new"
CHOOSE = "choose another folder with --to"


@dataclass(frozen=True)
class Asked:
    """What is packed; part of the card, and what a stopped packing must agree with to go on."""

    dataset: str
    split: str
    resolution: int
    count: int  # as asked: 0 is the whole split
    rule: str  # of cropping and resizing
    faces: int  # rows before broken ones are left out
    source: str  # sha256 over ids and labels


@dataclass(frozen=True)
class Packed:
    """What came of packing."""

    folder: Path
    faces: int
    skipped: list[dict[str, Any]]  # id, reason and row: its place among the faces asked for
    digest: str
    bytes: int
    kept: int  # faces that an earlier, stopped packing had done


@dataclass(frozen=True)
class _Job:
    """What a worker needs."""

    index: Index
    rows: np.ndarray
    resolution: int
    folder: Path
    remedy: str  # where there is no room


def pack(
    read: Reader,
    name: str,
    root: Path,
    *,
    split: str,
    resolution: int,
    count: int = 0,
    folder: Path,
    workers: int | None = None,
    skip_bad: bool = False,
) -> Packed:
    """Pack the first `count` faces of a split (0: all) into `folder`, with all cores.

    Stopped packing goes on where it was. Broken pictures end it with an error that names them; with
    `skip_bad` they are left out, and `failures.jsonl` in the pack says which and why.
    """
    if folder.exists():
        raise BadDataset(f"{folder}: there already; {CHOOSE}, or remove it")
    faces = Photographs(read(folder_given(root, name)), split, resolution, count)
    return pack_faces(faces, folder, workers, skip_bad=skip_bad)


def pack_faces(
    faces: Photographs,
    folder: Path,
    workers: int | None = None,
    *,
    skip_bad: bool = False,
    remedy: str = CHOOSE,
) -> Packed:
    """Pack faces of an opened data set; as `pack`. `remedy` is what helps where nothing can be written."""
    index = faces.index
    rows = index.rows(faces.split, faces.count)
    labels = np.ascontiguousarray(index.labels[rows])
    ids = [index.ids[row] for row in rows]
    source = digest_of(index.frame.rule, ids, labels, [""] * len(rows))
    asked = Asked(index.name, faces.split, faces.resolution, faces.count, index.frame.rule, len(rows), source)
    temporary = folder.with_name(f".{folder.name}.part")
    make_folder(folder.parent, remedy)
    with _alone(temporary):
        _same(temporary, asked)
        job = _Job(index, rows, faces.resolution, temporary, remedy)
        with _stays(temporary):
            if folder.exists():
                raise BadDataset(f"{folder}: there already, made by another process; use it, or remove it")
            _prepare(job, asked)
            done = _finished(job)
            parts = {part.start: part for part in done}
            parts |= {part.start: part for part in _write_rest(job, parts, len(rows), workers)}
            ordered = [parts[start] for start in sorted(parts)]
            skipped = _skipped(ordered, ids, skip_bad, len(rows))
            if skipped:
                ordered = _close_gaps(job, ordered)
            kept = sum(part.stop - part.start for part in done)
            return _seal(folder, asked, job, ordered, skipped, kept)


@contextmanager
def _stays(temporary: Path) -> Iterator[None]:
    """However packing ends early, it says where its parts are, or leaves nothing where there are none."""
    try:
        yield
    except BaseException:
        journal = temporary / JOURNAL
        if journal.exists() and journal.stat().st_size:
            say(f"What is packed so far stays in {temporary}: the same command goes on with it.")
        else:
            shutil.rmtree(temporary, ignore_errors=True)
        raise


def _prepare(job: _Job, asked: Asked) -> None:
    """Arrays of the right shape and a journal, unless a stopped packing of the same left them."""
    size, folder = asked.resolution, job.folder
    shapes: dict[str, tuple[int, ...]] = {IMAGES: (asked.faces, 3, size, size)}
    if job.index.masks is not None:
        shapes[REGIONS] = (asked.faces, size, size)
    for file in shapes:
        (folder / f"{file}{NEW}").unlink(missing_ok=True)
    if (folder / PLAN).exists():
        if all(_shape(folder / file) == shape for file, shape in shapes.items()):
            return
        (folder / JOURNAL).unlink(missing_ok=True)  # it stopped while faces were moved up
    check_room(folder.parent, sum(int(np.prod(shape)) for shape in shapes.values()), job.remedy)
    for file, shape in shapes.items():
        zeros(folder / file, shape, job.remedy)
    (folder / PLAN).write_text(json.dumps(asdict(asked)), encoding="utf-8")


def _same(temporary: Path, asked: Asked) -> None:
    """Refuse to go on with another packing than the one that stopped."""
    try:
        before = json.loads((temporary / PLAN).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        (temporary / PLAN).unlink(missing_ok=True)  # it stopped before there was anything to keep
        return
    odd = [
        f"{key} was {before.get(key)}, is {value}"
        for key, value in asdict(asked).items()
        if before.get(key) != value
    ]
    if odd:
        raise BadDataset(
            f"{temporary}: a stopped packing of something else ({'; '.join(odd)}); "
            "remove this folder, or pack to another with --to"
        )


def _shape(path: Path) -> tuple[int, ...]:
    """Of an array on disk; () where there is none that can be read."""
    try:
        return tuple(np.load(path, mmap_mode="r").shape)
    except (OSError, ValueError, EOFError):
        return ()


def _finished(job: _Job) -> list[Part]:
    """Parts of the journal whose rows are on disk as they were written, of files that are as they were; the
    others are done again."""
    journal = job.folder / JOURNAL
    if not journal.exists():
        return []
    found = []
    for line in journal.read_text(encoding="utf-8").splitlines():
        try:
            values = json.loads(line)
        except ValueError:
            continue  # the line that was being written when packing stopped
        values["faults"] = {int(row): fault for row, fault in values["faults"].items()}
        found.append(Part(**values))
    whole = [part for part in found if not part.faults]
    wrong = {*wrong_parts(job.folder, whole), *_changed_parts(job, whole)}
    return [part for part in whole if part.start not in wrong]


def _changed_parts(job: _Job, parts: list[Part]) -> list[int]:
    """Starts of parts of whose files one is another than it was when the part was made."""

    def is_changed(part: Part) -> bool:
        rows = job.rows[part.start : part.stop].tolist()
        return [hash_of(files_of(job.index, row)) for row in rows] != part.sources

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [part.start for part, odd in zip(parts, pool.map(is_changed, parts), strict=True) if odd]


def _write_rest(job: _Job, done: Mapping[int, Part], faces: int, workers: int | None) -> Iterator[Part]:
    """Decode and write what no finished part covers, noting each part in the journal."""
    todo = [start for start in range(0, faces, SPAN) if start not in done]
    with (
        bar(f"packing {job.index.name} at {job.resolution} px", faces) as advance,
        (job.folder / JOURNAL).open("a", encoding="utf-8") as journal,
    ):
        advance(sum(part.stop - part.start for part in done.values()))
        for parts in over_spans(_write_span, (job, todo, faces), len(todo) * SPAN, SPAN, workers):
            for part in parts:
                journal.write(json.dumps(asdict(part)) + "\n")
                journal.flush()
                advance(part.stop - part.start)
                yield part


def _write_span(context: tuple[_Job, list[int], int], first: int, last: int) -> list[Part]:
    """Work on the parts todo[first / SPAN : last / SPAN]."""
    job, todo, faces = context
    return [_write_part(job, start, min(start + SPAN, faces)) for start in todo[first // SPAN : last // SPAN]]


def _write_part(job: _Job, start: int, stop: int) -> Part:
    """Decode faces [start, stop) and put them into the arrays."""
    size = job.resolution
    images = np.zeros((stop - start, 3, size, size), np.uint8)
    regions = np.zeros((stop - start, size, size), np.uint8) if job.index.masks is not None else None
    sources, faults = [], {}
    for place, row in enumerate(job.rows[start:stop].tolist()):
        found = hash_of(files_of(job.index, row))
        try:
            if isinstance(found, BadImage):
                raise found
            sample = read_sample(job.index, row, size)
        except BadImage as error:
            faults[start + place] = str(error)
            sources.append("")
            continue
        images[place] = sample.image
        if regions is not None:
            assert sample.regions is not None, "a data set with masks gives regions"
            regions[place] = sample.regions
        sources.append(found)
    arrays = {IMAGES: _put(job.folder / IMAGES, start, images)}
    if regions is not None:
        arrays[REGIONS] = _put(job.folder / REGIONS, start, regions)
    return Part(start, stop, arrays, sources, faults)


def _put(path: Path, start: int, values: np.ndarray) -> str:
    """Write rows into an array on disk; sha256 of their bytes, which shows what a power failure lost."""
    np.load(path, mmap_mode="r+")[start : start + len(values)] = values
    return hashlib.sha256(values.data).hexdigest()


def _skipped(parts: list[Part], ids: list[str], skip_bad: bool, faces: int) -> list[dict[str, Any]]:
    faults = {row: fault for part in parts for row, fault in part.faults.items()}
    if faults and not skip_bad:
        raise BadImage(told([faults[row] for row in sorted(faults)], faces))
    if len(faults) == faces:
        raise BadDataset(f"none of {faces} pictures can be used; the first: {faults[min(faults)]}")
    return [
        {"id": ids[row], "reason": without_folder(faults[row], ids[row]), "row": row}
        for row in sorted(faults)
    ]


def _close_gaps(job: _Job, parts: list[Part]) -> list[Part]:
    """Move faces up over the broken ones; the parts that follow are described anew."""
    temporary = job.folder
    gone = {row for part in parts for row in part.faults}
    kept = np.array([row for row in range(parts[-1].stop) if row not in gone])
    sources = [source for part in parts for source in part.sources if source]
    spans = [(start, min(start + SPAN, len(kept))) for start in range(0, len(kept), SPAN)]
    arrays: list[dict[str, str]] = [{} for _ in spans]
    for file in parts[0].arrays:
        old = np.load(temporary / file, mmap_mode="r")
        shape = (len(kept), *old.shape[1:])
        new = zeros(temporary / f"{file}{NEW}", shape, job.remedy)
        for hashes, (start, stop) in zip(arrays, spans, strict=True):
            new[start:stop] = old[kept[start:stop]]
            hashes[file] = hashlib.sha256(np.ascontiguousarray(new[start:stop]).data).hexdigest()
    for file in parts[0].arrays:
        os.replace(temporary / f"{file}{NEW}", temporary / file)
    return [
        Part(start, stop, hashes, sources[start:stop], {})
        for hashes, (start, stop) in zip(arrays, spans, strict=True)
    ]


def _seal(
    folder: Path,
    asked: Asked,
    job: _Job,
    parts: list[Part],
    skipped: list[dict[str, Any]],
    kept: int,
) -> Packed:
    """Write what describes the arrays, and put the pack in place."""
    index, temporary = job.index, job.folder
    for file in parts[0].arrays:
        np.load(temporary / file, mmap_mode="r+").flush()
    left_out = {one["id"] for one in skipped}
    rows = [row for row in job.rows.tolist() if index.ids[row] not in left_out]
    sources = [source for part in parts for source in part.sources]
    people = None if index.identities is None else [index.identities[row] for row in rows]
    faces = {"ids": [index.ids[row] for row in rows], "identities": people, "sources": sources}
    (temporary / FACES).write_text(json.dumps(faces), encoding="utf-8")
    labels = np.ascontiguousarray(index.labels[rows])
    np.save(temporary / LABELS, labels)
    described = [FACES, LABELS]
    if index.landmarks is not None:
        np.save(temporary / LANDMARKS, index.frame.cut_points(index.landmarks[rows], job.resolution))
        described.append(LANDMARKS)
    card = {
        "format": FORMAT,
        **asdict(asked),
        "faces": len(rows),
        "attributes": list(index.attributes),
        "decoder": decoder(),
        "skipped": len(skipped),
        "sha256": {file: file_hash(temporary / file) for file in described},
        "parts": [{"start": part.start, "stop": part.stop, "arrays": part.arrays} for part in parts],
    }
    if skipped:
        lines = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in skipped)
        (temporary / FAILURES).write_text(lines, encoding="utf-8")
    (temporary / CARD).write_text(json.dumps(card), encoding="utf-8")
    size = sum(path.stat().st_size for path in temporary.iterdir())
    for scaffold in (JOURNAL, PLAN):
        (temporary / scaffold).unlink()
    temporary.rename(folder)
    digest = digest_of(asked.rule, faces["ids"] or [], labels, sources)
    return Packed(folder, len(rows), skipped, digest, size, kept)


@contextmanager
def _alone(temporary: Path) -> Iterator[None]:
    """Only one process packs into a folder."""

    def busy() -> None:
        raise BadDataset(f"{temporary}: another process is packing here; wait for it")

    temporary.mkdir(exist_ok=True)
    with alone(temporary, busy):
        yield
