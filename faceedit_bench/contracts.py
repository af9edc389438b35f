"""The language that core and plugins share: frozen dataclasses and protocols, nothing heavy.

Letters for shapes, used everywhere: B batch, A attributes, C H W image, D features, N samples.
Images inside the toolkit are float32 RGB in [-1, 1]; files and packed stores are uint8 RGB.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from .errors import WrongWeights

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor, nn


THIRTEEN = (
    "Bald",
    "Bangs",
    "Black_Hair",
    "Blond_Hair",
    "Brown_Hair",
    "Bushy_Eyebrows",
    "Eyeglasses",
    "Male",
    "Mouth_Slightly_Open",
    "Mustache",
    "No_Beard",
    "Pale_Skin",
    "Young",
)
"""The attributes of the field's papers, in their order; polarity is CelebA's."""


SECOND = "-second"  # behind a role: the same question to another judge, `attributes-second`
RECONSTRUCTION = "reconstruction"  # what a metric needs that compares an edit with it, picture by picture
LANDMARKS = "landmarks"  # the role that finds faces: how sure it is, and five points; see judges/detection.py

PARTS = (
    "background",
    "skin",
    "left brow",
    "right brow",
    "left eye",
    "right eye",
    "glasses",
    "left ear",
    "right ear",
    "earring",
    "nose",
    "mouth",
    "upper lip",
    "lower lip",
    "neck",
    "necklace",
    "cloth",
    "hair",
    "hat",
)
"""What a parser of photographs finds, in face-parsing.PyTorch's order; CelebAMask-HQ's own is another."""


# ---- what a method sees ---------------------------------------------------------------------------


@dataclass(frozen=True)
class EditBatch:
    """Faces and what is asked of them. The tensors belong to the receiver's device."""

    images: Tensor  # (B, 3, H, W) float32 in [-1, 1], RGB
    source: Tensor  # (B, A) float32 in {0, 1}: labels before the edit; of what an edit sets, the opposite
    target: Tensor  # (B, A) float32 in [0, 1]: labels asked for, conflict rule applied
    edited: Tensor  # (B, A) bool: what was asked for, without what the conflict rule added
    strength: Tensor  # (B,) float32: 1 as the method is meant to be used, 0 no edit, negative the other way
    seeds: Tensor  # (B,) int64: one per sample, the only source of randomness
    attributes: tuple[str, ...]  # names of the A columns
    truth: Tensor | None = None  # (B, 3, H, W) in [-1, 1]; only for methods that declare needs=("truth",)

    @property
    def change(self) -> Tensor:
        """target − source, (B, A) in [−1, 1]; entries outside `edited` come from the conflict rule."""
        return self.target - self.source


class Editor(Protocol):
    """A method, loaded: usually an object that holds a network.

    May also offer `explain(batch) -> Mapping[str, Tensor]`: pictures that show how it edits, such as
    attention masks, by name: (B, 1, H, W) or (B, 3, H, W) in [0, 1]. The same names for every batch of which
    the same is asked; they become parts of file names, so letters, digits, - and _ only.
    `faceedit-bench edit --explain` writes them, and every run shows them on its sheet.

    May have `unexplained`, text: why `explain` has nothing to show, such as a file that is not here; "" where
    it has. `edit --explain` is refused with it, and runs leave the pictures out.

    May have `home`, a device: where it wants `batch.images`, and gives its result, if not on its own device;
    for methods of which the device holds only parts of large pictures.

    May offer `forget()`, where it remembers answers to earlier batches: afterwards it remembers nothing.
    Costs are measured without such a memory.
    """

    def edit(self, batch: EditBatch) -> Tensor:
        """(B, 3, H, W) in [-1, 1]: same shape, range, dtype and device as `batch.images`.

        Raises NoFace where a picture of the batch shows no face that it can edit: the engine then asks for
        each picture alone to find out which, and for the others together.
        """
        ...


