"""Weights files on their way into the user's folder: fetched, added or unpacked; checked, then accepted."""

from __future__ import annotations

import io
import json
import os
import shutil
import tarfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO, Any

from . import __version__, folders, progress
from .catalog import catalog
from .contracts import Pin
from .errors import UnknownName, WrongWeights
from .weights import RECORDED, Context, Wanted, check, of_judge, of_method, recorded, settled, sha256

BLOCK = 1 << 20  # bytes read at a time
PATIENCE = 60  # seconds without a byte before a download is given up
INDEX = "index.json"  # of a pack: the pins of its files
ARRIVING = ".arriving"  # in the user's folder: files that are not accepted yet
HTML = (b"<!doctype html", b"<html")

Say = Callable[[str], None]


def silent(line: str) -> None:
    """Say nothing."""


def wanted() -> Iterator[Wanted]:
    """Every pin of every method and judge."""
    found = catalog()
    for _, method in sorted(found.methods.items()):
        for preset in method.presets:
            yield from of_method(method, preset)
    for _, judge in sorted(found.judges.items()):
        yield of_judge(judge)


def named(names: Sequence[str]) -> list[Wanted]:
    """What the user asked for: names of judges, methods or files, each pin once."""
    every = list(wanted())
    found: dict[Pin, Wanted] = {}
    for name in names:
        matches = [one for one in every if name in (one.pin.file, one.owner.split()[1])]
        if not matches:
            known = {one.pin.file for one in every} | {one.owner.split()[1] for one in every}
            raise UnknownName("judge, method or weights file", name, known)
        found |= {one.pin: one for one in matches}
    return list(found.values())


def state(one: Wanted) -> str:
    """ "verified", "missing", or what is wrong with the file."""
    if one.path is None:
        return "missing"
    try:
        check(one.path, one.pin)
    except WrongWeights as error:
        return str(error)
    return "verified"


# ---- accepting a file -----------------------------------------------------------------------------


def matching(file: Path, name: str = "") -> Wanted:
    """What a file is pinned to: by its hash, else by `name` or its own; WrongWeights where nothing is."""
    if not file.is_file():
        raise WrongWeights(f"{file}: no such file; wanted a weights file")
    every = named([name]) if name else list(wanted())
    found = sha256(file)
    for one in every:
        if one.pin.sha256 == found:
            return one
    for one in every:
        if name or one.pin.file == file.name:
            if one.pin.sha256:
                check(file, one.pin)  # raises, with both hashes
            return one
    raise WrongWeights(
        f"{file}: nothing is pinned to sha256 {found}; `faceedit-bench weights list` shows what is wanted; "
        "a file whose hash nobody publishes is told by its name, or by --as"
    )


def examine(one: Wanted, file: Path, *, replacing: bool = False) -> Pin:
    """The whole pin of a file that may be accepted.

    Where nobody publishes a hash, the judge must be able to load the file, and the hash recorded before, if
    any, must be the same: a judge with other weights is another judge.
    """
    if one.pin.is_whole or one.pin.sha256:
        check(file, one.pin)
        return settled(one.pin, file)
    whole = replace(one.pin, sha256=sha256(file), bytes=file.stat().st_size)
    known = recorded().get(one.pin.file)
    if known and known["sha256"] != whole.sha256 and not replacing:
        raise WrongWeights(
            f"{file}: sha256 {whole.sha256}, but {one.pin.file} was recorded with {known['sha256']}; runs "
            "with the two cannot be compared. Give --replace if you mean it"
        )
    if one.judge is not None:
        one.judge.load(Context("cpu", (whole,), (file,)))
    return whole


def accept(one: Wanted, file: Path, *, replacing: bool = False) -> Pin:
    """Put a copy of `file` into the user's folder after examining it; a hash nobody publishes is recorded."""
    pin = examine(one, file, replacing=replacing)
    place = folders.weights() / one.pin.file
    place.parent.mkdir(parents=True, exist_ok=True)
    if not (place.exists() and place.samefile(file)):
        temporary = place.with_name(f".{place.name}.{os.getpid()}")
        try:
            shutil.copyfile(file, temporary)
            os.replace(temporary, place)
        finally:
            temporary.unlink(missing_ok=True)
    if not (one.pin.is_whole or one.pin.sha256):
        _record(pin)
    return pin


def _record(pin: Pin) -> None:
    place = folders.weights() / RECORDED
    content = {**recorded(), pin.file: {"sha256": pin.sha256, "bytes": pin.bytes}}
    temporary = place.with_name(f".{RECORDED}.{os.getpid()}")
    temporary.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    os.replace(temporary, place)


