"""Files that are written whole or not at all."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .. import folders
from ..errors import ResultsError
from ..manifest import plain

NO_ROOM = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "your disk quota is used up",
    errno.EFBIG: "a file may not grow so large here (ulimit -f)",
}


def write(path: Path, save: Callable[[Path], object]) -> None:
    """Let `save` write to a temporary name, then rename: all of it or nothing."""
    try:
        with folders.whole(path) as fresh:
            save(fresh)
            with fresh.open("rb") as file:
                os.fsync(file.fileno())
    except BaseException as error:
        if reason := no_room(error):
            raise ResultsError(
                f"{path}: {reason}; what was finished is kept; make room and run the same again"
            ) from None
        raise


def no_room(error: BaseException) -> str:
    """Why nothing more can be written, or "". Some writers only carry the error's number in their text."""
    for number, reason in NO_ROOM.items():
        if (isinstance(error, OSError) and error.errno == number) or os.strerror(number) in str(error):
            return reason
    return ""


def write_json(path: Path, content: Any) -> None:
    """JSON that a person can read, written whole."""
    text = json.dumps(plain(content), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def read_json(path: Path) -> Any:
    """The content of a JSON file, or an error that names it."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ResultsError(f"{path}: no such file") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ResultsError(f"{path}: damaged ({error})") from None
