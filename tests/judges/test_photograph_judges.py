"""Judges of photographs load published files: official names, strictly, in float32, nothing executed.

Their trained weights are not here. The networks have the published shapes and random tensors under the
published names, so what is shown is that files are read, placed and refused as they should be.
"""

from __future__ import annotations

import functools
import pickle
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import lpips
import numpy as np
import pytest
import timm
import torch
import torchvision
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor, nn

from faceedit_bench import folders, weights
from faceedit_bench.contracts import PARTS, JudgeSpec, Pin
from faceedit_bench.errors import WrongWeights
from faceedit_bench.judges import alignment, backbones, inception, perceptual, recognition
from faceedit_bench.judges.attribute_network import AttributeJudge
from faceedit_bench.judges.photographs import SPECS
from faceedit_bench.judges.view import look

JUDGES = {spec.name: spec for spec in SPECS}


def lively(network: nn.Module, seed: int = 0) -> nn.Module:
    """The network with numbers by which no two layers are alike, norms included."""
    generator = torch.Generator().manual_seed(seed)
    for name, value in network.state_dict().items():
        if value.is_floating_point():
            noise = torch.rand(value.shape, generator=generator)
            positive = name.endswith("running_var") or (value.dim() == 1 and name.endswith("weight"))
            spread = 1 / max(1, value[0].numel() if value.dim() > 1 else 4) ** 0.5
            value.copy_(noise + 0.5 if positive else (noise - 0.5) * 3.4 * spread)
    return network.eval().requires_grad_(False)


def saved(tensors: Mapping[str, Tensor], path: Path) -> Path:
    torch.save(dict(tensors), path)
    return path


def context(path: Path) -> weights.Context:
    return weights.Context("cpu", (weights.pin_of(path),), (path,))


def pictures(number: int, side: int, seed: int = 1) -> Tensor:
    """(number, 3, side, side) uint8."""
    generator = torch.Generator().manual_seed(seed)
    rough = torch.rand(number, 3, 8, 8, generator=generator)
    return torch.nn.functional.interpolate(rough, (side, side), mode="bilinear").mul(255).to(torch.uint8)


def asked(spec: JudgeSpec, path: Path, *images: Tensor) -> Tensor:
    """What the judge of `spec` answers with the file at `path`, whatever hash it has, behind its view."""
    network = spec.load(context(path))
    if spec.above:
        return network(asked(JUDGES[spec.above], path, *images))
    return network(*(look(each.float() / 127.5 - 1, spec.view) for each in images))


# ---- the networks answer as those they stand for ----------------------------------------------------


@pytest.fixture(scope="module")
def inception_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    network = lively(inception.Inception())
    return saved(network.state_dict(), tmp_path_factory.mktemp("inception") / "weights-inception.pth")


def test_inception_reads_files_as_torch_fidelity_does(inception_file: Path) -> None:
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    peer = FeatureExtractorInceptionV3(
        "inception-v3-compat", ["2048", "logits_unbiased"], feature_extractor_weights_path=str(inception_file)
    )
    faces = pictures(2, 64)
    pool, logits = peer(faces)
    found = asked(JUDGES["inception-2015-tf1"], inception_file, faces)
    assert found.shape == (2, 2048)
    # metrics.md 11: Inception features within 1e-4 relative; both are float32 on the same resized picture
    torch.testing.assert_close(found, pool, rtol=1e-4, atol=1e-4 * float(pool.abs().max()))
    found = asked(JUDGES["inception-2015-classes"], inception_file, faces)
    torch.testing.assert_close(found, logits, rtol=1e-4, atol=1e-4 * float(logits.abs().max()))


def test_ways_of_resizing_give_other_features(inception_file: Path) -> None:
    faces = pictures(1, 300).float() / 127.5 - 1
    seen = [look(faces, spec.view) for name, spec in JUDGES.items() if spec.role == "pool"]
    assert len(seen) == 4 and all(one.shape == (1, 3, 299, 299) for one in seen)
    assert len({round(float(one.double().sum()), 3) for one in seen}) == 4


