"""Settings of a training from a file and the command line, the command line first."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..train.config import TrainingConfig


def merged(
    file: Path | None,
    given: Mapping[str, Any],
    options: Mapping[str, Any],
    *,
    is_gpu: bool,
    say: Callable[[str], None],
) -> TrainingConfig:
    """Defaults, below the file, below what was `given`; `options` are the method's."""
    from .. import config
    from ..errors import BadConfig
    from ..train.config import TrainingConfig

    if file is None and "method" not in given:
        raise BadConfig('which method? Give --method NAME, or --config FILE with a line method = "NAME"')
    if file is None:
        file = shipped(given["method"], given.get("preset"))
        if file:
            say(f"settings from {file}")
    for_device = {"precision": "bf16", "compile": True, "channels_last": True} if is_gpu else {}
    if file is None:
        base = config.fill(TrainingConfig, {**for_device, **given}, where="options")
    else:
        base = config.load(TrainingConfig, file)
        _same_method(base, given, file)
        said = tomllib.loads(file.read_text(encoding="utf-8"))
        not_said = {key: value for key, value in for_device.items() if key not in said}
        base = config.fill(TrainingConfig, {**not_said, **given}, where="options", base=base)
    stages = _without_own(base, given)
    return dataclasses.replace(base, options={**base.options, **options}, stages=stages)


def shipped(method: str, preset: str | None) -> Path | None:
    """The training file of this source tree for a method and preset (None: its first), if there is one."""
    from ..catalog import catalog

    preset = preset or catalog().method(method).default_preset
    path = Path(__file__).parents[2] / "configs" / "train" / f"{method}-{preset}.toml"
    return path if path.is_file() else None


def _same_method(base: TrainingConfig, given: Mapping[str, Any], file: Path) -> None:
    """A file is written for one method; its numbers mean nothing for another."""
    from ..errors import BadConfig

    if "method" in given and given["method"] != base.method:
        raise BadConfig(f"{file} is for method {base.method!r}; --method says {given['method']!r}")


def _without_own(base: TrainingConfig, given: Mapping[str, Any]) -> dict[str, Any]:
    """Stages without the numbers of their own that the command line overrules."""
    names = (
        {field.name for field in dataclasses.fields(next(iter(base.stages.values())))}
        if base.stages
        else set()
    )
    overruled = {key: None for key in given if key in names}
    return {name: dataclasses.replace(stage, **overruled) for name, stage in base.stages.items()}
