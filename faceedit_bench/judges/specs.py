"""The demo judges the package ships: small networks trained on drawn faces, for drawn faces.

Their names say `demo`: a score of theirs never shares a column with a score of a judge of photographs.
Light to import; a judge whose card is missing (not trained yet) is left out.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..contracts import JudgeSpec, LoadContext, Pin, View
from ..suite import THIRTEEN

if TYPE_CHECKING:
    from torch import Tensor

    from .networks import ClassNetwork

WEIGHTS = Path(__file__).parent / "weights"
VIEW = View(size=64, resize="torch-bilinear-aa")
FINE_VIEW = View(size=96, resize="torch-bilinear-aa")  # moustaches, and who somebody is, are small things
WIDTH = 128  # D of features and embeddings

KINDS: tuple[str, ...] = tuple(
    " ".join(parts)
    for parts in product(
        ("bald", "black-haired", "blond", "brown-haired", "auburn or grey"),
        ("woman", "man"),
        ("old", "young"),
        ("without glasses", "with glasses"),
    )
)
"""The 40 classes of `classes-demo`: hair × Male × Young × Eyeglasses. Auburn or grey: neither
bald nor one of the three colours."""


def card_of(judge: str) -> Path:
    """Where the card of a shipped judge lies; its weights lie beside it."""
    return WEIGHTS / f"{judge}.json"


# ---- loading: (B, 3, H, W) as the view prepares them -> (B, D) ---------------------------------------


def _load_attributes(context: LoadContext) -> Callable[[Tensor], Tensor]:
    from .networks import AttributeNetwork

    return context.restore(AttributeNetwork(len(THIRTEEN)))


def _load_identity(context: LoadContext) -> Callable[[Tensor], Tensor]:
    from .networks import IdentityNetwork

    return context.restore(IdentityNetwork())


def _load_swav(context: LoadContext) -> Callable[[Tensor], Tensor]:
    from .networks import SwavNetwork

    return context.restore(SwavNetwork())


def _load_classes(context: LoadContext) -> Callable[[Tensor], Tensor]:
    return _class_network(context).head


def _load_pool(context: LoadContext) -> Callable[[Tensor], Tensor]:
    return _class_network(context).pool


def _class_network(context: LoadContext) -> ClassNetwork:
    from .networks import ClassNetwork

    network = context.restore(ClassNetwork())
    assert isinstance(network, ClassNetwork)
    return network


# ---- what is offered --------------------------------------------------------------------------------


def specs() -> list[JudgeSpec]:
    """The demo judges that are trained and shipped."""
    offered = (
        ("attributes-demo", "2", "attributes", "13 attribute probabilities", THIRTEEN, _load_attributes),
        ("identity-demo", "1", "identity", "embedding of who is shown (contrastive)", (), _load_identity),
        ("swav-demo", "1", "features", "features learnt without labels (SwAV)", (), _load_swav),
        ("classes-demo", "1", "classes", "logits of 40 kinds of people", KINDS, _load_classes),
        ("classes-pool-demo", "1", "pool", "features under the 40 kinds of people", (), _load_pool),
    )
    return [
        JudgeSpec(
            name=name,
            version=version,
            role=role,
            summary=f"{summary}; drawn faces only",
            pin=pin,
            view=view_of(name),
            width=len(outputs) or WIDTH,
            load=load,
            outputs=outputs,
            faces="drawn",
            above="classes-pool-demo" if name == "classes-demo" else "",
            answers=_answers(name),
        )
        for name, version, role, summary, outputs, load in offered
        if (pin := Pin.from_card(card_of(_weights_of(name))))
    ]


def view_of(judge: str) -> View:
    """How a demo judge looks at faces."""
    return FINE_VIEW if judge in ("attributes-demo", "identity-demo") else VIEW


def _answers(judge: str) -> dict[str, Any] | None:
    """What training says that the judge answers."""
    card: dict[str, Any] = json.loads(card_of(_weights_of(judge)).read_text(encoding="utf-8"))
    return card.get("answers", {}).get(judge)


def _weights_of(judge: str) -> str:
    """`classes-pool-demo` is the network of `classes-demo`, asked one layer earlier."""
    return "classes-demo" if judge == "classes-pool-demo" else judge


SPECS: list[JudgeSpec] = specs()
