"""A face that cannot be found is left out of every edit, listed and counted, and the run goes on."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from faceedit_bench import runs
from faceedit_bench.catalog import catalog
from faceedit_bench.cli import cli
from faceedit_bench.errors import BrokenPromise, NoFace
from faceedit_bench.store.records import export

PLUGIN = '''
from dataclasses import dataclass
from faceedit_bench.api import DatasetSpec, MethodSpec, NoFace, Preset, hookimpl
from faceedit_bench.contracts import THIRTEEN


@dataclass(frozen=True)
class Options:
    blind: tuple[int, ...] = ()  # positions of the samples in which it finds no face
    under: str = ""  # only where this attribute is asked for
    crowd: bool = False  # finds none in any batch of several pictures


class Picky:
    def __init__(self, options):
        self.options = options

    def edit(self, batch):
        asked = not self.options.under or batch.edited[:, batch.attributes.index(self.options.under)].any()
        places = (batch.seeds - 2020 * 1_000_003).tolist()
        if asked and set(places) & set(self.options.blind) or self.options.crowd and len(places) > 1:
            raise NoFace("the aligner found no face")
        return batch.images * 0.9


class Unaligned:
    """Drawn faces, in some of which no face is found."""

    def __init__(self, samples):
        self.samples, self.attributes, self.digest = samples, samples.attributes, samples.digest

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, index):
        if index in (0, 4):
            raise NoFace("no face found", f"picture-{index}.jpg")
        return self.samples[index]


def open_unaligned(root, split, resolution, count):
    from faceedit_bench.data.drawn_faces import open_drawn

    return Unaligned(open_drawn(root, split, resolution, count))


@hookimpl
def faceedit_methods():
    return [
        MethodSpec(
            "picky", "1", "for a test", "none", (), (), load=lambda options, context: Picky(options),
            options=Options, presets={"default": Preset(Options())},
        )
    ]


@hookimpl
def faceedit_datasets():
    return [
        DatasetSpec(
            "unaligned", "1", "for a test", THIRTEEN, ("test",), open_unaligned, ("labels",), "drawn", "drawn"
        )
    ]
'''
METRICS = 'metrics = ["tarr", "id", "ssfid", "psnr"]'


@pytest.fixture(scope="module", autouse=True)
def installed(tmp_path_factory: pytest.TempPathFactory) -> object:
    """The plugin as an installed distribution, so that worker processes find it too."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "picky_plugin.py").write_text(PLUGIN)
    about = folder / "picky_plugin-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: picky-plugin\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[faceedit_bench.plugins]\npicky = picky_plugin\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        catalog.cache_clear()
        yield
    catalog.cache_clear()


@pytest.fixture
def few(tiny: str, tmp_path: Path) -> str:
    """The tiny suite with fewer metrics."""
    text = Path(tiny).read_text()
    start, stop = text.index("metrics = ["), text.index("edits = [")
    path = tmp_path / "few.toml"
    path.write_text(text[:start] + METRICS + "\n" + text[stop:])
    return str(path)


def run(suite: str, results: Path, workers: int = 1, **options: object) -> runs.RunResult:
    return runs.run(
        "picky", suite=suite, results=results, workers=workers, measure_cost=False, options=options
    )


def outcome(folder: Path) -> dict[str, bytes]:
    names = ["scores.json", "samples.parquet", "faces.json", "images/sheet.png"]
    shards = sorted(path.name for path in (folder / "shards").iterdir())
    return {name: (folder / name).read_bytes() for name in names + [f"shards/{name}" for name in shards]}


def test_the_record_says_how_many_of_how_many_and_which(few: str, tmp_path: Path) -> None:
    done = run(few, tmp_path, blind=(1, 7))
    record = export(done.folder.path)
    assert (record["faces"]["scored"], record["faces"]["of"]) == (8, 10)
    assert {entry["reason"] for entry in record["faces"]["unusable"]} == {"the aligner found no face"}
    table = done.table().set_index(["metric", "edit"])
    assert table["n"]["id", "Male"] == 8 and table["n"]["psnr", "reconstruction"] == 8
    rows = pd.read_parquet(done.folder.path / "samples.parquet")
    left_out = {entry["sample"] for entry in record["faces"]["unusable"]}
    assert len(left_out) == 2 and len(rows) == 3 * 8 and not left_out & set(rows["sample"])