# ---- weights --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pin:
    """A weights file that may be used: accepted only with this size and hash.

    Some publishers tell only the first digits of the hash, or nothing. Such a file is used under the hash
    that was found: see `faceedit_bench.weights.settled`.
    """

    file: str  # file name; looked up beside the plugin that ships it, then in the user's weights folder
    sha256: str  # 64 hex digits; fewer, or none, where its publisher tells no more
    bytes: int  # 0 where its publisher does not tell
    origin: str  # where it comes from: an address, or the command that trained it
    licence: str

    @property
    def is_whole(self) -> bool:
        """Whether the whole hash is known beforehand."""
        return len(self.sha256) == 64

    @classmethod
    def from_card(cls, path: Path, key: str = "") -> Pin | None:
        """The pin in the weights card (JSON) that training wrote beside a plugin; None without a card.

        With `key` that of a further file which the card tells of; None where it tells of none.
        """
        if not path.exists():
            return None
        try:
            card = json.loads(path.read_text(encoding="utf-8"))
            if key and key not in card:
                return None
            card = card[key] if key else card
            return cls(**{name: card[name] for name in cls.__dataclass_fields__})
        except (ValueError, TypeError, KeyError) as error:
            wanted = ", ".join(cls.__dataclass_fields__)
            raise WrongWeights(f"{path}: not a weights card ({error!r}); wanted JSON with {wanted}") from None


EXPLAINING: Literal["explaining"] = "explaining"
"""In place of a weights file's number: the file beside the first one that holds networks which only
explanations need (train.Recipe.explaining). Also its place in the card."""

Part = int | Literal["explaining"]


class LoadContext(Protocol):
    """What a plugin's `load` gets: a device, and checked weights."""

    @property
    def device(self) -> str: ...

    def restore(self, network: nn.Module, part: Part | Path = 0) -> nn.Module:
        """Load weights file number `part`, or a file that an option names, strictly; the network comes back
        on the device in eval mode. IndexError where there are not so many."""
        ...

    def file(self, part: Part = 0) -> Path:
        """The checked path of weights file number `part`, for anything unusual."""
        ...


class JudgeContext(LoadContext, Protocol):
    """What a judge's `load` gets: also files of other programs, which stay as they were published."""

    def adopt(
        self,
        network: nn.Module,
        rename: Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]],
        part: int = 0,
    ) -> nn.Module:
        """As `restore`, of a file that another program wrote: strictly, float32 only, nothing is executed.

        `rename` gives the file's tensors our network's names and leaves out what the judge does not use.
        """
        ...


# ---- what plugins offer ---------------------------------------------------------------------------


@dataclass(frozen=True)
class NoOptions:
    """For methods without options."""


@dataclass(frozen=True)
class Preset:
    """A named setting of a method's options, with the weights that belong to it (none: train first)."""

    options: Any
    weights: tuple[Pin, ...] | None = ()  # (): the method needs none; None: it needs some, none are published
    summary: str = ""


@dataclass(frozen=True)
class Imported:
    """What a layout makes of a checkpoint that another program wrote."""

    state: Mapping[str, Tensor]  # under the names of our network
    options: Mapping[str, Any]  # of the method, as far as the checkpoint's shapes and layout tell them
    ignored: tuple[str, ...] = ()  # keys that editing does not need: critics, optimizer slots, counters
    attributes: int = 0  # how many the checkpoint was made for; 0 where the method's own list always holds


@dataclass(frozen=True)
class Layout:
    """A checkpoint format of a method's released code, for `faceedit-bench weights import`."""

    summary: str  # which program writes such files
    convert: Callable[[Mapping[str, Tensor]], Imported]  # raises WrongWeights with every key that is amiss
    preset: str = ""  # gives the options that a checkpoint does not tell; "" the first preset
    settings: Mapping[str, Any] = field(default_factory=dict)  # what the file's own settings must be, if it
    # has them: for formats with the same tensors and another meaning


@dataclass(frozen=True)
class Reproduction:
    """A table of a paper, computed again, for `faceedit-bench reproduce`."""

    title: str  # paper and table
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()  # what the numbers count, and where printed ones cannot be reached


