"""Identity and provenance of a run, and the id made from its identity."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from . import __version__

SUPPLIED = "pictures supplied"
"""In place of a method's preset: what made the edits was not run here; `faceedit-bench score` got them."""


@dataclass(frozen=True)
class Manifest:
    """`identity` decides every number; `provenance` tells when and where, and decides none."""

    identity: dict[str, Any]
    provenance: dict[str, Any]

    @property
    def id(self) -> str:
        """The digest's first 16 hex digits."""
        return self.digest[:16]

    @property
    def digest(self) -> str:
        """sha256 over the canonical JSON of the identity."""
        return hashlib.sha256(canonical(self.identity).encode()).hexdigest()


def precision(judge: Mapping[str, str]) -> str:
    """`, float64` behind a judge that was asked in another precision than float32."""
    return f", {judge['dtype']}" if "dtype" in judge else ""


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces: equal values, equal text."""
    return json.dumps(plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def plain(value: Any) -> Any:
    """Dataclasses, tuples and mappings as JSON knows them."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    return value


def provenance() -> dict[str, Any]:
    """When and on what kind of machine; no host name, user name or path."""
    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "faceedit_bench": __version__,
        "python": platform.python_version(),
        "system": platform.system(),
        "machine": platform.machine(),
    }
