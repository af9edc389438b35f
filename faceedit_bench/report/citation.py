"""BibTeX of what a report uses: methods, data sets and judges, as far as their papers are known."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from ..catalog import catalog
from .material import Run

ARXIV = re.compile(r"arXiv:(\d{4}\.\d{4,5})")

# paper as the specs name it -> kind, first author, title, where, year
PAPERS: Mapping[str, tuple[str, str, str, str, int]] = {
    "arXiv:1711.09020": (
        "inproceedings",
        "Choi, Yunjey",
        "StarGAN: Unified Generative Adversarial Networks for Multi-Domain Image-to-Image Translation",
        "CVPR",
        2018,
    ),
    "arXiv:1711.10678": (
        "article",
        "He, Zhenliang",
        "AttGAN: Facial Attribute Editing by Only Changing What You Want",
        "IEEE Transactions on Image Processing 28(11)",
        2019,
    ),
    "arXiv:1904.09709": (
        "inproceedings",
        "Liu, Ming",
        "STGAN: A Unified Selective Transfer Network for Arbitrary Image Attribute Editing",
        "CVPR",
        2019,
    ),
    "arXiv:2011.01563": (
        "inproceedings",
        "Chen, Xuanhong",
        "CooGAN: A Memory-Efficient Framework for High-Resolution Facial Attribute Editing",
        "ECCV",
        2020,
    ),
    "ECCV 2018, pp. 417–432": (
        "inproceedings",
        "Zhang, Gang",
        "Generative Adversarial Network with Spatial Attention for Face Attribute Editing",
        "ECCV, pp. 417--432",
        2018,
    ),
    "arXiv:2111.09298": (
        "misc",
        "Sun, Jiaze",
        "SeCGAN: Parallel Conditional Generative Adversarial Networks for Face Editing via Semantic "
        "Consistency",
        "",
        2021,
    ),
    "arXiv:2102.02766": (
        "article",
        "Tov, Omer",
        "Designing an Encoder for StyleGAN Image Manipulation",
        "ACM Transactions on Graphics (SIGGRAPH)",
        2021,
    ),
    "arXiv:2402.14398": (
        "inproceedings",
        "Li, Hao",
        "Gradual Residuals Alignment: A Dual-Stream Framework for GAN Inversion and Image Attribute Editing",
        "AAAI",
        2024,
    ),
    "arXiv:1411.7766": (
        "inproceedings", "Liu, Ziwei", "Deep Learning Face Attributes in the Wild", "ICCV", 2015
    ),
    "arXiv:1710.10196": (
        "inproceedings",
        "Karras, Tero",
        "Progressive Growing of GANs for Improved Quality, Stability, and Variation",
        "ICLR",
        2018,
    ),
    "arXiv:1907.11922": (
        "inproceedings",
        "Lee, Cheng-Han",
        "MaskGAN: Towards Diverse and Interactive Facial Image Manipulation",
        "CVPR",
        2020,
    ),
    "arXiv:1812.04948": (
        "inproceedings",
        "Karras, Tero",
        "A Style-Based Generator Architecture for Generative Adversarial Networks",
        "CVPR",
        2019,
    ),
    "UMass Amherst TR 07-49": (
        "techreport",
        "Huang, Gary B.",
        "Labeled Faces in the Wild: A Database for Studying Face Recognition in Unconstrained Environments",
        "University of Massachusetts, Amherst, 07-49",
        2007,
    ),
    "arXiv:1801.07698": (
        "inproceedings",
        "Deng, Jiankang",
        "ArcFace: Additive Angular Margin Loss for Deep Face Recognition",
        "CVPR",
        2019,
    ),
    "arXiv:2004.00288": (
        "inproceedings",
        "Huang, Yuge",
        "CurricularFace: Adaptive Curriculum Learning Loss for Deep Face Recognition",
        "CVPR",
        2020,
    ),
    "arXiv:2006.09882": (
        "inproceedings",
        "Caron, Mathilde",
        "Unsupervised Learning of Visual Features by Contrasting Cluster Assignments",
        "NeurIPS",
        2020,
    ),
    "arXiv:2304.07193": (
        "article",
        "Oquab, Maxime",
        "DINOv2: Learning Robust Visual Features without Supervision",
        "Transactions on Machine Learning Research",
        2024,
    ),
    "arXiv:1512.00567": (
        "inproceedings",
        "Szegedy, Christian",
        "Rethinking the Inception Architecture for Computer Vision",
        "CVPR",
        2016,
    ),
    "arXiv:1801.03924": (
        "inproceedings",
        "Zhang, Richard",
        "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric",
        "CVPR",
        2018,
    ),
    "arXiv:1808.00897": (
        "inproceedings",
        "Yu, Changqian",
        "BiSeNet: Bilateral Segmentation Network for Real-time Semantic Segmentation",
        "ECCV",
        2018,
    ),
}  # fmt: skip

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
    ("swav-rn50", "arXiv:2006.09882"),
    ("dinov2", "arXiv:2304.07193"),
    ("inception-2015", "arXiv:1512.00567"),
    ("lpips", "arXiv:1801.03924"),
    ("bisenet", "arXiv:1808.00897"),
)


def used(runs: Sequence[Run]) -> dict[str, list[str]]:
    """Paper -> what of the report it describes, each in the order of the runs. "" for what has none."""
    found: dict[str, list[str]] = {}
    for name, paper in _named_papers(runs):
        users = found.setdefault(paper, [])
        if name not in users:
            users.append(name)
    return found


def _named_papers(runs: Sequence[Run]) -> Iterable[tuple[str, str]]:
    methods = catalog().methods
    for run in runs:
        paper = methods[run.method].paper if run.method in methods else ""
        yield f"method {run.method}", "" if paper == "none" else paper
    data = str(runs[0].identity["data"]["name"])
    yield f"data set {data}", DATA.get(data, "")
    for judge in (judge for run in runs for judge in run.identity["judges"].values()):
        paper = next((paper for start, paper in JUDGES if judge["name"].startswith(start)), "")
        yield f"judge {judge['name']}", paper


def bibtex(papers: Mapping[str, Sequence[str]]) -> str:
    """One entry per paper; a paper of which only the number is known has an entry with the number."""
    return "\n\n".join(_entry(paper, users) for paper, users in papers.items() if paper)


def _entry(paper: str, users: Sequence[str]) -> str:
    kind, author, title, where, year = PAPERS.get(paper, ("misc", "", "", "", 0))
    number = ARXIV.fullmatch(paper)
    place = {"inproceedings": "booktitle", "article": "journal", "techreport": "institution"}.get(kind, "")
    fields = {
        "author": f"{author} and others" if author else "",
        "title": f"{{{title}}}" if title else "",
        **({place: where} if place else {}),
        "year": str(year or ""),
        "eprint": number[1] if number else "",
        "archiveprefix": "arXiv" if number else "",
        "note": _clean(f"{'' if kind != 'misc' or title else paper + '; '}{', '.join(users)}"),
    }
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([f"@{kind}{{{_key(paper, author, year)},", *lines, "}"])


def _key(paper: str, author: str, year: int) -> str:
    """`chen2020-2011.01563`: unique, as the number is."""
    tail = re.sub(r"[^A-Za-z0-9.]+", "-", paper.removeprefix("arXiv:")).strip("-")
    return f"{author.partition(',')[0].lower()}{year}-{tail}" if author else tail


def _clean(words: str) -> str:
    """Names as BibTeX takes them: no braces, no backslashes."""
    return re.sub(r"[{}\\]", "", words)
