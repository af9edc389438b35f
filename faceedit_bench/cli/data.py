"""`faceedit-bench data`: look at faces, check and pack data sets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import BadConfig
from .data_check import check
from .data_pack import pack
from .data_where import where

if TYPE_CHECKING:
    import numpy as np

FIRST_TEST_SEED = 3_000_000  # as faceedit_bench.data.drawn_faces.FIRST_SEED["test"]; a test compares
ACROSS = 8  # faces in a row


@click.group(epilog="Example: faceedit-bench data where celeba")
def data() -> None:
    """Get, check, pack and draw data sets."""


data.add_command(where)
data.add_command(check)
data.add_command(pack)


@data.command(epilog="Example: faceedit-bench data draw --count 40 --sheet sheet.png")
@click.option("--count", default=40, show_default=True, help="How many people.")
@click.option("--sheet", "place", required=True, type=click.Path(path_type=Path), help="PNG file to write.")
@click.option("--size", default=128, show_default=True, help="Pixels per side of a face.")
@click.option("--seed", default=FIRST_TEST_SEED, show_default=True, help="Number of the first person.")
@click.option("--flips", is_flag=True, help="A row per person: every attribute reversed alone.")
def draw(count: int, place: Path, size: int, seed: int, flips: bool) -> None:
    """Draw COUNT people and write a labelled sheet. The first test person is the default seed."""
    for option, value, least in (("--count", count, 1), ("--size", size, 16), ("--seed", seed, 0)):
        if value < least:
            raise BadConfig(f"{option} wants at least {least}, found {value}")
    from ..data.images import save_png
    from ..sheet import sheet

    seeds = list(range(seed, seed + count))
    if flips:
        from ..suite import THIRTEEN

        save_png(
            place,
            sheet([_flipped(one, size) for one in seeds], ["source", *THIRTEEN], [str(one) for one in seeds]),
        )
    else:
        rows = [seeds[start : start + ACROSS] for start in range(0, count, ACROSS)]
        save_png(
            place, sheet([_drawn(row, size) for row in rows], row_titles=[f"{row[0]} …" for row in rows])
        )
    click.echo(place)


def _drawn(seeds: list[int], size: int) -> list[np.ndarray]:
    from ..data import drawn

    return list(drawn.draw(seeds, drawn.labels(seeds), size).images.numpy())


def _flipped(seed: int, size: int) -> list[np.ndarray]:
    """The person as drawn, then with each attribute reversed under the drawn faces' conflict rule."""
    import torch

    from ..data import drawn
    from ..suite import THIRTEEN, target_labels

    labels = drawn.labels([seed])[0].tolist()
    rows = [labels, *(target_labels(labels, (name,), THIRTEEN, "drawn")[0] for name in THIRTEEN)]
    return list(drawn.draw([seed] * len(rows), torch.tensor(rows, dtype=torch.uint8), size).images.numpy())