def by_pillow(picture: torch.Tensor) -> torch.Tensor:
    """(3, 299, 299): clean-fid's resizer, channel by channel in floating point, clipped and not rounded."""
    planes = [Image.fromarray(channel) for channel in picture.numpy()]
    grown = [np.asarray(plane.resize((299, 299), Image.Resampling.BICUBIC)) for plane in planes]
    return torch.from_numpy(np.stack(grown)).clamp(0, 255)


@pytest.mark.parametrize("side", [128, 301])
def test_every_inception_sees_what_its_program_shows(side: int) -> None:
    """The network is one; programs differ in how they bring 8-bit pictures to 299 pixels and scale them."""
    eight = pictures(2, side)
    grown = functools.partial(torch.nn.functional.interpolate, size=(299, 299), mode="bilinear")
    shown = {
        "inception-2015": (torch.stack([by_pillow(one.float()) for one in eight]) - 128) / 128,  # clean-fid
        "inception-2015-pytorch": 2 * grown(eight.float() / 255) - 1,  # pytorch-fid
        "inception-2015-aa": (grown(eight.float(), antialias=True) - 128) / 128,  # torchmetrics since 1.9
    }
    for name, wanted in shown.items():
        found = look(eight.float() / 127.5 - 1, JUDGES[name].view)
        # metrics.md 11: 0.01 of 128 grey levels for clean-fid's resizer; of features 1e-4
        torch.testing.assert_close(found, wanted, rtol=0, atol=1e-4)


def test_swav_is_torchvisions_resnet50_without_its_heads(tmp_path: Path) -> None:
    peer = lively(torchvision.models.resnet50(weights=None))
    published = {f"module.{name}": value for name, value in peer.state_dict().items() if "fc" not in name}
    heads = ("projection_head.0.weight", "projection_head.1.running_mean", "prototypes.weight")
    published |= {f"module.{name}": torch.zeros(3) for name in heads}
    path = saved(published, tmp_path / "swav_800ep_pretrain.pth.tar")
    peer.fc = nn.Identity()
    faces = pictures(2, 224)
    normalised = look(faces.float() / 127.5 - 1, JUDGES["swav-rn50-800"].view)
    found = asked(JUDGES["swav-rn50-800"], path, faces)
    # metrics.md 11: 1e-6, relative to features whose size is that of random weights
    torch.testing.assert_close(found, peer(normalised), rtol=1e-6, atol=1e-6 * float(found.abs().max()))


def test_dinov2_is_timms_vision_transformer_on_the_published_positions(tmp_path: Path) -> None:
    """A narrow one: the published file has 24 blocks of width 1024 under the same names."""
    sizes = {"width": 32, "depth": 2, "heads": 4}
    peer = lively(backbones.vision_transformer(side=42, **sizes))
    path = saved({**peer.state_dict(), "mask_token": torch.zeros(1, 32)}, tmp_path / "dinov2.pth")
    network = backbones.vision_transformer(side=42, **sizes)
    context(path).adopt(network, backbones.dinov2_names(side=42))
    faces = look(pictures(2, 42).float() / 127.5 - 1, replace(JUDGES["dinov2-vitl14"].view, size=42))
    torch.testing.assert_close(network(faces), peer.forward_features(faces)[:, 0])
    grown = backbones.vision_transformer(side=70, **sizes)
    context(path).adopt(grown, backbones.dinov2_names(side=70))
    assert grown.pos_embed.shape == (1, 26, 32) and torch.equal(grown.pos_embed[:, 0], peer.pos_embed[:, 0])
    with torch.device("meta"):
        real = timm.create_model("vit_large_patch14_dinov2", pretrained=False, num_classes=0)
        ours = backbones.vision_transformer()
    assert real.state_dict().keys() == ours.state_dict().keys()
    assert real.pos_embed.shape == (1, 1370, 1024) and ours.pos_embed.shape == (1, 257, 1024)


