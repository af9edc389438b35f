"""What a record was measured by, against what is pinned here: suite, data set, judges, metrics."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .. import suite as suites
from ..catalog import catalog
from ..errors import FaceEditError, UnknownName
from ..evaluate import judge_roles, usable_metrics
from ..runs import judges_of
from ..store.fingerprint import stamped
from ..suite import Suite
from ..weights import identity_of, of_judge, require
from .faults import Fault, shortened
from .record import Claim

FIRST = re.compile(r"(.+)-first-([1-9][0-9]{0,8})")  # suite.limited


def known_suite(name: str, given: str | None) -> Suite:
    """The suite of that name as it is here: one of the package's, or the one in the file `given`."""
    limited = FIRST.fullmatch(name)
    base, count = (limited[1], int(limited[2])) if limited else (name, None)
    if given is not None:
        suite = suites.load(given)
        if suite.name not in (base, name):
            raise UnknownName("suite", name, [suite.name], extra=f"; {given} is of another name")
        return suite if suite.name == name else suites.limited(suite, count)
    if base not in suites.names():
        raise UnknownName("suite", shortened(name), suites.names(), extra="; give its file with --suite")
    return suites.limited(suites.load(base), count)


def faults(claim: Claim, given: str | None) -> list[Fault]:
    """Everything that this installation would measure otherwise."""
    try:
        known = known_suite(claim.identity.suite.name, given)
    except FaceEditError as error:
        return [Fault("suite", "its name", "a suite that is known here", str(error))]
    found = [*_of_suite(claim, known)]
    return found or [*_of_data(claim), *_of_judges(claim), *_of_metrics(claim)]


def _of_suite(claim: Claim, known: Suite) -> Iterator[Fault]:
    told, here = claim.identity.suite, known.fingerprint()
    if told.fingerprint != here:
        yield Fault("suite", f"fingerprint of {known.name}", here, shortened(told.fingerprint))
    if claim.suite.fingerprint() != here:
        yield Fault("suite", f"content of {known.name}", here, claim.suite.fingerprint())


def _of_data(claim: Claim) -> Iterator[Fault]:
    told, spec = claim.identity.data, catalog().dataset(claim.suite.dataset)
    wanted = (spec.name, spec.version, claim.suite.split)
    if wanted != (told.name, told.version, told.split):
        yield Fault(
            "suite", "data set", " ".join(wanted), shortened(f"{told.name} {told.version} {told.split}")
        )
    if claim.suite.count and told.count != claim.suite.count:
        yield Fault("suite", "faces", str(claim.suite.count), str(told.count))
    if told.left_out:
        yield Fault("suite", "files that could not be read", "none left out", str(len(told.left_out)))


def _of_judges(claim: Claim) -> Iterator[Fault]:
    judges = judges_of(claim.suite)
    asked = {role: judges[role] for role in judge_roles(usable_metrics(claim.suite)[0])}
    try:
        require([of_judge(spec) for spec in asked.values()])
        pinned = {role: identity_of(spec) for role, spec in asked.items()}
    except FaceEditError as error:
        yield Fault("judges", "their weights", "all of them here, to ask them again", str(error))
        return
    found = claim.identity.judges
    for role in sorted({*pinned, *found}):
        if pinned.get(role) != found.get(role):
            yield Fault(
                "judges", f"judge of {shortened(role)}", _told(pinned.get(role)), _told(found.get(role))
            )


def _told(judge: dict[str, str] | None) -> str:
    return "none" if judge is None else shortened(" ".join(judge.values()))


def _of_metrics(claim: Claim) -> Iterator[Fault]:
    here = {spec.name: spec.version for spec in usable_metrics(claim.suite)[0]}
    told = claim.identity.metrics
    for name in sorted({*here, *told}):
        if here.get(name) != told.get(name):
            wanted, found = (f"version {some[name]}" if name in some else "none" for some in (here, told))
            yield Fault("metrics", shortened(name), wanted, shortened(found))


def of_fingerprints(claim: Claim) -> Iterator[Fault]:
    """Scores that say that something else made them; those of before there were fingerprints say nothing."""
    made = stamped(claim.scores, claim.identity.judges, claim.identity.numerics.get("dtype", "float32"))
    for told, here in zip(claim.scores, made, strict=True):
        if told.fingerprint not in ("", here.fingerprint):
            what = shortened(f"fingerprint of {told.metric} of {told.edit}")
            yield Fault("scores", what, here.fingerprint, shortened(told.fingerprint))
