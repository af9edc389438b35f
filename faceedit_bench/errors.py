"""Errors a user can fix. The command line prints their message without a traceback and exits with 1.

FaceEditError
├── UnknownName      a method, metric, judge, suite, data set, edit or preset that nothing offers
├── PluginBroken     a plugin could not be imported, or offered something that is not what its hook wants
├── BrokenPromise    a method returned the wrong shape, range or dtype, or NaN
├── WrongWeights     a weights file is missing, has another hash, or does not fit the network
├── BadConfig        a TOML file or an option does not say what was asked for
├── BadImage         a picture cannot be read
├── NoFace           no face is found in a picture: it is left out, listed and counted, and the run goes on
├── BadDataset       a data set is missing, incomplete, or lacks what the suite needs
├── ResultsError     a results folder cannot be written, is damaged, or belongs to another run
└── TrainingFailed   a loss or a weight is no longer a number
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class FaceEditError(Exception):
    """Base of everything a user can fix."""


class UnknownName(FaceEditError):
    """A name that nothing offers; the message carries the nearest one."""

    def __init__(
        self, kind: str, name: str, known: Iterable[str], extra: str = "", *, listed_by: str = ""
    ) -> None:
        """`listed_by`: the command that shows the known names, where they are too many for a message."""
        names = sorted(known)
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
        near = near or [one for one in names if name and one.startswith(name)]
        listed = (
            f"`{listed_by}` shows the known ones" if listed_by else f"known: {', '.join(names) or 'none'}"
        )
        hint = f"did you mean {near[0]!r}?" if near else listed
        super().__init__(f"unknown {kind} {name!r}; {hint}{extra}")


class PluginBroken(FaceEditError):
    """A plugin could not be imported or offered something unusable."""


class BrokenPromise(FaceEditError):
    """A method returned something other than what the contract asks for."""


class WrongWeights(FaceEditError):
    """A weights file is missing, has another hash, or does not fit the network."""


class BadConfig(FaceEditError):
    """A TOML file or an option does not say what was asked for."""


class BadImage(FaceEditError):
    """A picture cannot be read."""


class NoFace(FaceEditError):
    """No face is found in a picture. A data set raises it for a sample, or a method for a batch with such a
    picture in it; the engine finds out which, leaves it out of every edit, and says so."""

    def __init__(self, reason: str, picture: str = "") -> None:
        super().__init__(f"{picture}: {reason}" if picture else reason)
        self.reason, self.picture = reason, picture


class BadDataset(FaceEditError):
    """A data set is missing, incomplete, or lacks what the suite needs."""


class ResultsError(FaceEditError):
    """A results folder cannot be written, is damaged, or belongs to another run."""


class TrainingFailed(FaceEditError):
    """A loss or a weight is no longer a number."""