def test_positions_of_dinov2_are_resized_as_in_its_own_code() -> None:
    """Official numbers: scale (16 + 0.1) / 37, bicubic, no antialias; a constant grid stays constant."""
    positions = torch.randn(1, 1 + 37 * 37, 3, generator=torch.Generator().manual_seed(0))
    found = backbones.resized_positions(positions, 16)
    square = positions[:, 1:].reshape(1, 37, 37, 3).permute(0, 3, 1, 2)
    by_size = torch.nn.functional.interpolate(square, (16, 16), mode="bicubic").permute(0, 2, 3, 1)
    difference = (found[:, 1:] - by_size.reshape(1, 256, 3)).abs()
    assert found.shape == (1, 257, 3) and 0 < difference.mean() < 0.3  # the offset moves the grid a little
    assert torch.allclose(backbones.resized_positions(torch.ones(1, 1370, 3), 16), torch.ones(1, 257, 3))


@pytest.mark.parametrize(
    ("name", "build"),
    [("arcface-irse50", recognition.irse50), ("curricularface-ir101", recognition.ir101)],
)
def test_identity_judges_read_the_published_backbones(
    name: str, build: Callable[[], nn.Module], tmp_path: Path
) -> None:
    peer = lively(build())
    path = saved(peer.state_dict(), tmp_path / "backbone.pth")
    found = asked(JUDGES[name], path, pictures(2, 64))
    assert found.shape == (2, 512)
    assert torch.allclose(found.norm(dim=1), torch.ones(2), atol=1e-5)  # float32
    faces = look(pictures(2, 64).float() / 127.5 - 1, JUDGES[name].view)
    window = torch.nn.functional.adaptive_avg_pool2d(faces[:, :, 35:223, 32:220], 112)
    torch.testing.assert_close(found, peer(window))
    around = torch.nn.functional.pad(window[:1], (30, 10, 20, 20))  # the face stands at column 30, row 20
    points = torch.tensor(alignment.PLACES)[None] + torch.tensor([30, 20])
    spec = JUDGES[f"{name}-aligned"]
    aligned = spec.load(context(path))(look(around, spec.view, points))
    torch.testing.assert_close(aligned, found[:1], rtol=1e-3, atol=1e-4)  # places are float32, near whole
    assert (spec.pin, spec.role, spec.width) == (JUDGES[name].pin, "identity", 512)


def test_curricularface_has_no_scale_behind_its_embedding() -> None:
    """As in backbone/model_irse.py of the authors; ArcFace's has one."""
    with torch.device("meta"):
        assert "output_layer.4.weight" not in recognition.ir101().state_dict()
        assert "output_layer.4.weight" in recognition.irse50().state_dict()


@pytest.mark.parametrize("net", ["alex", "vgg", "squeeze"])
def test_lpips_is_the_package_with_a_backbone_from_a_file(net: str, tmp_path: Path) -> None:
    models = torchvision.models
    build = {"alex": models.alexnet, "vgg": models.vgg16, "squeeze": models.squeezenet1_1}[net]
    with torch.device("meta"):
        classifier = {k: v for k, v in build(weights=None).state_dict().items() if "classifier" in k}
    peer = perceptual.untrained(net)
    heads = torch.load(perceptual.bundled(net), map_location="cpu", weights_only=True)
    peer.load_state_dict(heads, strict=False)
    lively(peer.net)
    published = {f"features.{name.partition('.')[2]}": value for name, value in peer.net.state_dict().items()}
    published |= {
        name: torch.zeros(1) for name in classifier
    }  # their shapes do not matter: they are not used
    path = saved(published, tmp_path / "backbone.pth")
    network = JUDGES[f"lpips-{net}"].load(context(path))
    a, b = (pictures(2, 64, seed).float() / 127.5 - 1 for seed in (1, 5))
    found, wanted = network(a, b), peer.eval()(a, b).flatten(1)
    assert found.shape == (2, 1) and float(found.min()) > 0
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-6)  # metrics.md 11
    assert float(network(a, a).abs().max()) == 0
    if net == "alex":
        spread = JUDGES["lpips-alex-map"].load(context(path))(a, b)
        peer.spatial = True
        torch.testing.assert_close(spread, peer(a, b).flatten(1), rtol=0, atol=1e-6)
        assert spread.shape == (2, 64 * 64)
        # metrics.md 5.4: bringing layers to the pictures' size moves the mean by some 1e-7 of 0.01
        torch.testing.assert_close(spread.mean(1, keepdim=True), found, rtol=1e-2, atol=0)


