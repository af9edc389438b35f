"""A split of a data set, decoded, cropped and resized once: uint8 arrays that are mapped into memory.

    PACK/pack.json       what it holds, and sha256 of every part of every array; written last
    PACK/images.npy      (N, 3, S, S)        PACK/labels.npy  (N, A)
    PACK/regions.npy     (N, S, S), where the data set has parts of faces
    PACK/landmarks.npy   (N, 5, 2), where it has five points of each
    PACK/faces.json      id, identity and source hash of each face

The pack has the digest of the files it was made from, so a run over it is the same run as one over the files.
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

from ..contracts import Sample
from ..errors import BadDataset, BadImage
from ..locking import alone
from ..progress import bar, say
from .images import decoder
from .index import Index, folder_given, without_folder
from .pack import check_room, make_folder, zeros
from .photographs import Photographs, Reader, digest_of, files_of, hash_of, read_sample, told
from .workers import over_spans

FORMAT = 1
SPAN = 64  # faces of a part
IMAGES, REGIONS, LABELS, FACES, CARD = "images.npy", "regions.npy", "labels.npy", "faces.json", "pack.json"
LANDMARKS = "landmarks.npy"
JOURNAL, PLAN, FAILURES, NEW = "journal.jsonl", "plan.json", "failures.jsonl", ".new"
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
class _Part:
    """Faces [start, stop), written; hashes of what lies in the arrays, and of the files they came from."""

    start: int
    stop: int
    arrays: dict[str, str]  # file -> sha256 of these rows
    sources: list[str]  # sha256 of each face's files; "" if it is broken
    faults: dict[int, str]  # row -> why it cannot be used


@dataclass(frozen=True)
class _Job:
    """What a worker needs."""

    index: Index
    rows: np.ndarray
    resolution: int
    folder: Path
    remedy: str  # where there is no room


# ---- making -----------------------------------------------------------------------------------------


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


def _finished(job: _Job) -> list[_Part]:
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
        found.append(_Part(**values))
    whole = [part for part in found if not part.faults]
    wrong = {*_wrong_parts(job.folder, whole), *_changed_parts(job, whole)}
    return [part for part in whole if part.start not in wrong]


def _changed_parts(job: _Job, parts: list[_Part]) -> list[int]:
    """Starts of parts of whose files one is another than it was when the part was made."""

    def is_changed(part: _Part) -> bool:
        rows = job.rows[part.start : part.stop].tolist()
        return [hash_of(files_of(job.index, row)) for row in rows] != part.sources

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [part.start for part, odd in zip(parts, pool.map(is_changed, parts), strict=True) if odd]


def _write_rest(job: _Job, done: Mapping[int, _Part], faces: int, workers: int | None) -> Iterator[_Part]:
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


def _write_span(context: tuple[_Job, list[int], int], first: int, last: int) -> list[_Part]:
    """Work on the parts todo[first / SPAN : last / SPAN]."""
    job, todo, faces = context
    return [_write_part(job, start, min(start + SPAN, faces)) for start in todo[first // SPAN : last // SPAN]]


def _write_part(job: _Job, start: int, stop: int) -> _Part:
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
    return _Part(start, stop, arrays, sources, faults)


def _put(path: Path, start: int, values: np.ndarray) -> str:
    """Write rows into an array on disk; sha256 of their bytes, which shows what a power failure lost."""
    np.load(path, mmap_mode="r+")[start : start + len(values)] = values
    return hashlib.sha256(values.data).hexdigest()


def _skipped(parts: list[_Part], ids: list[str], skip_bad: bool, faces: int) -> list[dict[str, Any]]:
    faults = {row: fault for part in parts for row, fault in part.faults.items()}
    if faults and not skip_bad:
        raise BadImage(told([faults[row] for row in sorted(faults)], faces))
    if len(faults) == faces:
        raise BadDataset(f"none of {faces} pictures can be used; the first: {faults[min(faults)]}")
    return [
        {"id": ids[row], "reason": without_folder(faults[row], ids[row]), "row": row}
        for row in sorted(faults)
    ]


def _close_gaps(job: _Job, parts: list[_Part]) -> list[_Part]:
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
        _Part(start, stop, hashes, sources[start:stop], {})
        for hashes, (start, stop) in zip(arrays, spans, strict=True)
    ]


def _seal(
    folder: Path,
    asked: Asked,
    job: _Job,
    parts: list[_Part],
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
        "sha256": {file: _file_hash(temporary / file) for file in described},
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


# ---- using ------------------------------------------------------------------------------------------


class PackedFaces:
    """Faces of a pack (contracts.Samples); arrays stay on disk until they are used.

    `count` counts faces as they were asked for (0: all of them): those that were left out count, too, so
    that the pack gives the same faces as the files without the broken ones.
    """

    def __init__(self, folder: Path, card: Mapping[str, Any], count: int) -> None:
        self.folder, self.card = folder, card
        self.attributes: tuple[str, ...] = tuple(card["attributes"])
        self.decoder = f"packed by {card.get('decoder', 'Pillow')}"
        skipped = [one for one in _failures(folder, card) if one["row"] < count or not count]
        self.left_out: dict[str, str] = {one["id"]: one["reason"] for one in skipped}
        faces = json.loads((folder / FACES).read_text(encoding="utf-8"))
        here = count - len(skipped) if count else card["faces"]
        self.ids: list[str] = faces["ids"][:here]
        self.identities: list[str] | None = faces["identities"] and faces["identities"][:here]
        self.sources: list[str] = faces["sources"][:here]
        self.images = _mapped(folder / IMAGES)[:here]  # (N, 3, S, S) uint8
        self.labels = np.load(folder / LABELS)[:here]  # (N, A) uint8
        has_regions = (folder / REGIONS).exists()
        self.regions = _mapped(folder / REGIONS)[:here] if has_regions else None  # (N, S, S)
        points = folder / LANDMARKS
        self.landmarks = np.load(points)[:here] if points.exists() else None  # (N, 5, 2) float32

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Sample:
        return Sample(
            self.ids[index],
            self.images[index],
            self.labels[index],
            identity=None if self.identities is None else self.identities[index],
            regions=None if self.regions is None else self.regions[index],
            landmarks=None if self.landmarks is None else self.landmarks[index],
        )

    def digest(self) -> str:
        """That of the files it was made from; the pack's own bytes are checked against its card first."""
        verify(self.folder, self.card)
        return digest_of(self.card["rule"], self.ids, self.labels, self.sources)

    def broken(self, workers: int | None = None) -> dict[str, str]:
        """None: what was broken is in `left_out` already."""
        return {}

    def without(self, left_out: Mapping[str, str]) -> PackedFaces:
        """The same; a pack leaves out what was broken when it was made, and nothing else."""
        assert set(left_out) <= set(self.left_out), "other faces than those that the pack leaves out"
        return self


