"""Entry points -> Catalog. One small plugin manager per plugin, so that a broken one stays alone."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Protocol, TypeVar

import pluggy

from . import hookspecs
from .contracts import DatasetSpec, JudgeSpec, MethodSpec, MetricSpec
from .errors import PluginBroken, UnknownName

GROUP = "faceedit_bench.plugins"


class Named(Protocol):
    @property
    def name(self) -> str: ...


Spec = TypeVar("Spec", bound=Named)


@dataclass(frozen=True)
class Origin:
    """Where a plugin comes from."""

    plugin: str
    distribution: str
    version: str


@dataclass
class Catalog:
    """Everything that is offered, by name, and what is broken, with its reason."""

    methods: dict[str, MethodSpec] = field(default_factory=dict)
    metrics: dict[str, MetricSpec] = field(default_factory=dict)
    judges: dict[str, JudgeSpec] = field(default_factory=dict)
    datasets: dict[str, DatasetSpec] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    origins: dict[tuple[str, str], Origin] = field(default_factory=dict)  # (kind, name) -> origin

    def method(self, name: str) -> MethodSpec:
        return self._find("method", self.methods, name)

    def metric(self, name: str) -> MetricSpec:
        return self._find("metric", self.metrics, name)

    def judge(self, name: str) -> JudgeSpec:
        return self._find("judge", self.judges, name)

    def dataset(self, name: str) -> DatasetSpec:
        return self._find("data set", self.datasets, name)

    def _find(self, kind: str, table: dict[str, Spec], name: str) -> Spec:
        if name in table:
            return table[name]
        reasons = "".join(
            f"\nplugin {plugin!r} is broken: {why}" for plugin, why in sorted(self.broken.items())
        )
        raise UnknownName(kind, name, table, extra=reasons)


@functools.cache
def catalog() -> Catalog:
    """The catalog of this installation, built once per process."""
    return build(sorted(entry_points(group=GROUP), key=lambda entry: entry.name))


def build(entries: Iterable[EntryPoint]) -> Catalog:
    """Load each plugin alone; an exception goes into `broken`, never further."""
    found = Catalog()
    for entry in entries:
        try:
            _add(found, entry)
        except (Exception, SystemExit) as error:  # a plugin may raise anything; the rest must go on
            found.broken[entry.name] = f"{type(error).__name__}: {error}"
    return found


def _add(found: Catalog, entry: EntryPoint) -> None:
    offers = _offers(entry.name, entry.load())
    kinds: tuple[tuple[str, dict[str, Any], type], ...] = (
        ("method", found.methods, MethodSpec),
        ("metric", found.metrics, MetricSpec),
        ("judge", found.judges, JudgeSpec),
        ("data set", found.datasets, DatasetSpec),
    )
    for (kind, table, wanted), specs in zip(kinds, offers, strict=True):
        for spec in specs:
            _check(kind, table, wanted, spec, found)
        names = [spec.name for spec in specs]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise PluginBroken(f"offers {kind} {', '.join(map(repr, twice))} more than once")
    distribution = entry.dist
    origin = Origin(
        plugin=entry.name,
        distribution=distribution.name if distribution else "unknown",
        version=distribution.version if distribution else "unknown",
    )
    for (kind, table, _), specs in zip(kinds, offers, strict=True):
        for spec in specs:
            table[spec.name] = spec
            found.origins[kind, spec.name] = origin


def _offers(name: str, module: object) -> list[list[Any]]:
    """What the four hooks of one plugin return."""
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(module, name=name)
    manager.check_pending()
    hooks: tuple[Callable[[], list[list[Any]]], ...] = (
        manager.hook.faceedit_methods,
        manager.hook.faceedit_metrics,
        manager.hook.faceedit_judges,
        manager.hook.faceedit_datasets,
    )
    return [[spec for offer in hook() for spec in offer] for hook in hooks]


def _check(kind: str, table: dict[str, Any], wanted: type, spec: object, found: Catalog) -> None:
    if not isinstance(spec, wanted):
        raise PluginBroken(f"offered {spec!r} as a {kind}; wanted a {wanted.__name__}")
    name = spec.name  # type: ignore[attr-defined]
    if name in table:
        taken = found.origins[kind, name]
        raise PluginBroken(
            f"{kind} {name!r} is already offered by plugin {taken.plugin!r} ({taken.distribution})"
        )
