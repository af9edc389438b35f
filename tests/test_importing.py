"""Released checkpoints become weights files that carry their options; bad files are named and never run."""

from __future__ import annotations

import json
import pickle
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from faceedit_plugins.attgan import Options as AttGANOptions
from faceedit_plugins.attgan.model import generator as attgan_generator
from faceedit_plugins.stargan import FIVE, Options
from faceedit_plugins.stargan.layouts import names
from faceedit_plugins.stargan.model import Generator
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from faceedit_bench import weights
from faceedit_bench.api import THIRTEEN, EditBatch, Pin
from faceedit_bench.cli import cli
from faceedit_bench.errors import BadConfig, FaceEditError, ResultsError, UnknownName, WrongWeights
from faceedit_bench.importing import import_weights
from faceedit_bench.manifest import plain
from faceedit_bench.runs import run

SMALL = Options(width=8, blocks=1)
Tensors = dict[str, Tensor]
Saver = Callable[[dict[str, Any], Path], object]
TINY = Path(__file__).parent / "data" / "tiny.toml"


def released(options: Options = SMALL) -> Tensors:
    """A StarGAN checkpoint under its released names, with running statistics as PyTorch 0.3 wrote them."""
    torch.manual_seed(0)
    table = names(options.blocks).table
    tensors = {table[key]: value for key, value in Generator(options).state_dict().items()}
    norms = [key.removesuffix(".bias") for key in tensors if key.endswith(".bias")]
    statistics = {
        f"{norm}.{name}": torch.full((8,), 9.0) for norm in norms for name in ("running_mean", "running_var")
    }
    return {**tensors, **statistics}


class OfVersion03:
    """Pickles as a tensor of PyTorch 0.3 does: through a function that newer versions no longer write."""

    def __init__(self, value: Tensor) -> None:
        self.value = value

    def __reduce__(self) -> tuple[Any, ...]:
        value = self.value.contiguous()
        storage = torch.storage.TypedStorage(
            wrap_storage=value.untyped_storage(), dtype=value.dtype, _internal=True
        )
        return torch._utils._rebuild_tensor, (storage, 0, tuple(value.shape), value.stride())


def save_legacy(tensors: dict[str, Any], path: Path) -> None:
    torch.save(tensors, path, _use_new_zipfile_serialization=False)


def save_version_03(tensors: Tensors, path: Path) -> None:
    save_legacy({key: OfVersion03(value) for key, value in tensors.items()}, path)


def save_npz(tensors: Tensors, path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, **{key: value.numpy() for key, value in tensors.items()})


SAVERS: dict[str, Saver] = {
    "torch": torch.save,
    "torch-legacy": save_legacy,
    "torch-0.3": save_version_03,
    "npz": save_npz,
    "safetensors": save_file,
}
formats = pytest.mark.parametrize("save", SAVERS.values(), ids=SAVERS)


@pytest.fixture
def ckpt(tmp_path: Path) -> Path:
    """`200000-G.ckpt`, small."""
    path = tmp_path / "200000-G.ckpt"
    save_legacy(released(), path)
    return path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "stargan.safetensors"


def command(*words: object) -> Result:
    return CliRunner().invoke(cli, ["weights", "import", *map(str, words)])


def written_with(tensors: dict[str, Any], folder: Path, save: Saver = torch.save) -> Path:
    path = folder / "changed.pth"
    save(tensors, path)
    return path


# ---- what an import makes -------------------------------------------------------------------------


@formats
def test_every_format_gives_the_same_weights(save: Saver, tmp_path: Path, out: Path) -> None:
    import_weights("stargan", written_with(released(), tmp_path, save), out=out)
    torch.manual_seed(0)
    wanted = Generator(SMALL).state_dict()
    found = load_file(out)
    assert set(found) == {f"editor.{key}" for key in wanted}
    assert all(torch.equal(found[f"editor.{key}"], value) for key, value in wanted.items())


