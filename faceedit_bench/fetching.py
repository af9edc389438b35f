"""Weights files on their way into the user's folder: fetched, added or unpacked; checked, then accepted."""

from __future__ import annotations

import io
import json
import os
import shutil
import tarfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import TypeVar

from . import folders
from .catalog import catalog
from .contracts import Pin
from .downloading import BLOCK, Say, download, silent, validator
from .errors import UnknownName, WrongWeights
from .locking import alone
from .weights import RECORDED, Context, Wanted, check, of_judge, of_method, own, recorded, settled, sha256

INDEX = "index.json"  # of a pack: the pins of its files
ARRIVING = ".arriving"  # in the user's folder: files that are not accepted yet

Asked = TypeVar("Asked")
Got = TypeVar("Got")


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
            raise UnknownName(
                "judge, method or weights file", name, known, listed_by="faceedit-bench weights list"
            )
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


def each(
    asked: Collection[Asked], take: Callable[[Asked], Got], failed: str = "could not be had"
) -> list[Got]:
    """`take` each; one that fails keeps no other waiting, and all that failed are told at the end."""
    taken, reasons = [], []
    for one in asked:
        try:
            taken.append(take(one))
        except WrongWeights as error:
            if len(asked) == 1:
                raise
            reasons.append(f"  {error}")
    if reasons:
        raise WrongWeights("\n".join([f"{len(reasons)} of {len(asked)} files {failed}:", *reasons]))
    return taken


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


def accept(one: Wanted, file: Path, *, replacing: bool = False, moving: bool = False) -> Pin:
    """Put `file`, or a copy, into the user's folder once examined; a hash nobody publishes is recorded."""
    pin = examine(one, file, replacing=replacing)
    place = own(one.pin)
    with _writing():
        folders.make(place.parent)
        if moving:
            os.replace(file, place)
        elif not (place.exists() and place.samefile(file)):
            with folders.whole(place) as fresh:
                shutil.copyfile(file, fresh)
        if not (one.pin.is_whole or one.pin.sha256):
            content = {**recorded(), pin.file: {"sha256": pin.sha256, "bytes": pin.bytes}}
            text = json.dumps(content, indent=1, sort_keys=True) + "\n"
            folders.write(folders.weights() / RECORDED, text.encode())
        _bring_card(file, place, pin)
    return pin


def _bring_card(file: Path, place: Path, pin: Pin) -> None:
    """What training measured lies beside the weights, in a card that names their hash; it comes along."""
    card, beside = file.with_suffix(".json"), place.with_suffix(".json")
    with suppress(WrongWeights):  # some other JSON
        told = Pin.from_card(card)
        if told is not None and told.sha256 == pin.sha256 and card.resolve() != beside.resolve():
            folders.write(beside, card.read_bytes())


@contextmanager
def _writing() -> Iterator[None]:
    """A full disk and a folder that cannot be written are the user's to mend."""
    try:
        yield
    except OSError as error:
        raise WrongWeights(
            f"{folders.weights()}: cannot be written ({error}); make room or mend it, or choose another "
            "folder with FACEEDIT_WEIGHTS"
        ) from None


@contextmanager
def _alone(say: Say) -> Iterator[None]:
    """One process at a time brings files into the user's folder; others wait."""
    with _writing():
        folders.make(folders.weights() / ARRIVING)
    busy = f"{folders.weights()}: another command is fetching into it; waiting for it"
    with alone(folders.weights() / ARRIVING, lambda: say(busy)):
        yield


# ---- fetching -------------------------------------------------------------------------------------


def fetch(
    asked: Sequence[Wanted], *, source: Path | None = None, offline: bool = False, say: Say = silent
) -> list[Pin]:
    """Get files from the folder `source`, or from where they are published unless `offline`.

    One that cannot be had does not keep the others waiting; all such are told at the end.
    """
    lacking = {one.pin: one for one in asked if state(one) != "verified"}
    if not lacking:
        return []
    with _alone(say):
        return each(lacking.values(), lambda one: _fetched(one, source, offline, say))


def _fetched(one: Wanted, source: Path | None, offline: bool, say: Say) -> Pin:
    """From the folder, else from its address, unless another command has just brought it."""
    one = replace(one, path=own(one.pin) if own(one.pin).is_file() else None)
    if one.path is not None and state(one) == "verified":
        return settled(one.pin, one.path)
    place = _place(one.pin, source, offline)
    if place is None:
        where = f"in {source}" if source else "without a network" if offline else "by an address"
        raise WrongWeights(
            f"{one.pin.file}: cannot be had {where}, but from {one.pin.origin} (licence {one.pin.licence}); "
            "get it there yourself, then: faceedit-bench weights add FILE"
        )
    say(f"{one.pin.file}: licence {one.pin.licence}, from {place}")
    pin = accept(one, place) if isinstance(place, Path) else _downloaded(one, place, say)
    say(f"{own(one.pin)}: sha256 {pin.sha256}")
    return pin


