"""The documentation is true: its plugins work, its commands and options exist."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType

import click
import numpy as np
import pytest
import torch
from PIL import Image

from faceedit_bench.api import EditBatch
from faceedit_bench.catalog import GROUP, Catalog, build
from faceedit_bench.cli import cli
from faceedit_bench.errors import BadDataset

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted(ROOT.glob("plugins/*/README.md"))]


@pytest.fixture
def offered(request: pytest.FixtureRequest) -> Iterator[Catalog]:
    """The catalog of the first Python block of a page, as a plugin."""
    name = f"docs_{request.param}"
    text = (ROOT / "docs" / f"adding-a-{request.param}.md").read_text(encoding="utf-8")
    code = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)[0]
    module = ModuleType(name)
    sys.modules[name] = module
    exec(compile(code, f"adding-a-{request.param}.md", "exec"), vars(module))
    yield build([EntryPoint(name, name, GROUP)])
    del sys.modules[name]


@pytest.mark.parametrize("offered", ["method"], indirect=True)
def test_the_method_of_the_page_edits(offered: Catalog) -> None:
    assert offered.broken == {}
    spec = offered.method("brighten")
    source, target = torch.zeros(1, 13), torch.eye(13)[:1]
    images = torch.zeros(1, 3, 8, 8)
    batch = EditBatch(images, source, target, target > 0, torch.ones(1), torch.arange(1), spec.attributes)
    editor = spec.load(spec.presets["strong"].options, None)  # type: ignore[arg-type]
    assert torch.equal(editor.edit(batch), images + 0.5)


@pytest.mark.parametrize("offered", ["metric"], indirect=True)
def test_the_metric_of_the_page_measures(offered: Catalog) -> None:
    assert offered.broken == {}
    metric = offered.metric("brightness").load()

    class Seen:
        source = torch.zeros(2, 3, 4, 4, dtype=torch.uint8)
        edited = torch.stack([source[0], source[1] + 10])
        samples = torch.arange(2)
        edit_index = 0

    state = metric.empty()
    metric.update(state, Seen())  # type: ignore[arg-type]
    assert metric.finish(state) == {"brightness": 5.0}


@pytest.mark.parametrize("offered", ["dataset"], indirect=True)
def test_the_data_set_of_the_page_opens(offered: Catalog, tmp_path: Path) -> None:
    assert offered.broken == {}
    Image.new("RGB", (30, 20), (1, 2, 3)).save(tmp_path / "a.png")
    (tmp_path / "labels.csv").write_text("file,Bald,Bangs,Eyeglasses,Male\na.png,0,1,0,1\n")
    spec = offered.dataset("my-faces")
    faces = spec.open(tmp_path, "test", 16, 0)
    assert (
        len(faces) == 1
        and faces[0].image.shape == (3, 16, 16)
        and faces[0].image[:, 0, 0].tolist() == [1, 2, 3]
    )
    assert np.array_equal(faces[0].labels, [0, 1, 0, 1])
    assert faces.digest() == spec.open(tmp_path, "test", 16, 0).digest()
    (tmp_path / "labels.csv").unlink()
    with pytest.raises(BadDataset, match=r"labels\.csv: no such file"):
        spec.open(tmp_path, "test", 16, 0)


def commands(page: Path) -> list[str]:
    """Indented or fenced lines that call faceedit-bench."""
    return re.findall(
        r"^(?: {4}|\$ )?(?:.* && )?faceedit-bench +(.+)$", page.read_text(encoding="utf-8"), re.MULTILINE
    )


@pytest.mark.parametrize(
    ("page", "line"),
    [(page.name, line) for page in PAGES for line in commands(page)],
    ids=lambda part: part[:60],
)
def test_commands_of_the_documentation_exist_with_their_options(page: str, line: str) -> None:
    words = line.split("#")[0].split()
    command: click.Command | None = cli
    while words and isinstance(command, click.Group) and not words[0].startswith("-"):
        command = command.get_command(click.Context(command), words.pop(0))
        assert command is not None, line
    assert command is not None
    known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    if command is cli:
        known |= {"--debug", "--version"}
    assert [word for word in words if word.startswith("--") and word not in known] == []