def _failures(folder: Path, card: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Id, reason and row of the faces that were left out."""
    if not card["skipped"]:
        return []
    lines = [json.loads(line) for line in (folder / FAILURES).read_text(encoding="utf-8").splitlines()]
    if len(lines) != card["skipped"] or not all("row" in line for line in lines):
        raise BadDataset(f"{folder / FAILURES}: does not name all {card['skipped']} faces; pack again")
    return lines


def _mapped(path: Path) -> np.ndarray:
    """An array that stays on disk; a plain one, since slices of a np.memmap are slow to make."""
    return np.asarray(np.load(path, mmap_mode="r"))


def is_pack(folder: Path) -> bool:
    """Whether `faceedit-bench data pack` made this folder."""
    return (folder / CARD).exists()


def open_pack(folder: Path, name: str, split: str, resolution: int, count: int) -> PackedFaces:
    """A pack, if it holds what is wanted."""
    card = read_card(folder)
    wanted = {"dataset": name, "split": split, "resolution": resolution}
    odd = [f"{key} {card[key]} instead of {value}" for key, value in wanted.items() if card[key] != value]
    if odd:
        raise BadDataset(
            f"{folder}: this pack has {', '.join(odd)}; make another with faceedit-bench data pack"
        )
    asked = card["faces"] + card["skipped"]
    if card["count"] and (count == 0 or count > asked):
        raise BadDataset(
            f"{folder}: this pack has the first {asked} faces of split {split!r}, wanted "
            f"{count or 'all'}; pack them, or ask for fewer with --limit"
        )
    if count > asked:
        raise BadDataset(f"{folder}: wanted {count} faces, found {asked}; ask for fewer with --limit {asked}")
    return PackedFaces(folder, card, count)


def read_card(folder: Path) -> dict[str, Any]:
    """What a pack says of itself."""
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        if card["format"] == FORMAT:
            return dict(card)
        found = f"format {card['format']}"
    except (ValueError, KeyError, TypeError) as error:
        found = repr(error)
    raise BadDataset(
        f"{folder / CARD}: wanted a pack of format {FORMAT}, found {found}; pack again"
    ) from None


def verify(folder: Path, card: Mapping[str, Any]) -> None:
    """Compare every byte of a pack with the hashes on its card."""
    odd = [file for file, sha256 in card["sha256"].items() if _file_hash(folder / file) != sha256]
    parts = [_Part(one["start"], one["stop"], one["arrays"], [], {}) for one in card["parts"]]
    odd += [f"faces from {start} on" for start in _wrong_parts(folder, parts)]
    if odd:
        raise BadDataset(
            f"{folder}: changed since it was packed ({', '.join(odd[:5])}); remove it and pack again"
        )


def _wrong_parts(folder: Path, parts: list[_Part]) -> list[int]:
    """Starts of parts whose rows on disk have other hashes than noted."""
    files = sorted({file for part in parts for file in part.arrays})
    arrays = {file: np.load(folder / file, mmap_mode="r") for file in files}

    def is_wrong(part: _Part) -> bool:
        return any(
            hashlib.sha256(np.ascontiguousarray(arrays[file][part.start : part.stop]).data).hexdigest()
            != sha256
            for file, sha256 in part.arrays.items()
        )

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [part.start for part, wrong in zip(parts, pool.map(is_wrong, parts), strict=True) if wrong]


def _file_hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
