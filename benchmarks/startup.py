"""Time until the command line answers, beside that of Python itself: python benchmarks/startup.py"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "faceedit-bench --help": [sys.executable, "-m", "faceedit_bench", "--help"],
    "faceedit-bench methods": [sys.executable, "-m", "faceedit_bench", "methods"],
}
ROUNDS = 15


def main() -> None:
    spent: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(ROUNDS):  # in turns, so that a busy machine is busy for all of them
        for name, words in COMMANDS.items():
            begun = time.perf_counter()
            subprocess.run(words, stdout=subprocess.DEVNULL, check=True)
            spent[name].append(time.perf_counter() - begun)
    plain = statistics.median(spent["python -c pass"])
    for name, times in spent.items():
        middle = statistics.median(times)
        print(f"{name:24} {middle:.3f} s   {middle / plain:4.1f} × Python's own start")


if __name__ == "__main__":
    main()
