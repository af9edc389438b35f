"""What does not hold in a bundle: every fault with what was wanted and found, told with what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SHOWN = 10  # faults of each part that are written out

REMEDIES = {
    "archive": "make the bundle again with `faceedit-bench board bundle`",
    "record": "make the bundle again from the run's own folder",
    "suite": "run the suite of this installation; a suite of your own is given with --suite FILE",
    "judges": "run again with the judges that are pinned here",
    "metrics": "run again with the metrics that are installed here",
    "rows": "make the bundle again from the run's own folder; rows are never edited",
    "scores": "make the bundle again from the run's own folder; scores are never edited",
    "pictures": "make the bundle again; its rows decide which pictures it holds",
    "inputs": "run on the suite's own faces, and make the bundle from that run",
    "copies": "put the pictures that the method edited in, or call the method `copy`",
    "scores of pictures": "put the pictures in that the rows were measured on",
    "boards": "nothing can be done about the bundle; see the boards' protocols",
}
"""Part of a bundle -> what whoever made it can do."""


@dataclass(frozen=True)
class Fault:
    """One thing that does not hold."""

    part: str  # one of REMEDIES
    what: str
    wanted: str
    found: str


def told(path: Path, faults: Sequence[Fault]) -> str:
    """Every part with its faults and what to do."""
    number = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
    lines = [f"{path} does not hold: {number}"]
    for part in REMEDIES:
        of_it = [fault for fault in faults if fault.part == part]
        if not of_it:
            continue
        lines.append(f"{part} ({len(of_it)}): {REMEDIES[part]}")
        lines += [f"  {one.what}: wanted {one.wanted}, found {one.found}" for one in of_it[:SHOWN]]
        lines += [f"  and {len(of_it) - SHOWN} more"] if len(of_it) > SHOWN else []
    return "\n".join(lines)


def shortened(text: object, most: int = 120) -> str:
    """Somebody else's text, on one line and not too long."""
    line = " ".join(str(text).split())
    return "".join(letter if letter.isprintable() else "?" for letter in line[:most]) + "…" * (
        len(line) > most
    )