# ---- fetching -------------------------------------------------------------------------------------


def fetch(
    asked: Sequence[Wanted], *, source: Path | None = None, offline: bool = False, say: Say = silent
) -> list[Pin]:
    """Get files from the folder `source`, or from where they are published unless `offline`.

    What cannot be got is listed at once, before anything is downloaded.
    """
    lacking = [one for one in asked if state(one) != "verified"]
    places = {one.pin: _place(one.pin, source, offline) for one in lacking}
    hopeless = [one for one in lacking if places[one.pin] is None]
    if hopeless:
        lines = [f"  {one.pin.file}: from {one.pin.origin} (licence {one.pin.licence})" for one in hopeless]
        where = f"in {source}" if source else "without a network" if offline else "by an address"
        remedy = "get them there yourself, then: faceedit-bench weights add FILE"
        raise WrongWeights("\n".join([f"{len(lines)} file(s) cannot be had {where}:", *lines, remedy]))
    accepted = []
    for one in lacking:
        place = places[one.pin]
        say(f"{one.pin.file}: licence {one.pin.licence}, from {place}")
        if isinstance(place, Path):
            accepted.append(accept(one, place))
        else:
            accepted.append(_downloaded(one, str(place), say))
        say(f"{folders.weights() / one.pin.file}: sha256 {accepted[-1].sha256}")
    return accepted


def _place(pin: Pin, source: Path | None, offline: bool) -> Path | str | None:
    """The file in the folder, else the address, else nothing."""
    if source is not None and (source / pin.file).is_file():
        return source / pin.file
    return pin.origin if pin.origin.startswith(("https://", "http://")) and not offline else None


def _downloaded(one: Wanted, address: str, say: Say) -> Pin:
    """Download, examine, accept; what is refused is not kept."""
    part = _arriving(one.pin)
    download(address, part, size=one.pin.bytes, say=say)
    try:
        return accept(one, part)
    finally:
        part.unlink()
        _validator(part).unlink(missing_ok=True)


def _arriving(pin: Pin) -> Path:
    """Where a file of that name waits until it is accepted."""
    folder = folders.weights() / ARRIVING
    folder.mkdir(parents=True, exist_ok=True)
    return folder / pin.file


def download(address: str, part: Path, *, size: int = 0, say: Say = silent) -> None:
    """Read `address` into `part`; goes on where an earlier try stopped if the server still has the same file.

    `size` in bytes, 0 where it is not known. A page of HTML, another size, and a full disk are refused before
    anything is written.
    """
    try:
        with urllib.request.urlopen(_request(address, part), timeout=PATIENCE) as response:
            _receive(response, address, part, size, say)
    except urllib.error.HTTPError as error:
        if error.code == 416 and _validator(part).is_file():  # all of it is here, or it became shorter
            _validator(part).unlink()
            return download(address, part, size=size, say=say)
        raise WrongWeights(f"{address}: the server answers {error.code} {error.reason}; {_BY_HAND}") from None
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", error)
        raise WrongWeights(f"{address}: cannot be reached ({reason}); {_BY_HAND}") from None


_BY_HAND = (
    "try again, or get the file on another machine and bring it with `faceedit-bench weights add FILE` or "
    "`weights pack` and `unpack`"
)


def _request(address: str, part: Path) -> urllib.request.Request:
    """For the rest of the file, on condition that it is still the same, or for all of it."""
    headers = {"User-Agent": f"faceedit-bench/{__version__}"}
    validator = _validator(part)
    if part.is_file() and validator.is_file() and part.stat().st_size:
        headers["Range"] = f"bytes={part.stat().st_size}-"
        headers["If-Range"] = validator.read_text(encoding="utf-8")
    return urllib.request.Request(address, headers=headers)


def _validator(part: Path) -> Path:
    """Where it is kept by what the server knows the file again."""
    return part.with_name(f"{part.name}.etag")


