"""Judges are asked about eight pictures of a formula before they are believed.

Hashes say that a file is the right one; its answers say that it is used as it was. A judge brings them
(JudgeSpec.answers), or they are remembered when it is first asked. It is asked once for its file, version and
code, the packages below it and the device; after that a note in the cache folder says that all was well.

`measure` goes the whole way of a run, from larger pictures to a score: FID of two fixed sets, LPIPS and ID of
fixed pairs, to be compared with those of another day, release or machine.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from . import folders, progress
from .catalog import catalog
from .contracts import JudgeSpec, MetricSpec
from .errors import WrongWeights
from .manifest import canonical
from .weights import build_judge, home_of, identity_of

BELOW = ("torch", "torchvision", "timm", "lpips", "torch-fidelity", "facexlib")
"""Packages that judges stand on."""


def check(judges: Iterable[JudgeSpec], device: str) -> None:
    """WrongWeights with every judge that answers otherwise than it did; one that is new is remembered."""
    wrong: dict[str, list[str]] = {}
    for spec in {spec.name: spec for spec in judges}.values():
        if _note(spec, device).is_file():
            continue
        found = ask(spec, device)
        if found is None:
            progress.say(
                f"judge {spec.name}: asked for the first time; what it answers to eight fixed pictures is "
                f"remembered in {place()}, and compared from now on"
            )
        elif found:
            wrong[spec.name] = found
    if wrong:
        raise WrongWeights(complaint(wrong))


def ask(spec: JudgeSpec, device: str) -> list[str] | None:
    """What differs from what this judge answered before with the same weights; None where nobody knew that:
    then it is remembered."""
    from .judges import asked

    judge = identity_of(spec)
    of_pairs = spec.role.startswith("lpips")
    numbers = asked.numbers_of(build_judge(spec, device), device, of_pairs=of_pairs)
    wanted = spec.answers or asked.known(place(), judge)
    if wanted is None:
        _remember(place(), judge, numbers)
        found = None
    else:
        found = asked.differences(wanted, numbers, asked.tolerance(spec.view))
    if not found:
        _write(_note(spec, device), canonical({**judge, "answers": numbers}))
    return found


# ---- scores of fixed pictures -----------------------------------------------------------------------

MEASURES = ("fid", "ssfid", "fd_dinov2", "id", "lpips", "lpips_vgg", "lpips_squeeze", "lpips_psp256")
"""Metrics that ask one judge alone."""

MEASURED_SIDE = 320  # pixels: views make them smaller, where those of `ask` become larger
OF_SCORES = 10  # times further than answers, squares and sums of which they are


def measure(spec: JudgeSpec, device: str) -> tuple[dict[str, float], list[str]]:
    """Metric -> its value under this judge, on eight pictures and the same mirrored; and what differs from
    the values that were remembered when the same version of it was first asked with the same weights."""
    from .judges import asked

    judge, metrics = identity_of(spec), [catalog().metric(name) for name in MEASURES]
    found = {one: _score(one, spec, device) for one in metrics if one.judges == (spec.role,)}
    numbers = {f"{one.name} {one.version}": value for one, value in found.items()}
    known = asked.known(measured_place(), judge) or {}
    if not numbers.keys() <= known.keys():
        _remember(measured_place(), judge, {**numbers, **known})
    within = OF_SCORES * asked.tolerance(spec.view)
    differences = [
        f"{name} wanted {known[name]:.6g}, found {value:.6g}"
        for name, value in numbers.items()
        if name in known and not abs(value - known[name]) <= within * abs(known[name])
    ]
    return {one.name: value for one, value in found.items()}, differences


def _score(metric: MetricSpec, spec: JudgeSpec, device: str) -> float:
    """The metric from 8-bit pictures on, as a run has it."""
    import torch

    from .contracts import EditBatch, Undefined
    from .judges import asked
    from .observe import Observation
    from .suite import Edit

    source = asked.formula_pictures(MEASURED_SIDE)
    rows, labels = torch.arange(len(source)), torch.zeros(len(source), 0)
    batch = EditBatch(source.float(), labels, labels, labels > 0, torch.ones(len(source)), rows, ())
    seen = Observation(
        batch=batch,
        samples=rows,
        edit=Edit("reconstruction"),
        edit_index=0,
        source=source,
        edited=source.flip(3),
        truth=None,
        regions=None,
        judges={spec.role: build_judge(spec, device)},
        device=device,
        landmarks=asked.formula_points(MEASURED_SIDE),
    )
    measuring = metric.load()
    state = measuring.empty()
    with torch.inference_mode():
        measuring.update(state, seen)
    value = measuring.finish(state)[metric.name]
    assert not isinstance(value, Undefined), value
    return float(value)


def measured_place() -> Path:
    """Where scores of fixed pictures are remembered."""
    return folders.weights() / "measured.json"


def complaint(wrong: Mapping[str, Sequence[str]]) -> str:
    """Which judges answer otherwise, how, and what to do."""
    lines = [f"  {name}: {'; '.join(found[:3])}" for name, found in wrong.items()]
    return "\n".join(
        [
            f"{len(wrong)} judge(s) answer otherwise than before with the same weights:",
            *lines,
            "Colours in another order, another resizing or scaling, a network left in training, or tensors",
            "out of place do this. Install the packages that were here before, or faceedit-bench again. A",
            f"judge that is meant to answer otherwise wants a new version. Remembered: {place()}",
        ]
    )


def place() -> Path:
    """Where answers are remembered of judges that bring none."""
    return folders.weights() / "answers.json"


def _remember(place: Path, judge: Mapping[str, str], numbers: Mapping[str, Any]) -> None:
    from .judges import asked

    try:
        asked.remember(place, judge, numbers)
    except OSError as error:
        progress.say(f"{place}: cannot be written ({error.strerror}); others will have to ask again")


def _note(spec: JudgeSpec, device: str) -> Path:
    """A file that is there once all was well; its name holds whatever may change an answer."""
    import torch

    sources = sorted(home_of(spec).glob("*.py"))
    told = {
        **identity_of(spec),
        "view": spec.view,
        "answers": spec.answers,
        "code": hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest(),
        "load": f"{spec.load.__module__}.{spec.load.__qualname__}",
        "packages": _packages(),
        "device": "cpu" if device == "cpu" else torch.cuda.get_device_name(device),
    }
    digest = hashlib.sha256(canonical(told).encode()).hexdigest()
    return folders.cache() / "asked" / f"{spec.name}-{digest[:16]}.json"


@functools.cache
def _packages() -> dict[str, str]:
    """Package -> version, of those that are installed."""
    found = {}
    for name in BELOW:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def _write(path: Path, text: str) -> None:
    """It only saves time: a folder that cannot be written costs asking again."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")