def test_other_heads_than_those_of_lpips_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "alex.pth"
    path.write_bytes(b"x")
    with pytest.raises(WrongWeights, match="wanted sha256 df73285e"):
        perceptual.read_heads(lpips.LPIPS, path)  # type: ignore[arg-type]


def test_the_parser_names_a_part_for_every_pixel(tmp_path: Path) -> None:
    from facexlib.parsing.bisenet import BiSeNet

    peer = lively(BiSeNet(num_class=len(PARTS)))
    path = saved(peer.state_dict(), tmp_path / "parsing_bisenet.pth")
    small = replace(JUDGES["bisenet-19"], view=replace(JUDGES["bisenet-19"].view, size=64))
    found = asked(small, path, pictures(2, 64))
    assert found.shape == (2, 64 * 64) and found.min() >= 0 and found.max() < len(PARTS)
    faces = look(pictures(2, 64).float() / 127.5 - 1, small.view)
    assert torch.equal(found.view(2, 64, 64), peer(faces)[0].argmax(1).float())


def test_the_attributes_judge_of_ones_own_answers_thirteen_probabilities(tmp_path: Path) -> None:
    peer = lively(AttributeJudge("resnet50"))
    path = tmp_path / "attributes-resnet50.safetensors"
    save_file(peer.state_dict(), path)
    found = asked(JUDGES["attributes-resnet50"], path, pictures(2, 64))
    assert found.shape == (2, 13) and 0 < float(found.min()) <= float(found.max()) < 1


def test_an_attributes_judge_of_ones_own_is_refused_as_others_are(tmp_path: Path) -> None:
    spec, path = JUDGES["attributes-resnet50"], tmp_path / "attributes-resnet50.safetensors"
    state = AttributeJudge("resnet50").state_dict()
    save_file({**state, "head.bias": state["head.bias"].half()}, path)
    with pytest.raises(WrongWeights, match="wanted tensors of float32, found 1 of float16"):
        spec.load(context(path))
    save_file({**state, "head.bias": state["head.bias"] * torch.nan}, path)
    with pytest.raises(WrongWeights, match=r"1 tensors hold NaN or infinity, first head\.bias"):
        spec.load(context(path))


# ---- what is refused --------------------------------------------------------------------------------


def adopted(path: Path) -> nn.Module:
    """A small network in place of a large one; the loader is the same."""
    return context(path).adopt(nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)), lambda tensors: tensors)


def small(**changes: Tensor) -> dict[str, Tensor]:
    return {**nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)).state_dict(), **changes}


def test_missing_counters_of_old_programs_are_forgiven(tmp_path: Path) -> None:
    state = {name: value for name, value in small().items() if "num_batches" not in name}
    assert not adopted(saved(state, tmp_path / "old.pth")).training


def test_another_architecture_is_refused_with_its_keys(tmp_path: Path) -> None:
    with pytest.raises(WrongWeights, match=r"0.weight: wanted \(2, 3\), found \(2, 4\)"):
        adopted(saved(small(**{"0.weight": torch.zeros(2, 4)}), tmp_path / "wide.pth"))
    with pytest.raises(WrongWeights, match=r"unknown fc\.weight"):
        adopted(saved(small(**{"fc.weight": torch.zeros(2)}), tmp_path / "more.pth"))
    renamed = {name.replace("0.bias", "0.offset"): value for name, value in small().items()}
    with pytest.raises(WrongWeights, match=r"missing 0.bias \(2,\)"):
        adopted(saved(renamed, tmp_path / "renamed.pth"))


