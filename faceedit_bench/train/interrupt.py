"""SIGTERM and Ctrl-C as a wish to stop after this step, so that nothing is lost."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType


class StopWish:
    """Whether somebody asked the training to stop."""

    asked = False


@contextlib.contextmanager
def stop_on_signals() -> Iterator[StopWish]:
    """Within the block, the first signal is a wish; a second Ctrl-C interrupts at once."""
    wish = StopWish()
    if threading.current_thread() is not threading.main_thread():  # only the main thread may handle signals
        yield wish
        return

    def on_signal(number: int, frame: FrameType | None) -> None:
        if wish.asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        wish.asked = True

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield wish
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
