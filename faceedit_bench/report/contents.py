"""The report in words and tables, for formats without plots and pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..catalog import catalog
from . import background, figures, growth, standings
from .headline import contests
from .material import Run
from .parts import Part, Table, Words

Sections = Mapping[str, Sequence[Part]]  # title -> what stands there


def title(runs: Sequence[Run]) -> str:
    """`drawn-128: coogan and stgan`."""
    names = [run.name for run in runs]
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return f"{runs[0].identity['suite']['name']}: {listed}"


def about(runs: Sequence[Run]) -> str:
    """How many runs over which faces."""
    data = runs[0].identity["data"]
    spec = catalog().datasets.get(str(data["name"]))
    of = f"{len(runs)} {'runs' if len(runs) > 1 else 'run'} over {data['count']} faces of {data['name']}"
    return f"{of}{f' ({spec.summary})' if spec else ''}."


def contents(runs: Sequence[Run], sizes: Sequence[int] = ()) -> Sections:
    """Every section that has something to say; costs are predicted at `sizes`."""
    with growth.following(runs, sizes) as started:
        return _contents(runs, started)


def _contents(runs: Sequence[Run], started: growth.Started) -> Sections:
    found = contests(runs)
    against = standings.against_best(found)
    left_out = any(run.faces.get("unusable") for run in runs)
    sections: dict[str, Sequence[Part]] = {
        "Scores": [
            *standings.scores(runs, found),
            standings.legend(runs),
            *([_faces(runs)] if left_out else []),
        ],
        "Against the best": [against] if against else [],
        "Edit by edit": figures.tables_per_edit(runs),
        "Identity against strength": figures.tables_of_strengths(runs),
        "Cost": background.cost(runs),
        "Cost against size": growth.tables(runs, growth.finished(started)),
        "What went wrong": background.failures(runs),
        "Protocol": background.protocol(runs),
        "Runs": background.digests(runs),
        "Citations": background.citations(runs),
        "Licences": background.licences(runs, pictures=False),
        "What is not here": [
            Words("Plots and pictures: they are in the report's other formats, html and pdf.")
        ],
    }
    return {name: parts for name, parts in sections.items() if parts}


def _faces(runs: Sequence[Run]) -> Table:
    rows = [[run.name, f"{run.faces['scored']} of {run.faces['of']}"] for run in runs]
    return Table("Faces that were scored", ["method", "faces"], rows)
