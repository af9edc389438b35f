"""Reading a zip that a stranger made: into memory, with limits, and nothing is written where it says."""

from __future__ import annotations

import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from ..errors import ResultsError
from .faults import Fault, shortened
from .layout import PICTURES, RECORD, ROWS

MIB = 2**20
MOST_BYTES = 256 * MIB  # of the file
MOST_INSIDE = 512 * MIB  # of everything in it, unpacked
MOST_ENTRIES = 4096
MOST_OF = {"the record": 16 * MIB, ROWS: 64 * MIB, "a picture": 64 * MIB}  # bytes, unpacked
SUSPICIOUS, RATIO = MIB, 100  # unpacked bytes from which a file may not be this many times its packed size

DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError)
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def read(path: Path) -> tuple[dict[str, bytes], list[Fault]]:
    """Name -> content of every file in the zip; or what is wrong with it, and no content."""
    if not path.is_file():
        raise ResultsError(
            f"{path}: no such file; wanted a bundle, as `faceedit-bench board bundle` writes it"
        )
    if path.stat().st_size > MOST_BYTES:
        return {}, [Fault("archive", "size", f"at most {_mib(MOST_BYTES)}", _mib(path.stat().st_size))]
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if faults := list(_faults(entries)):
                return {}, faults
            files = [entry for entry in entries if not entry.is_dir()]
            return {entry.filename: archive.read(entry) for entry in files}, []
    except DAMAGED as error:
        return {}, [Fault("archive", "the file", "a zip that can be read", f"damage ({shortened(error)})")]


def _faults(entries: list[zipfile.ZipInfo]) -> Iterator[Fault]:
    if len(entries) > MOST_ENTRIES:
        yield Fault("archive", "files", f"at most {MOST_ENTRIES}", str(len(entries)))
    if (inside := sum(entry.file_size for entry in entries)) > MOST_INSIDE:
        yield Fault("archive", "size unpacked", f"at most {_mib(MOST_INSIDE)}", _mib(inside))
    seen: set[str] = set()
    for entry in entries[:MOST_ENTRIES]:
        yield from _faults_of(entry)
        if entry.filename in seen:
            yield Fault("archive", shortened(entry.filename), "every name once", "it again")
        seen.add(entry.filename)


def _faults_of(entry: zipfile.ZipInfo) -> Iterator[Fault]:
    name = shortened(entry.orig_filename)
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if why := escape(entry.orig_filename):
        yield Fault("archive", name, "a path inside the bundle", why)
    elif kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        yield Fault("archive", name, "a plain file", "a link" if kind == stat.S_IFLNK else "a special file")
    elif not entry.is_dir():
        yield from _faults_of_file(entry, name)


def _faults_of_file(entry: zipfile.ZipInfo, name: str) -> Iterator[Fault]:
    what = role(entry.filename)
    if not what:
        wanted = f"<run id>.json, {ROWS} and {PICTURES}/<edit>/<face>.png only"
        yield Fault("archive", name, wanted, "another file")
    elif entry.file_size > MOST_OF[what]:
        yield Fault("archive", name, f"at most {_mib(MOST_OF[what])}", _mib(entry.file_size))
    elif entry.file_size > SUSPICIOUS and entry.file_size > RATIO * max(1, entry.compress_size):
        found = f"{_mib(entry.file_size)} in {entry.compress_size} bytes"
        yield Fault("archive", name, f"at most {RATIO} times its packed size", found)
    elif entry.flag_bits & 1 or entry.compress_type not in METHODS:
        yield Fault("archive", name, "stored or deflated, no password", "another way of packing")


def role(name: str) -> str:
    """What a file of the bundle is, by its name; "" for what is none of its files."""
    if RECORD.fullmatch(name):
        return "the record"
    if name == ROWS:
        return ROWS
    parts = name.split("/")
    return "a picture" if len(parts) > 2 and parts[0] == PICTURES and name.endswith(".png") else ""


def escape(name: str) -> str:
    """How a name would leave the folder that it is unpacked in, or "" for an ordinary relative path."""
    if name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name):
        return "an absolute path"
    if "\\" in name or any(not letter.isprintable() for letter in name):
        return "a backslash or a control character"
    parts = name.removesuffix("/").split("/")
    return "a path with .., . or nothing between slashes" if {"..", ".", ""} & set(parts) else ""


def _mib(size: int) -> str:
    return f"{size / MIB:.1f} MiB"