def test_imported_weights_need_neither_options_nor_preset(ckpt: Path, out: Path) -> None:
    import_weights("stargan", ckpt, out=out)
    choice = weights.choose("stargan", weights=out)
    assert (choice.preset, choice.options) == ("paper", SMALL)
    images, labels = torch.rand(1, 3, 16, 16) * 2 - 1, torch.zeros(1, 5)
    batch = EditBatch(images, labels, 1 - labels, labels == 0, torch.ones(1), torch.zeros(1).long(), FIVE)
    assert weights.build_editor(choice, "cpu").edit(batch).shape == images.shape


def test_the_card_is_a_pin_of_the_file_and_says_where_it_comes_from(ckpt: Path, out: Path) -> None:
    report = import_weights("stargan", ckpt, out=out)
    pin = Pin.from_card(out.with_suffix(".json"))
    assert pin is not None
    weights.check(out, pin)
    card = json.loads(out.with_suffix(".json").read_text())
    assert card == report.card
    assert (card["method"], card["layout"], card["source"]["file"]) == ("stargan", "official", ckpt.name)
    assert card["options"]["width"] == 8
    assert set(card["ignored"]) == {key for key in released() if "running" in key}


def test_the_same_checkpoint_gives_the_same_file(ckpt: Path, tmp_path: Path) -> None:
    files = [tmp_path / f"{name}.safetensors" for name in "abcd"]  # several header keys would be shuffled
    for file in files:
        import_weights("stargan", ckpt, out=file)
    assert len({file.read_bytes() for file in files}) == 1


def test_the_command_tells_what_it_found_and_what_to_type_next(ckpt: Path, out: Path) -> None:
    text = command("stargan", ckpt, "--out", out).output
    assert "official: StarGAN, 200000-G.ckpt" in text
    assert "width=8 blocks=1" in text and "Black_Hair Blond_Hair Brown_Hair Male Young" in text
    assert "22 used, 14 ignored" in text
    wanted = "edit PHOTO --out edited --method stargan --has none --set Young=1"  # knows too few for a suite
    assert f"faceedit-bench {wanted} --weights {out}" in text


def test_the_command_prints_the_card_for_programs(ckpt: Path, out: Path) -> None:
    result = command("stargan", ckpt, "--out", out, "--layout", "official", "--json")
    assert json.loads(result.stdout) == json.loads(out.with_suffix(".json").read_text())