def test_a_judge_in_half_precision_is_refused(tmp_path: Path) -> None:
    halved = small(**{"0.weight": torch.zeros(2, 3, dtype=torch.float16)})
    with pytest.raises(WrongWeights, match="wanted tensors of float32, found 1 of float16"):
        adopted(saved(halved, tmp_path / "half.pth"))


def test_a_judge_with_numbers_that_are_none_is_refused(tmp_path: Path) -> None:
    broken = small(**{"0.bias": torch.tensor([0.0, torch.nan])})
    with pytest.raises(WrongWeights, match=r"1 tensors hold NaN or infinity, first 0\.bias"):
        adopted(saved(broken, tmp_path / "nan.pth"))


class Payload:
    """What an attacker would put into a pickle."""

    def __reduce__(self) -> tuple[object, ...]:
        return (Path("executed").touch, ())


def test_nothing_in_a_pickle_is_executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({**small(), "extra": Payload()}, tmp_path / "evil.pth")
    with pytest.raises(WrongWeights, match="holds more than tensors, which is not executed"):
        adopted(tmp_path / "evil.pth")
    (tmp_path / "bare.pth").write_bytes(pickle.dumps(Payload(), protocol=2))
    with pytest.raises(WrongWeights, match="not executed here"):
        adopted(tmp_path / "bare.pth")
    assert not (tmp_path / "executed").exists()


# ---- pins -------------------------------------------------------------------------------------------


def test_every_pin_is_whole_or_says_that_nothing_is_published() -> None:
    unknown = {"swav-rn50-800", "attributes-resnet50", "attributes-convnext_tiny"}
    unknown |= {"curricularface-ir101", "curricularface-ir101-aligned"}
    assert {spec.name for spec in SPECS if not spec.pin.sha256} == unknown
    begun = {spec.name: spec.pin.sha256 for spec in SPECS if spec.pin.sha256 and not spec.pin.is_whole}
    assert begun == {"lpips-squeeze": "b8a52dc0"}
    assert all(spec.pin.bytes == 0 for spec in SPECS if not spec.pin.is_whole)
    for spec in SPECS:  # torch hub's names carry the first digits
        digits = Path(spec.pin.file).stem.rpartition("-")[2]
        if len(digits) == 8 and spec.pin.sha256:
            assert spec.pin.sha256.startswith(digits)


def test_a_pin_with_the_first_digits_accepts_what_begins_with_them(tmp_path: Path) -> None:
    path = saved(small(), tmp_path / "net.pth")
    whole = weights.sha256(path)
    pin = Pin(path.name, whole[:8], 0, "somewhere", "MIT")
    weights.check(path, pin)
    assert weights.settled(pin, path).sha256 == whole
    with pytest.raises(WrongWeights, match=f"begins with 00000000, found {whole}"):
        weights.check(path, replace(pin, sha256="00000000"))


def test_a_pin_without_a_hash_accepts_only_what_was_recorded(tmp_path: Path) -> None:
    path = saved(small(), tmp_path / "net.pth")
    pin = Pin(path.name, "", 0, "somewhere", "MIT")
    with pytest.raises(WrongWeights, match="nobody publishes this file's hash"):
        weights.check(path, pin)
    folders.weights().mkdir()
    text = f'{{"net.pth": {{"sha256": "{weights.sha256(path)}", "bytes": {path.stat().st_size}}}}}'
    (folders.weights() / weights.RECORDED).write_text(text)
    weights.check(path, pin)
    saved(small(), path)
    with path.open("ab") as file:
        file.write(b"more")
    with pytest.raises(WrongWeights, match="wanted sha256"):
        weights.check(path, pin)