@dataclass(frozen=True)
class MethodSpec:
    """A face attribute editing method."""

    name: str
    version: str
    summary: str
    paper: str  # arXiv number, DOI or "none"
    attributes: tuple[str, ...]  # columns it wants, in its order; () takes whatever the suite has
    resolutions: tuple[int, ...]  # sizes in pixels at which it is meant to work; () any size
    load: Callable[[Any, LoadContext], Editor]
    options: type = NoOptions  # a frozen dataclass
    presets: Mapping[str, Preset] = field(default_factory=lambda: {"default": Preset(NoOptions())})
    recipes: Callable[[Any], tuple[Any, ...]] | None = (
        None  # options -> training stages (faceedit_bench.train)
    )
    saw: tuple[str, ...] = ()  # judges whose network or labels it used in training
    needs: tuple[str, ...] = ()  # "labels": wants every source label, not only what changes; "truth": wants
    # the exact counterfactual, as the ceiling row does
    layouts: Mapping[str, Layout] = field(default_factory=dict)  # released checkpoints it can import, by name
    reproductions: Mapping[str, Callable[[], Reproduction]] = field(default_factory=dict)  # tables, by name

    def attributes_for(self, options: Any) -> tuple[str, ...]:
        """The columns it wants under `options`: their field `attributes`, where they have one."""
        return tuple(getattr(options, "attributes", ())) or self.attributes

    @property
    def default_preset(self) -> str:
        """The first preset."""
        return next(iter(self.presets))


FIVE_POINTS = "five-points"  # resize rule: the face is brought to a fixed place; wants landmarks


@dataclass(frozen=True)
class View:
    """How a judge looks at a face. Resizing differently is a different judge."""

    size: int  # pixels per side; 0 leaves images as they are, in [-1, 1]
    resize: str = "torch-bilinear-aa"  # rule id; see faceedit_bench.judges.view
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)  # of images in [0, 1], per RGB channel
    std: tuple[float, float, float] = (0.5, 0.5, 0.5)

    @property
    def aligns(self) -> bool:
        """Whether it wants to know where eyes, nose and mouth are."""
        return self.resize == FIVE_POINTS


@dataclass(frozen=True)
class JudgeSpec:
    """A pinned network whose answers metrics use. `load(context)` gives (B, 3, size, size) -> (B, D).

    A judge that compares pictures takes two batches: (B, 3, size, size), (B, 3, size, size) -> (B, D).
    One that stands `above` another is the rest of its network: (B, D of that judge) -> (B, D). Where a suite
    has both, one pass serves them.
    """

    name: str
    version: str
    role: str  # what it answers: "attributes", "identity", "features", "classes" and so on; docs/judges.md
    summary: str
    pin: Pin
    view: View
    width: int  # D; 0: a number for every pixel
    load: Callable[[JudgeContext], Callable[..., Tensor]]
    outputs: tuple[str, ...] = ()  # names of the D columns where they have names
    faces: str = "photographs"  # what it was trained on: "photographs" or "drawn"
    above: str = ""  # name of the judge, of the same file and view, whose answers it takes for pictures
    answers: Mapping[str, Any] | None = None  # what it answers to eight pictures of a formula, as
    # faceedit_bench.judges.asked counts it; None: remembered when it is first asked


class State(Protocol):
    """What a metric remembers of the shards it saw."""

    shards: range

    def merge(self, later: Any) -> Any: ...
    def to_arrays(self) -> dict[str, np.ndarray]: ...


class Metric(Protocol):
    """One-pass metric: empty state, updates, one finish."""

    def empty(self) -> Any: ...
    def update(self, state: Any, seen: Observation) -> None: ...
    def finish(self, state: Any) -> Mapping[str, float | Undefined]: ...


@dataclass(frozen=True)
class Undefined:
    """In place of a number that cannot be had; never NaN."""

    reason: str  # "wanted at least 50 pictures, found 12"