@pytest.mark.parametrize("precision", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_become_float32_and_are_told(
    precision: torch.dtype, tmp_path: Path, out: Path
) -> None:
    file = written_with({key: value.to(precision) for key, value in released().items()}, tmp_path)
    result = command("stargan", file, "--out", out)
    assert f"36 tensors of {str(precision)[6:]} converted to float32" in result.stderr
    assert {value.dtype for value in load_file(out).values()} == {torch.float32}
    assert torch.equal(
        load_file(out)["editor.last.weight"], released()["main.16.weight"].to(precision).float()
    )


def test_the_prefix_of_several_gpus_is_taken_off(tmp_path: Path, out: Path) -> None:
    file = written_with({f"module.{key}": value for key, value in released().items()}, tmp_path)
    assert import_weights("stargan", file, out=out).used == 22


# ---- attributes -----------------------------------------------------------------------------------


@pytest.fixture
def thirteen(tmp_path: Path) -> Path:
    return written_with(released(Options(attributes=THIRTEEN, width=8, blocks=1)), tmp_path)


def test_another_number_of_attributes_tells_what_was_found_and_wanted(thirteen: Path, out: Path) -> None:
    with pytest.raises(
        BadConfig, match=r"made for 13 attributes, stargan by itself has 5 \(Black_Hair.*give all 13"
    ):
        import_weights("stargan", thirteen, out=out)
    with pytest.raises(BadConfig, match=r"made for 13 attributes, --attributes names 2 \(Bald, Male\)"):
        import_weights("stargan", thirteen, out=out, attributes=["Bald", "Male"])
    assert not out.exists()


def test_named_attributes_are_those_of_the_method_from_then_on(thirteen: Path, out: Path) -> None:
    assert command("stargan", thirteen, "--out", out, "--attributes", ",".join(THIRTEEN)).exit_code == 0
    choice = weights.choose("stargan", weights=out)
    assert choice.spec.attributes_for(choice.options) == THIRTEEN


def test_an_attribute_named_twice_is_refused(thirteen: Path, out: Path) -> None:
    with pytest.raises(BadConfig, match="more than once"):
        import_weights("stargan", thirteen, out=out, attributes=["Male"] * 13)


# ---- keys that do not fit -------------------------------------------------------------------------


def test_everything_amiss_is_listed_by_its_name_in_the_file(tmp_path: Path, out: Path) -> None:
    tensors = released()
    del tensors["main.4.weight"]
    tensors["main.99.weight"] = torch.zeros(1)
    tensors["main.6.weight"] = torch.zeros(5, 16, 4, 4)
    with pytest.raises(WrongWeights) as told:
        import_weights("stargan", written_with(tensors, tmp_path), out=out)
    assert "3 of its keys do not fit" in str(told.value)
    assert "missing main.4.weight (16,)" in str(told.value)
    assert "unknown main.99.weight" in str(told.value)
    assert "main.6.weight: wanted (32, 16, 4, 4), found (5, 16, 4, 4)" in str(told.value)
    assert not out.exists() and not out.with_suffix(".json").exists()


def test_a_tensor_that_is_there_twice_is_refused(tmp_path: Path, out: Path) -> None:
    tensors = {**released(), "module.main.0.weight": torch.zeros(8, 8, 7, 7)}
    with pytest.raises(WrongWeights, match=r"unknown module\.main\.0\.weight"):
        import_weights("stargan", written_with(tensors, tmp_path), out=out)


def test_values_that_are_no_numbers_are_refused(tmp_path: Path, out: Path) -> None:
    tensors = released()
    tensors["main.16.weight"][0, 0, 0, 0] = float("inf")
    with pytest.raises(WrongWeights, match=r"1 of 22 tensors hold NaN or infinity, first editor\.last"):
        import_weights("stargan", written_with(tensors, tmp_path), out=out)


def test_the_discriminator_is_told_from_the_generator(tmp_path: Path, out: Path) -> None:
    file = written_with(
        {"main.0.weight": torch.zeros(8, 3, 4, 4), "conv2.weight": torch.zeros(5, 8, 2, 2)}, tmp_path
    )
    with pytest.raises(WrongWeights, match="a discriminator, which cannot edit"):
        import_weights("stargan", file, out=out)


def test_a_checkpoint_of_another_method_says_which(ckpt: Path, out: Path) -> None:
    with pytest.raises(WrongWeights, match="it is a checkpoint of stargan, layout 'official'"):
        import_weights("attgan", ckpt, out=out)
    with pytest.raises(WrongWeights, match=r"not as stgan layout 'tf1'.*none of its keys is of this layout"):
        import_weights("stgan", ckpt, out=out, layout="tf1")


def test_unknown_layouts_and_methods_without_any_are_told(ckpt: Path, out: Path) -> None:
    with pytest.raises(UnknownName, match="unknown layout of stargan 'oficial'; did you mean 'official'"):
        import_weights("stargan", ckpt, out=out, layout="oficial")
    with pytest.raises(BadConfig, match="copy imports no checkpoints; methods that do: attgan, "):
        import_weights("copy", ckpt, out=out)


# ---- files that are not what they should be -------------------------------------------------------


class Payload:
    """Runs when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


@pytest.mark.parametrize("kind", ["torch", "torch-legacy", "npz", "protocol 0", "protocol 1", "protocol 2"])
def test_a_pickle_with_a_payload_is_refused_and_not_run(kind: str, tmp_path: Path, out: Path) -> None:
    mark, file = tmp_path / "executed", tmp_path / "evil.pth"
    if kind.startswith("protocol"):
        file.write_bytes(pickle.dumps({**released(), "x": Payload(mark)}, protocol=int(kind[-1])))
    elif kind == "npz":
        with file.open("wb") as handle:
            np.savez(handle, x=np.array([Payload(mark)], dtype=object))
    else:
        SAVERS[kind]({**released(), "x": Payload(mark)}, file)
    result = command("stargan", file, "--out", out)
    assert result.exit_code == 1 and "holds" in result.output
    assert kind == "npz" or "convert it where you trust it" in result.output
    assert not mark.exists() and not out.exists()


def test_the_payload_of_that_test_would_run() -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        pickle.loads(pickle.dumps(Payload(Path(folder) / "executed")))
        assert (Path(folder) / "executed").exists()


@formats
def test_a_file_that_was_cut_off_is_refused(save: Saver, tmp_path: Path, out: Path) -> None:
    file = written_with(released(), tmp_path, save)
    content = file.read_bytes()
    for length in (1, 9, 100, len(content) // 2, len(content) - 1):
        file.write_bytes(content[:length])
        with pytest.raises(FaceEditError, match=r"changed\.pth"):
            import_weights("stargan", file, out=out)
    assert not out.exists()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.pth", b"", "is empty"),
        ("page.pth", b"<!DOCTYPE html><html>", "not a checkpoint, starts with b'<!DOCTYPE'"),
        ("short.txt", b"Some text, (not) a pickle.", "not a checkpoint"),
        ("model.ckpt.index", b"\x00\x00\x01\x02", "part of a TensorFlow checkpoint; make an .npz"),
        ("generator.pb", b"\n\x12", "part of a TensorFlow checkpoint"),
        ("one.npy", b"\x93NUMPY\x01\x00", "not a checkpoint"),
    ],
)
def test_other_files_are_named(name: str, content: bytes, words: str, tmp_path: Path, out: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(WrongWeights, match=words):
        import_weights("attgan", tmp_path / name, out=out)


def test_paths_without_a_checkpoint_are_named(tmp_path: Path, out: Path) -> None:
    with pytest.raises(WrongWeights, match="no such file"):
        import_weights("stargan", tmp_path / "gone.ckpt", out=out)
    with pytest.raises(WrongWeights, match="is a folder"):
        import_weights("stargan", tmp_path, out=out)


def test_a_downloaded_archive_is_to_be_unpacked(ckpt: Path, tmp_path: Path, out: Path) -> None:
    with zipfile.ZipFile(tmp_path / "celeba.zip", "w") as archive:
        archive.write(ckpt, ckpt.name)
    with pytest.raises(WrongWeights, match=r"a zip archive with 200000-G\.ckpt; unpack it"):
        import_weights("stargan", tmp_path / "celeba.zip", out=out)


@pytest.mark.parametrize("content", [torch.zeros(3), {}, {"epoch": 3}, [1, 2]])
def test_a_file_without_named_tensors_is_refused(content: Any, tmp_path: Path, out: Path) -> None:
    torch.save(content, tmp_path / "odd.pth")
    with pytest.raises(WrongWeights, match=r"odd\.pth"):
        import_weights("stargan", tmp_path / "odd.pth", out=out)


# ---- places to write to ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("gone/stargan.safetensors", "cannot be written"),
        ("200000-G.ckpt/stargan.safetensors", "cannot be written"),  # a file where a folder should be
        ("stargan.pth", r"wanted a name that ends with \.safetensors"),
        ("folder.safetensors", "is a folder"),
    ],
)
def test_places_that_cannot_be_written_are_told(place: str, words: str, ckpt: Path, tmp_path: Path) -> None:
    (tmp_path / "folder.safetensors").mkdir()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(FaceEditError, match=words):
        import_weights("stargan", ckpt, out=tmp_path / place, overwrite=True)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("suffix", [".safetensors", ".json"])
def test_nothing_is_replaced_unasked(suffix: str, ckpt: Path, out: Path) -> None:
    there = out.with_suffix(suffix)
    there.write_bytes(b"mine")
    with pytest.raises(ResultsError, match="exists already; give --overwrite"):
        import_weights("stargan", ckpt, out=out)
    assert there.read_bytes() == b"mine"
    assert command("stargan", ckpt, "--out", out, "--overwrite").exit_code == 0
    assert there.read_bytes() != b"mine"


def test_the_checkpoint_itself_is_never_replaced(tmp_path: Path) -> None:
    file = tmp_path / "released.safetensors"
    save_file(released(), file)
    with pytest.raises(ResultsError, match="is the checkpoint itself"):
        import_weights("stargan", file, out=file, overwrite=True)


# ---- what a weights file says about itself --------------------------------------------------------


def test_options_count_preset_then_file_then_set(ckpt: Path, out: Path) -> None:
    import_weights("stargan", ckpt, out=out)
    chosen = weights.choose("stargan", weights=out, options={"label_rule": "stargan"}).options
    assert (chosen.width, chosen.label_rule) == (8, "stargan")
    told = weights.Description("stargan", "celeba13", {"blocks": 2})
    save_file({}, out, told.metadata())
    chosen = weights.choose("stargan", weights=out, options={"width": 16})
    assert (chosen.options.attributes, chosen.options.blocks, chosen.options.width) == (THIRTEEN, 2, 16)
    assert chosen.preset == "celeba13"
    assert weights.choose("stargan", weights=out, preset="paper").preset == "paper"


def test_weights_of_another_method_are_refused_before_anything_is_loaded(ckpt: Path, out: Path) -> None:
    import_weights("stargan", ckpt, out=out)
    with pytest.raises(WrongWeights, match="holds weights of stargan, not of attgan; give --method stargan"):
        weights.choose("attgan", weights=out)


def test_a_file_that_says_nothing_goes_with_the_preset(tmp_path: Path) -> None:
    save_file(Generator(SMALL).state_dict(), tmp_path / "plain.safetensors")
    choice = weights.choose("stargan", preset="paper", weights=tmp_path / "plain.safetensors")
    assert choice.options == Options()


def test_an_option_that_this_version_lacks_names_the_file(out: Path) -> None:
    save_file({}, out, weights.Description("stargan", "", {"widht": 8}).metadata())
    with pytest.raises(
        BadConfig, match=r"options in .*stargan\.safetensors: unknown key 'widht'; did you mean"
    ):
        weights.choose("stargan", weights=out)


@pytest.mark.parametrize("text", ["no json", "[]", '{"method": 3}', '{"options": []}', '{"colour": "red"}'])
def test_a_header_that_is_not_ours_is_refused(text: str, out: Path) -> None:
    save_file({}, out, {weights.METADATA: text})
    with pytest.raises(WrongWeights, match="metadata is not ours"):
        weights.choose("stargan", weights=out)


def test_a_run_takes_the_options_from_the_file_for_every_shard(tmp_path: Path, out: Path) -> None:
    """A shard's worker knows only names and the file."""
    small = AttGANOptions(width=8, layers=3, epsilon=1e-5)
    network = nn.ModuleDict({"editor": attgan_generator(small)})
    save_file(network.state_dict(), out, weights.Description("attgan", "port", plain(small)).metadata())
    suite = TINY.read_text(encoding="utf-8").partition("[judges]")[0]
    suite = re.sub(r"metrics = \[.*?\]", 'metrics = ["psnr"]', suite, flags=re.DOTALL).replace("= 64", "= 16")
    (tmp_path / "suite.toml").write_text(suite, encoding="utf-8")
    done = run(
        "attgan",
        suite=str(tmp_path / "suite.toml"),
        weights=out,
        workers=1,
        limit=2,
        results=tmp_path / "runs",
        measure_cost=False,
    )
    method = done.folder.manifest.identity["method"]
    assert (method["preset"], method["options"]["width"], method["options"]["layers"]) == ("port", 8, 3)
    assert len(done.scores) > 0
