"""BibTeX of what a report uses: methods, data sets and judges, as far as their papers are known."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from typing import Any

from .. import __version__
from ..catalog import catalog
from .material import CEILING, FLOOR, Run

ARXIV = re.compile(r"arXiv:(\d{4}\.\d{4,5})")
OURS = "faceedit-bench"  # stands for the paper of what comes with this program and has none
ENTRY = {
    "kind": "misc",
    "author": ["{The faceedit-bench authors}"],
    "title": "{faceedit-bench}: Comparing Face Attribute Editing Methods",
    "howpublished": f"Software, version {__version__}",
}

DATA = {
    "celeba": "arXiv:1411.7766",
    "celeba-170": "arXiv:1411.7766",
    "celebahq": "arXiv:1710.10196",
    "celebamask-hq": "arXiv:1907.11922",
    "lfw": "UMass Amherst TR 07-49",
    "ffhq": "arXiv:1812.04948",
}
JUDGES = (  # start of a judge's name -> paper
    ("arcface", "arXiv:1801.07698"),
    ("curricularface", "arXiv:2004.00288"),
    ("retinaface", "arXiv:1905.00641"),
    ("mtcnn", "arXiv:1604.02878"),
    ("swav-rn50", "arXiv:2006.09882"),
    ("dinov2", "arXiv:2304.07193"),
    ("inception-2015", "arXiv:1512.00567"),
    ("lpips", "arXiv:1801.03924"),
    ("bisenet", "arXiv:1808.00897"),
    ("dlib", "JMLR 10, pp. 1755–1758"),
    ("attributes-resnet50", "arXiv:1512.03385"),
    ("attributes-convnext", "arXiv:2201.03545"),
)


@functools.cache
def known() -> dict[str, dict[str, Any]]:
    """Paper as the specs name it -> the fields of its entry, `kind` and a list of authors among them."""
    text = files(__package__).joinpath("papers.toml").read_text("utf-8")
    return {**tomllib.loads(text), OURS: ENTRY}


# ---- which ----------------------------------------------------------------------------------------


def used(runs: Sequence[Run]) -> dict[str, list[str]]:
    """Paper -> what of the report it describes, each in the order of the runs. "" for what has none."""
    found: dict[str, list[str]] = {}
    for name, paper in _named_papers(runs):
        users = found.setdefault(paper, [])
        if name not in users:
            users.append(name)
    return found


def _named_papers(runs: Sequence[Run]) -> Iterable[tuple[str, str]]:
    for run in runs:
        yield f"method {run.method}", _of_method(run.method)
    data = str(runs[0].identity["data"]["name"])
    yield f"data set {data}", DATA.get(data) or _ours(catalog().datasets.get(data))
    for judge in (judge for run in runs for _, judge in run.judges):
        paper = next((paper for start, paper in JUDGES if judge["name"].startswith(start)), "")
        yield f"judge {judge['name']}", paper or _ours(catalog().judges.get(judge["name"]))


def _of_method(name: str) -> str:
    spec = catalog().methods.get(name)
    if spec is None:
        return ""
    if spec.paper != "none":
        return spec.paper
    return OURS if name in (FLOOR, CEILING) else ""


def _ours(spec: Any) -> str:
    """Drawn faces, and the judges that learned on them, come with this program."""
    return OURS if spec is not None and spec.faces == "drawn" else ""


# ---- entries --------------------------------------------------------------------------------------


def bibtex(papers: Mapping[str, Sequence[str]]) -> str:
    """One entry per paper; a paper of which only the number is known has an entry with the number."""
    return "\n\n".join(_entry(paper, users) for paper, users in papers.items() if paper)


def _entry(paper: str, users: Sequence[str]) -> str:
    told = dict(known().get(paper, {"kind": "misc"}))
    kind, authors = told.pop("kind"), told.pop("author", [])
    number = ARXIV.fullmatch(paper)
    fields = {
        "author": " and ".join(authors),
        **told,
        **({"eprint": number[1], "archiveprefix": "arXiv"} if number else {}),
        "note": _clean("; ".join([*([] if paper in known() else [paper]), f"Here: {', '.join(users)}"])),
    }
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([f"@{kind}{{{_key(paper, authors, told.get('year'))},", *lines, "}"])


def _key(paper: str, authors: Sequence[str], year: int | None) -> str:
    """`chen2020-2011.01563`: unique, as the number is."""
    tail = re.sub(r"[^A-Za-z0-9.]+", "-", paper.removeprefix("arXiv:")).strip("-")
    return f"{authors[0].partition(',')[0].lower()}{year}-{tail}" if authors and year else tail


def _clean(words: str) -> str:
    """Names as BibTeX takes them: no braces, no backslashes."""
    return re.sub(r"[{}\\]", "", words)
