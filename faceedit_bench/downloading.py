"""A file from an address: what broke off goes on, and only what can be a weights file is kept."""

from __future__ import annotations

import http.client
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from . import __version__, progress
from .errors import WrongWeights

BLOCK = 1 << 20  # bytes read at a time
PATIENCE = 60  # seconds without a byte before a download is given up
HTML = (b"<!doctype html", b"<html")
_BY_HAND = (
    "try again, or get the file on another machine and bring it with `faceedit-bench weights add FILE` or "
    "`weights pack` and `unpack`"
)

Say = Callable[[str], None]


def silent(line: str) -> None:
    """Say nothing."""


def download(address: str, part: Path, *, size: int = 0, say: Say = silent) -> None:
    """Read `address` into `part`; goes on where an earlier try stopped if the server still has the same file.

    `size` in bytes, 0 where it is not known. A page of HTML, another size, and a full disk are refused before
    anything is written.
    """
    try:
        with urllib.request.urlopen(_request(address, part), timeout=PATIENCE) as response:
            _receive(response, address, part, size, say)
    except urllib.error.HTTPError as error:
        if error.code == 416 and validator(part).is_file():  # all of it is here, or it became shorter
            validator(part).unlink()
            return download(address, part, size=size, say=say)
        raise WrongWeights(f"{address}: the server answers {error.code} {error.reason}; {_BY_HAND}") from None
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", error)
        raise WrongWeights(f"{address}: cannot be reached ({reason}); {_BY_HAND}") from None


def _request(address: str, part: Path) -> urllib.request.Request:
    """For the rest of the file, on condition that it is still the same, or for all of it."""
    headers = {"User-Agent": f"faceedit-bench/{__version__}"}
    known = validator(part)
    if part.is_file() and known.is_file() and part.stat().st_size:
        headers["Range"] = f"bytes={part.stat().st_size}-"
        headers["If-Range"] = known.read_text(encoding="utf-8")
    return urllib.request.Request(address, headers=headers)


def validator(part: Path) -> Path:
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
        broken = _copy(first, response, file, advance)
    if broken or part.stat().st_size < (total or size):
        raise WrongWeights(
            f"{address}: broke off after {part.stat().st_size} of {total or size or 'unknown'} bytes{broken}"
            "; the same command goes on from there"
        )


def _keep_validator(part: Path, response: Any) -> None:
    tag = response.headers.get("ETag") or response.headers.get("Last-Modified")
    if tag and not tag.startswith("W/"):  # a weak tag promises nothing about bytes
        validator(part).write_text(tag, encoding="utf-8")
    else:
        validator(part).unlink(missing_ok=True)


def _copy(first: bytes, response: Any, file: IO[bytes], advance: Callable[[int], None]) -> str:
    """To the end, or to where the connection broke: then why, else nothing."""
    block = first
    while block:
        file.write(block)
        advance(len(block) // BLOCK)
        try:
            block = response.read(BLOCK)
        except (http.client.HTTPException, OSError) as error:
            return f" ({error})"
    return ""
