"""Whose cost is asked for: a method under a preset, and which sizes it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from .. import config
from ..catalog import catalog
from ..contracts import THIRTEEN, MethodSpec
from ..errors import BadConfig, FaceEditError, UnknownName
from ..weights import Choice, home_of, locate

PATCH_BATCH = "patch_batch"
"""An option of this name, patches per call of a network, changes memory and speed and not the result."""


@dataclass(frozen=True)
class Subject:
    """A method as it is asked about; nothing is loaded, and no weights need to be here."""

    spec: MethodSpec
    preset: str
    options: Any

    @property
    def name(self) -> str:
        return f"{self.spec.name}:{self.preset}" if len(self.spec.presets) > 1 else self.spec.name

    @property
    def attributes(self) -> tuple[str, ...]:
        """The columns of its batches; none where its options list attributes and the list is empty."""
        found = self.spec.attributes_for(self.options)
        return found if found or hasattr(self.options, "attributes") else THIRTEEN

    @property
    def patch_batch(self) -> int | None:
        """Patches per call; None for methods that see the whole picture at once."""
        has_one = any(field.name == PATCH_BATCH for field in fields(self.options))
        return getattr(self.options, PATCH_BATCH) if has_one else None

    def with_patch_batch(self, count: int) -> Subject:
        return replace(self, options=replace(self.options, **{PATCH_BATCH: count}))

    def choice(self) -> Choice | None:
        """Its weights; None where they are not here."""
        pins = self.spec.presets[self.preset].weights
        if pins is None:
            return None
        found = [locate(pin, home_of(self.spec)) for pin in pins]
        files = tuple(path for path in found if path is not None)
        return Choice(self.spec, self.preset, self.options, pins, files) if len(files) == len(pins) else None


def subject(name: str, settings: Mapping[str, Any] | None = None) -> Subject:
    """`stgan` under its first preset, `stgan:hr`, or `stgan-hr` where no method is called that."""
    spec, preset = _resolve(name)
    if "truth" in spec.needs:
        raise BadConfig(f"{spec.name} reads its answer from the data set; it has no cost to compare")
    base = spec.presets[preset].options
    known = {field.name for field in fields(base)}
    mine = {key: value for key, value in (settings or {}).items() if key in known}
    return Subject(spec, preset, config.fill(spec.options, mine, where=f"options of {name}", base=base))


def _resolve(name: str) -> tuple[MethodSpec, str]:
    method, colon, preset = name.partition(":")
    if colon or method in catalog().methods:
        spec = catalog().method(method)
        preset = preset or spec.default_preset
        if preset not in spec.presets:
            raise UnknownName(f"preset of {method}", preset, spec.presets)
        return spec, preset
    for spec in catalog().methods.values():
        preset = name.removeprefix(f"{spec.name}-")
        if preset != name and preset in spec.presets:
            return spec, preset
    catalog().method(name)  # says what it is near to
    raise AssertionError(name)


def check_settings(settings: Mapping[str, Any], subjects: list[Subject]) -> None:
    """Every option that is set belongs to at least one of the methods."""
    for key in settings:
        known = {field.name for asked in subjects for field in fields(asked.options)}
        if key not in known:
            raise UnknownName("option of the methods asked for", key, known)


def check_size(asked: Subject, size: int) -> None:
    """Refuse a size that the method says it does not take."""
    sizes = asked.spec.resolutions
    if sizes and size not in sizes:
        listed = ", ".join(map(str, sizes))
        raise BadConfig(f"{asked.name} does not take {size} px; it takes {listed}")


def explained(error: Exception) -> str:
    """Why something failed, in a line."""
    text = str(error).strip().splitlines()
    told = text[0] if text else "no reason given"
    return told if isinstance(error, FaceEditError) else f"{type(error).__name__}: {told}"
