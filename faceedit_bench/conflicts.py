"""Which attributes exclude each other: what an edit that switches one on has to switch off."""

from __future__ import annotations

from collections.abc import Mapping

HAIR_COLOURS = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair")
_OTHER_COLOURS = {
    colour: tuple(other for other in HAIR_COLOURS if other != colour) for colour in HAIR_COLOURS
}

CONFLICTS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "none": {},
    "stgan": {
        "Bald": ("Bangs",),
        "Receding_Hairline": ("Bangs",),
        "Bangs": ("Bald", "Receding_Hairline"),
        **_OTHER_COLOURS,
        "Straight_Hair": ("Wavy_Hair",),
        "Wavy_Hair": ("Straight_Hair",),
    },
    "drawn": {
        "Bald": ("Bangs", *HAIR_COLOURS),
        "Bangs": ("Bald",),
        **{colour: (*others, "Bald") for colour, others in _OTHER_COLOURS.items()},
    },
}
"""Rule id -> attribute switched on -> attributes it clears. `stgan` is the released code of AttGAN and STGAN
without its Mustache/No_Beard coupling; `drawn` is `stgan` for faces that are bald or have a hair colour."""