def _place(pin: Pin, source: Path | None, offline: bool) -> Path | str | None:
    """The file in the folder, else the address, else nothing."""
    if source is not None and (file := source / Path(pin.file).name).is_file():
        return file
    return pin.origin if pin.origin.startswith(("https://", "http://")) and not offline else None


def _downloaded(one: Wanted, address: str, say: Say) -> Pin:
    """Download, examine, accept; what is refused is not kept."""
    part = _arriving(one.pin)
    with _writing():
        download(address, part, size=one.pin.bytes, say=say)
    try:
        return accept(one, part, moving=True)
    finally:
        part.unlink(missing_ok=True)
        validator(part).unlink(missing_ok=True)


def _arriving(pin: Pin) -> Path:
    """Where a file of that name waits until it is accepted."""
    return folders.weights() / ARRIVING / Path(pin.file).name


# ---- packs ----------------------------------------------------------------------------------------


def pack(asked: Sequence[Wanted], out: Path) -> list[Pin]:
    """A tar of files and their pins, for machines without a network. Every file is checked first."""
    present = {Path(one.pin.file).name: (one.path, one.pin) for one in asked if one.path is not None}
    if not present:
        raise WrongWeights("nothing to pack: none of these files is here (`faceedit-bench weights list`)")
    each(present.values(), lambda entry: check(*entry), "are not what they are pinned to; nothing was packed")
    index = [replace(settled(pin, path), file=name) for name, (path, pin) in present.items()]
    try:
        with folders.whole(out) as fresh, tarfile.open(fresh, "w", dereference=True) as archive:
            _add_text(archive, INDEX, json.dumps([asdict(pin) for pin in index], indent=1) + "\n")
            for name, (path, _) in present.items():
                archive.add(str(path), arcname=name, filter=_anonymous)
    except OSError as error:
        raise WrongWeights(f"{out}: cannot be written ({error}); choose another OUT") from None
    return index


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
    """Accept the files of a pack: each must be what its index and our pins say. Others are passed over.

    The whole pack is looked through before anything is taken from it.
    """
    if not file.is_file():
        raise WrongWeights(f"{file}: no such file; wanted a pack made by weights pack")
    try:
        with tarfile.open(file, "r:") as archive:
            members = {member.name: member for member in archive.getmembers()}  # to the end: a cut is seen
            index = [Pin(**entry) for entry in json.loads(_read(archive, INDEX))]
            _check_members(members, index)
            with _alone(say):
                taken = each(index, lambda entry: _unpacked(archive, entry, say))
    except (tarfile.TarError, OSError, KeyError, ValueError, TypeError) as error:
        raise WrongWeights(
            f"{file}: cut off, or not a pack of weights ({error}); copy it again, or make it with "
            "weights pack"
        ) from None
    return [pin for pin in taken if pin]


def _read(archive: tarfile.TarFile, name: str) -> bytes:
    member = archive.extractfile(name)
    if member is None:
        raise KeyError(f"no {name} in it")
    return member.read()


def _check_members(members: Mapping[str, tarfile.TarInfo], index: Sequence[Pin]) -> None:
    """Plain files with plain names, as listed: no links, no ways out of the folder."""
    listed = {pin.file: pin.bytes for pin in index}
    for name, member in members.items():
        if Path(name).name != name:
            raise ValueError(f"{name!r} in it leads elsewhere")
        if not member.isfile():
            raise ValueError(f"{name!r} in it is no plain file, but a link, folder or device")
    for name, size in listed.items():
        if name not in members or members[name].size != size:
            raise ValueError(f"wanted {name} of {size} bytes in it")


def _unpacked(archive: tarfile.TarFile, entry: Pin, say: Say) -> Pin | None:
    """One file, written under a temporary name of ours, whatever the archive calls it."""
    one = next((one for one in wanted() if Path(one.pin.file).name == entry.file), None)
    if one is None:
        say(f"{entry.file}: nothing here is pinned to it, left in the pack")
        return None
    content = archive.extractfile(entry.file)
    assert content is not None, "a plain file, as was checked"
    part = _arriving(one.pin)
    try:
        with _writing(), part.open("wb") as file:
            shutil.copyfileobj(content, file, BLOCK)
        check(part, entry)
        pin = accept(one, part, moving=True)
    finally:
        part.unlink(missing_ok=True)
        validator(part).unlink(missing_ok=True)
    say(f"{own(one.pin)}: sha256 {pin.sha256}, licence {pin.licence}")
    return pin