def _receive(response: Any, address: str, part: Path, size: int, say: Say) -> None:
    """Write what comes; the connection may break, the file stays for the next try."""
    done = part.stat().st_size if response.status == 206 else 0
    if done and not response.headers.get("Content-Range", "").startswith(f"bytes {done}-"):
        part.unlink()
        raise WrongWeights(f"{address}: the server sent another part than was asked; give the command again")
    length = response.headers.get("Content-Length")
    total = done + int(length) if length else 0
    if size and total and total != size:
        raise WrongWeights(f"{address}: wanted {size} bytes, the server has {total}; {_BY_HAND}")
    free = shutil.disk_usage(part.parent).free
    if (total or size) - done > free:
        raise WrongWeights(f"{part.parent}: wanted {(total or size) - done} bytes of disk, found {free}")
    first = response.read(BLOCK)
    kind = response.headers.get("Content-Type", "")
    if done == 0 and (kind.startswith("text/html") or first[:200].lstrip().lower().startswith(HTML)):
        raise WrongWeights(f"{address}: is a page of HTML, not a weights file; {_BY_HAND}")
    _keep_validator(part, response)
    if done:
        say(f"{address}: going on after {done} of {total} bytes")
    megabytes = max(1, (total or size) // BLOCK)
    with part.open("ab" if done else "wb") as file, progress.bar(f"{part.name}, MB", megabytes) as advance:
        advance(done // BLOCK)
        _copy(first, response, file, advance)
    if part.stat().st_size < (total or size):
        raise WrongWeights(
            f"{address}: broke off after {part.stat().st_size} of {total or size} bytes; the same command "
            "goes on from there"
        )


def _keep_validator(part: Path, response: Any) -> None:
    tag = response.headers.get("ETag") or response.headers.get("Last-Modified")
    if tag and not tag.startswith("W/"):  # a weak tag promises nothing about bytes
        _validator(part).write_text(tag, encoding="utf-8")
    else:
        _validator(part).unlink(missing_ok=True)


def _copy(first: bytes, response: Any, file: IO[bytes], advance: Callable[[int], None]) -> None:
    block = first
    while block:
        file.write(block)
        advance(len(block) // BLOCK)
        try:
            block = response.read(BLOCK)
        except (ConnectionError, TimeoutError):
            return  # told by its size


# ---- packs ----------------------------------------------------------------------------------------


def pack(asked: Sequence[Wanted], out: Path) -> list[Pin]:
    """A tar of files and their pins, for machines without a network. Every file is checked first."""
    present = {one.pin: one for one in asked if one.path is not None}
    if not present:
        raise WrongWeights("nothing to pack: none of these files is here (`faceedit-bench weights list`)")
    for one in present.values():
        assert one.path is not None
        check(one.path, one.pin)
    index = [asdict(settled(one.pin, one.path)) for one in present.values() if one.path]
    temporary = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        with tarfile.open(temporary, "w", dereference=True) as archive:
            _add_text(archive, INDEX, json.dumps(index, indent=1) + "\n")
            for one in present.values():
                archive.add(str(one.path), arcname=one.pin.file, filter=_anonymous)
        os.replace(temporary, out)
    finally:
        temporary.unlink(missing_ok=True)
    return [Pin(**entry) for entry in index]


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Without the name of who packed it."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def _add_text(archive: tarfile.TarFile, name: str, text: str) -> None:
    content = text.encode()
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


def unpack(file: Path, *, say: Say = silent) -> list[Pin]:
    """Accept the files of a pack: each must be what its index and our pins say. Others are passed over."""
    try:
        with tarfile.open(file) as archive:
            index = [Pin(**entry) for entry in json.loads(_read(archive, INDEX))]
            return [pin for entry in index if (pin := _unpacked(archive, entry, say))]
    except (tarfile.TarError, OSError, KeyError, ValueError, TypeError) as error:
        raise WrongWeights(f"{file}: not a pack of weights ({error}); make it with weights pack") from None


def _read(archive: tarfile.TarFile, name: str) -> bytes:
    member = archive.extractfile(name)
    if member is None:
        raise KeyError(f"no {name} in it")
    return member.read()


def _unpacked(archive: tarfile.TarFile, entry: Pin, say: Say) -> Pin | None:
    """One file, written under a temporary name of ours, whatever the archive calls it."""
    one = next((one for one in wanted() if one.pin.file == entry.file), None)
    if one is None:
        say(f"{entry.file}: nothing here is pinned to it, left in the pack")
        return None
    content = archive.extractfile(entry.file)
    if content is None:
        raise KeyError(f"no {entry.file} in it")
    temporary = _arriving(one.pin)
    try:
        with temporary.open("wb") as file:
            shutil.copyfileobj(content, file, BLOCK)
        check(temporary, entry)
        pin = accept(one, temporary)
    finally:
        temporary.unlink(missing_ok=True)
    say(f"{folders.weights() / one.pin.file}: sha256 {pin.sha256}, licence {pin.licence}")
    return pin
