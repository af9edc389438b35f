"""Worker processes that do not run the user's script again."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType


@contextmanager
def without_main() -> Iterator[None]:
    """Start worker processes inside this block.

    A spawned process first imports the script that started its parent, so `fb.run(...)` in a script without
    an `if __name__ == "__main__"` guard, or on standard input, would fail. Our workers need none of it.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