def test_scores_are_those_of_the_faces_that_were_found(few: str, tmp_path: Path) -> None:
    whole = pd.read_parquet(run(few, tmp_path).folder.path / "samples.parquet")
    part = run(few, tmp_path, blind=(1, 7))
    rows = pd.read_parquet(part.folder.path / "samples.parquet")
    of_all = whole[whole["sample"].isin(rows["sample"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(rows, of_all, rtol=1e-5)  # networks see batches of another size
    mean = rows[rows["edit"] == "reconstruction"]["psnr"].mean()
    assert part.table().set_index(["metric", "edit"])["value"]["psnr", "reconstruction"] == pytest.approx(
        mean
    )


def test_workers_and_a_stop_do_not_change_a_bit(few: str, tmp_path: Path) -> None:
    serial = run(few, tmp_path / "a", blind=(1, 7)).folder
    spread = run(few, tmp_path / "b", workers=2, blind=(1, 7)).folder
    assert outcome(spread.path) == outcome(serial.path)
    (spread.path / "scores.json").unlink()
    (spread.path / "shards" / "0003.safetensors").unlink()
    assert outcome(run(few, tmp_path / "b", blind=(1, 7)).folder.path) == outcome(serial.path)


@pytest.mark.parametrize(
    ("blind", "scored"), [((0, 1, 2), 7), ((6, 7, 8, 9), 6), ((0, 1, 2, 3, 4, 5), 4)], ids=str
)
def test_a_batch_or_a_shard_without_any_face_is_left_out(
    blind: tuple[int, ...], scored: int, few: str, tmp_path: Path
) -> None:
    done = run(few, tmp_path, blind=blind)
    assert done.folder.faces()["scored"] == scored
    assert set(done.table()["n"]) == {scored, 2 * scored}


def test_what_one_edit_cannot_use_is_left_out_of_all(few: str, tmp_path: Path) -> None:
    table = run(few, tmp_path, blind=(2, 9), under="Male").table()
    assert set(table[table["edit"] != "all"]["n"]) == {8}


def test_a_data_set_may_refuse_a_picture_by_its_name(few: str, tmp_path: Path) -> None:
    text = Path(few).read_text().replace('"drawn-faces"', '"unaligned"')
    Path(few).write_text(text)
    done = runs.run("copy", suite=few, results=tmp_path, workers=1, measure_cost=False)
    listed = done.folder.faces()
    assert [entry["sample"] for entry in listed["unusable"]] == ["picture-0.jpg", "picture-4.jpg"]
    assert sorted(path.name for path in (done.folder.path / "images").glob("0*")) == [
        "01", "02", "03", "05"
    ]  # fmt: skip


def test_no_face_at_all_is_an_error(few: str, tmp_path: Path) -> None:
    with pytest.raises(NoFace, match=r"none of 10 faces could be used; the first: .*: the aligner found no"):
        run(few, tmp_path, blind=tuple(range(10)))


def test_a_method_that_finds_faces_only_alone_breaks_its_promise(few: str, tmp_path: Path) -> None:
    with pytest.raises(BrokenPromise, match="must not depend on the other pictures"):
        run(few, tmp_path, crowd=True)


def test_the_table_prints_the_count(few: str, tmp_path: Path) -> None:
    folder = run(few, tmp_path, blind=(1, 7)).folder
    shown = CliRunner().invoke(cli, ["show", str(folder.path)]).output
    assert "picky (default) on tiny, 8 of 10 faces" in shown
    assert "left out 2: " in shown and "the aligner found no face" in shown
    assert (
        json.loads(CliRunner().invoke(cli, ["show", str(folder.path), "--json"]).output)["faces"]["of"] == 10
    )
