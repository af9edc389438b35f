"""Faces drawn per second of one processor core: python benchmarks/renderer.py.

Counts time the processor spent on drawing, so that other programs disturb little.
"""

from __future__ import annotations

import time

import torch

from faceedit_bench.data.drawn import draw, labels

WANTED = 60.0  # faces per second at 128 pixels


def faces_per_second(size: int, seconds: float = 3.0) -> float:
    """Draw different people for `seconds` of the processor's time and count."""
    draw(range(4), labels(range(4)), size)  # makes the noise tiles
    drawn, start = 0, time.process_time()
    while time.process_time() - start < seconds:
        seeds = range(drawn, drawn + 10)
        draw(seeds, labels(seeds), size)
        drawn += 10
    return drawn / (time.process_time() - start)


def main() -> None:
    torch.set_num_threads(1)
    rate = faces_per_second(128)
    print(f"128 px  {rate:6.1f} faces/s  {rate / WANTED:4.2f} of the {WANTED:.0f}/s wanted")
    print(f"256 px  {faces_per_second(256):6.1f} faces/s")


if __name__ == "__main__":
    main()
