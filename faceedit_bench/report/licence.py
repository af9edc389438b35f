"""What the data set of a report allows: whether its pictures may be shown, and what to say of them."""

from __future__ import annotations

from dataclasses import dataclass

from ..catalog import catalog
from ..errors import ResultsError

_CELEBA = "non-commercial research only; its terms forbid publishing or passing on the pictures"


@dataclass(frozen=True)
class Terms:
    """`shows`: True, False, or None where the owner of the pictures has to say."""

    shows: bool | None
    note: str


DRAWN = Terms(True, "drawn from numbers: no licence, no real people")
KNOWN = {
    "celeba": Terms(False, _CELEBA),
    "celeba-170": Terms(False, _CELEBA),
    "celebahq": Terms(False, f"made from CelebA: {_CELEBA}"),
    "celebamask-hq": Terms(False, f"made from CelebA-HQ: {_CELEBA}"),
    "lfw": Terms(False, "news photographs whose rights lie with others; for research"),
    "ffhq": Terms(False, "CC BY-NC-SA 4.0 as a set, every photograph under its author's own licence"),
}
UNKNOWN = Terms(None, "not known here; --pictures says that you may publish these pictures")


def terms(dataset: str) -> Terms:
    """Of a data set by name."""
    spec = catalog().datasets.get(dataset)
    if spec is not None and spec.faces == "drawn":
        return DRAWN
    return KNOWN.get(dataset, UNKNOWN)


def may_show(dataset: str, wanted: bool | None) -> bool:
    """Whether pictures are shown: `wanted` is what the user said, None for nothing.

    ResultsError where the user wants what the licence forbids.
    """
    found = terms(dataset)
    if wanted and found.shows is False:
        raise ResultsError(
            f"pictures of {dataset} cannot be put into a report: {found.note}; leave --pictures out"
        )
    if wanted is False or found.shows is False:
        return False
    return bool(found.shows or wanted)