@dataclass(frozen=True)
class MetricSpec:
    """A metric and what it needs."""

    name: str
    version: str
    better: str  # "higher" or "lower"
    summary: str
    load: Callable[[], Metric]
    judges: tuple[str, ...] = ()  # roles; the suite says which judge plays each
    needs: tuple[str, ...] = ()  # of "labels", "truth", "regions" of the data, "reconstruction" of the suite
    on: str = "flip"  # edits it is defined for: "flip", "reconstruction" or "every"
    unit: str = ""  # "%", "dB" or ""
    interval: str = "bootstrap"  # "bootstrap" over images, "spread" over subsamples, or "none"
    digits: int = 2  # decimals in tables
    other_ways: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Of numbers beside its own that are not better as it is: `{"psnr": "higher"}` is `NAME.psnr`; "" where
    neither way is better."""

    def better_of(self, number: str) -> str:
        """Which way a number of this metric is better, `keep` or `keep.psnr`; "" for neither."""
        return self.other_ways.get(number.removeprefix(f"{self.name}."), self.better)


@dataclass(frozen=True)
class Sample:
    """One face of a data set."""

    id: str
    image: np.ndarray  # (3, H, W) uint8, RGB
    labels: np.ndarray  # (A,) uint8 in {0, 1}; length 0 without labels
    identity: str | None = None
    regions: np.ndarray | None = None  # (H, W) uint8, index into the region classes
    landmarks: np.ndarray | None = None  # (5, 2) float32: x, y of left eye, right eye, nose, left and right
    # corner of the mouth, in pixels of `image` from the middle of its first; left is the picture's left


class Samples(Protocol):
    """A data set, opened: a sequence of faces plus a digest of its content.

    May also offer `truth(i, target) -> (3, H, W) uint8`: the picture a perfect edit would give; and
    `landmarks`, (N, 5, 2) float32: those of all faces, None where they are not known.
    A picture whose face it cannot find it may refuse with NoFace(reason, picture).
    """

    attributes: tuple[str, ...]

    def __len__(self) -> int: ...
    def __getitem__(self, index: int) -> Sample: ...
    def digest(self) -> str: ...


@dataclass(frozen=True)
class DatasetSpec:
    """A data set. `open(root, split, resolution, count)` gives Samples; root is None for embedded ones."""

    name: str
    version: str
    summary: str
    attributes: tuple[str, ...]
    splits: tuple[str, ...]
    open: Callable[[Path | None, str, int, int], Samples]
    provides: tuple[str, ...] = ("labels",)  # of "labels", "truth", "regions", "landmarks"
    faces: str = "photographs"  # "photographs" or "drawn"
    conflicts: str = "none"  # conflict rule of its labels (faceedit_bench.suite.CONFLICTS)


class Observation(Protocol):
    """One batch seen by all metrics."""

    batch: EditBatch
    samples: Tensor  # (B,) int64: positions in the suite's sample list
    edit: Any  # suite.Edit: name, flips
    edit_index: int
    source: Tensor  # (B, 3, H, W) uint8
    edited: Tensor  # (B, 3, H, W) uint8, rounded once
    truth: Tensor | None  # (B, 3, H, W) uint8
    regions: Tensor | None  # (B, H, W) uint8
    reconstruction: Tensor | None  # (B, 3, H, W) uint8: these faces, nothing asked; for metrics that need it
    shared: MutableMapping[str, Any]  # what one metric made of these pictures, for the others of the batch

    def judge(self, role: str, image: str = "edited", points: str = "") -> Tensor:
        """(B, D) float32 answers on the "edited", "source", "truth" or "reconstruction" pictures, remembered.

        A judge that aligns faces does so by the data set's points of the source; with `points`, a role, by
        those that its judge finds in each picture.
        """
        ...

    def compare(self, role: str, against: str = "source", image: str = "edited") -> Tensor:
        """(B, D) float32 answers of a judge of pairs on the "edited" or "reconstruction" pictures and the
        "source" or "truth" ones."""
        ...

    def outputs(self, role: str) -> tuple[str, ...]:
        """Names of the D columns of the judge of `role`; () where they have none."""
        ...
