"""The judges of photographs: published networks under their pins. Light to import, and downloads nothing.

Hashes and sizes are those of the published files; where nobody publishes them (hash "", size 0) the file is
used after `faceedit-bench weights add`, under the hash that was found.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..contracts import FIVE_POINTS, LANDMARKS, THIRTEEN, JudgeContext, JudgeSpec, Pin, View

if TYPE_CHECKING:
    from torch import Tensor

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))  # mean and deviation of RGB in [0, 1]

INCEPTION = Pin(
    file="weights-inception-2015-12-05-6726825d.pth",
    sha256="6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
    bytes=95_628_359,
    origin="https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/"
    "weights-inception-2015-12-05-6726825d.pth",
    licence="Apache-2.0",
)
SWAV = Pin(
    file="swav_800ep_pretrain.pth.tar",
    sha256="",
    bytes=0,
    origin="https://dl.fbaipublicfiles.com/deepcluster/swav_800ep_pretrain.pth.tar",
    licence="CC BY-NC 4.0",
)
DINOV2 = Pin(
    file="dinov2_vitl14_pretrain.pth",
    sha256="d5383ea8f4877b2472eb973e0fd72d557c7da5d3611bd527ceeb1d7162cbf428",
    bytes=1_217_586_395,
    origin="https://dl.fbaipublicfiles.com/dinov2/dinov2_vitl14/dinov2_vitl14_pretrain.pth",
    licence="Apache-2.0",
)
ARCFACE = Pin(
    file="recognition_arcface_ir_se50.pth",
    sha256="a035c768259b98ab1ce0e646312f48b9e1e218197a0f80ac6765e88f8b6ddf28",
    bytes=175_367_323,
    origin="https://github.com/xinntao/facexlib/releases/download/v0.1.0/recognition_arcface_ir_se50.pth",
    licence="code MIT; trained on MS1M, research only",
)
CURRICULARFACE = Pin(
    file="CurricularFace_Backbone.pth",
    sha256="",
    bytes=0,
    origin="the model links of github.com/HuangYG123/CurricularFace (cloud drives)",
    licence="code MIT; training data research only",
)
FACE_API = Pin(
    file="vladmandic-face-api-1.7.15.tgz",
    sha256="0d77fffeef362ef9c0939cf6c567f3a2e8e177f114fa257a3270cbd2e509b031",
    bytes=12_677_476,
    origin="npm pack @vladmandic/face-api@1.7.15",
    licence="MIT; dlib's network: CC0, trained on FaceScrub and VGG Face",
)
ALEXNET = Pin(
    file="alexnet-owt-7be5be79.pth",
    sha256="7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02",
    bytes=244_408_911,
    origin="https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
    licence="BSD-3",
)
VGG = Pin(
    file="vgg16-397923af.pth",
    sha256="397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
    bytes=553_433_881,
    origin="https://download.pytorch.org/models/vgg16-397923af.pth",
    licence="BSD-3",
)
SQUEEZENET = Pin(
    file="squeezenet1_1-b8a52dc0.pth",
    sha256="b8a52dc0",
    bytes=0,
    origin="https://download.pytorch.org/models/squeezenet1_1-b8a52dc0.pth",
    licence="BSD-3",
)
BISENET = Pin(
    file="parsing_bisenet.pth",
    sha256="468e13ca13a9b43cc0881a9f99083a430e9c0a38abd935431d1c28ee94b26567",
    bytes=53_289_463,
    origin="https://github.com/xinntao/facexlib/releases/download/v0.2.0/parsing_bisenet.pth",
    licence="MIT; trained on CelebAMask-HQ, non-commercial research",
)
RETINAFACE = Pin(
    file="detection_Resnet50_Final.pth",
    sha256="6d1de9c2944f2ccddca5f5e010ea5ae64a39845a86311af6fdf30841b0a5a16d",
    bytes=109_497_761,
    origin="https://github.com/xinntao/facexlib/releases/download/v0.1.0/detection_Resnet50_Final.pth",
    licence="MIT; trained on WIDER FACE, non-commercial research",
)
FACENET_PYTORCH = Pin(
    file="facenet_pytorch-2.6.0-py3-none-any.whl",
    sha256="ecb82b27beb226d106f2219efe8f829b01b87a8595badd01545679bdb9f19cca",
    bytes=1_881_930,
    origin="pip download --no-deps facenet-pytorch==2.6.0",
    licence="MIT; trained on WIDER FACE and CelebA, non-commercial research",
)


# ---- loading: as the view prepares pictures -> (B, D) -----------------------------------------------


def _pool(context: JudgeContext) -> Callable[[Tensor], Tensor]:
    from . import inception

    return inception.load(context).pool


def _logits(context: JudgeContext) -> Callable[[Tensor], Tensor]:
    from . import inception

    return inception.load(context).logits


def _swav(context: JudgeContext) -> Callable[[Tensor], Tensor]:
    from . import backbones

    return backbones.load_swav(context)


def _dinov2(context: JudgeContext) -> Callable[[Tensor], Tensor]:
    from . import backbones

    return backbones.load_dinov2(context)


def _arcface(context: JudgeContext) -> Callable[[Tensor], Tensor]:
    from . import recognition

    return recognition.load_arcface(context)


def _curricularface(context: JudgeContext) -> Callable[[Tensor], Tensor]:
    from . import recognition

    return recognition.load_curricularface(context)


def _arcface_aligned(context: JudgeContext) -> Callable[[Tensor], Tensor]:
    from . import recognition

    return recognition.load_arcface_aligned(context)


def _curricularface_aligned(context: JudgeContext) -> Callable[[Tensor], Tensor]:
    from . import recognition

    return recognition.load_curricularface_aligned(context)


def _dlib(context: JudgeContext) -> Callable[[Tensor], Tensor]:
    from . import dlib

    return dlib.load(context)


def _lpips_alex(context: JudgeContext) -> Callable[[Tensor, Tensor], Tensor]:
    from . import perceptual

    return perceptual.load(context, "alex")


def _lpips_vgg(context: JudgeContext) -> Callable[[Tensor, Tensor], Tensor]:
    from . import perceptual

    return perceptual.load(context, "vgg")


def _lpips_squeeze(context: JudgeContext) -> Callable[[Tensor, Tensor], Tensor]:
    from . import perceptual

    return perceptual.load(context, "squeeze")


def _lpips_map(context: JudgeContext) -> Callable[[Tensor, Tensor], Tensor]:
    from . import perceptual

    return perceptual.load(context, "alex", spatial=True)


def _parser(context: JudgeContext) -> Callable[[Tensor], Tensor]:
    from . import parsing

    return parsing.load(context)


def _retinaface(context: JudgeContext) -> Callable[[Tensor], Tensor]:
    from . import detection

    return detection.load(context)


def _mtcnn(context: JudgeContext) -> Callable[[Tensor], Tensor]:
    from . import mtcnn

    return mtcnn.load(context)


def _resnet50(context: JudgeContext) -> Callable[[Tensor], Tensor]:
    from .attribute_network import AttributeJudge

    return context.adopt(AttributeJudge("resnet50"), dict)


def _convnext_tiny(context: JudgeContext) -> Callable[[Tensor], Tensor]:
    from .attribute_network import AttributeJudge

    return context.adopt(AttributeJudge("convnext_tiny"), dict)


# ---- what is offered --------------------------------------------------------------------------------


def _of_128(resize: str) -> View:
    """TensorFlow's scaling of 0–255: (x − 128) / 128."""
    return View(299, resize, mean=(128 / 255,) * 3, std=(128 / 255,) * 3)


def _imagenet(size: int, resize: str) -> View:
    return View(size, resize, *IMAGENET)


def _attributes(backbone: str, load: Callable[[JudgeContext], Callable[[Tensor], Tensor]]) -> JudgeSpec:
    """A judge that the user trains: nobody publishes it, so it is used as recorded."""
    name = f"attributes-{backbone}"
    origin = f"faceedit-bench train-judge attributes --data celeba --root DIR --backbone {backbone}"
    licence = "yours; CelebA is for non-commercial research"
    return JudgeSpec(
        name=name,
        version="1",
        role="attributes",
        summary=f"13 attribute probabilities by {backbone}; trained by you",
        pin=Pin(f"{name}.safetensors", "", 0, origin, licence),
        view=_imagenet(224, "torch-bilinear-aa"),
        width=len(THIRTEEN),
        load=load,
        outputs=THIRTEEN,
    )


_FACE = View(256, "area")
_FACE_ALIGNED = View(112, FIVE_POINTS)
_FACE_OF_DLIB = View(256, "area", mean=(122.782 / 255, 117.001 / 255, 104.298 / 255), std=(1.0, 1.0, 1.0))
_INCEPTION = (
    ("inception-2015", "clean-fid", _of_128("clean-bicubic")),
    ("inception-2015-tf1", "torch-fidelity and older papers", _of_128("tf1-bilinear")),
    ("inception-2015-pytorch", "pytorch-fid", View(299, "torch-bilinear")),
    ("inception-2015-aa", "torchmetrics since 1.9", _of_128("torch-bilinear-aa")),
)

SPECS: list[JudgeSpec] = [
    *(
        JudgeSpec(name, "1", "pool", f"Inception's features, resized as {like}", INCEPTION, view, 2048, _pool)
        for name, like, view in _INCEPTION
    ),
    JudgeSpec(
        name="inception-2015-classes",
        version="1",
        role="classes",
        summary="Inception's 1008 logits without bias, resized as torch-fidelity",
        pin=INCEPTION,
        view=_of_128("tf1-bilinear"),
        width=1008,
        load=_logits,
        above="inception-2015-tf1",
    ),
    JudgeSpec(
        name="swav-rn50-800",
        version="1",
        role="features",
        summary="SwAV ResNet-50, 800 epochs: ssFID's features",
        pin=SWAV,
        view=_imagenet(224, "pil-bilinear-u8"),
        width=2048,
        load=_swav,
    ),
    JudgeSpec(
        name="dinov2-vitl14",
        version="1",
        role="dinov2",
        summary="class token of DINOv2 ViT-L/14, resized as dgm-eval",
        pin=DINOV2,
        view=_imagenet(224, "pil-bicubic-u8"),
        width=1024,
        load=_dinov2,
    ),
    JudgeSpec(
        name="curricularface-ir101",
        version="1",
        role="identity",
        summary="CurricularFace IR-101, fixed window of FFHQ alignment",
        pin=CURRICULARFACE,
        view=_FACE,
        width=512,
        load=_curricularface,
    ),
    JudgeSpec(
        name="arcface-irse50",
        version="1",
        role="identity",
        summary="ArcFace IR-SE50, fixed window of FFHQ alignment",
        pin=ARCFACE,
        view=_FACE,
        width=512,
        load=_arcface,
    ),
    JudgeSpec(
        name="curricularface-ir101-aligned",
        version="1",
        role="identity",
        summary="CurricularFace IR-101, aligned by five points of the source",
        pin=CURRICULARFACE,
        view=_FACE_ALIGNED,
        width=512,
        load=_curricularface_aligned,
    ),
    JudgeSpec(
        name="arcface-irse50-aligned",
        version="1",
        role="identity",
        summary="ArcFace IR-SE50, aligned by five points of the source",
        pin=ARCFACE,
        view=_FACE_ALIGNED,
        width=512,
        load=_arcface_aligned,
    ),
    JudgeSpec(
        name="dlib-resnet",
        version="1",
        role="identity",
        summary="dlib's face recognition network, fixed window of FFHQ alignment",
        pin=FACE_API,
        view=_FACE_OF_DLIB,
        width=128,
        load=_dlib,
    ),
    JudgeSpec(
        name="lpips-alex",
        version="0.1",
        role="lpips-alex",
        summary="LPIPS of two pictures on AlexNet",
        pin=ALEXNET,
        view=View(0),
        width=1,
        load=_lpips_alex,
    ),
    JudgeSpec(
        name="lpips-alex-256",
        version="0.1",
        role="lpips-psp256",
        summary="LPIPS of two pictures on AlexNet, resized to 256 first as pSp's evaluation",
        pin=ALEXNET,
        view=View(256, "pil-bilinear-u8"),
        width=1,
        load=_lpips_alex,
    ),
    JudgeSpec(
        name="lpips-vgg",
        version="0.1",
        role="lpips-vgg",
        summary="LPIPS of two pictures on VGG-16",
        pin=VGG,
        view=View(0),
        width=1,
        load=_lpips_vgg,
    ),
    JudgeSpec(
        name="lpips-squeeze",
        version="0.1",
        role="lpips-squeeze",
        summary="LPIPS of two pictures on SqueezeNet",
        pin=SQUEEZENET,
        view=View(0),
        width=1,
        load=_lpips_squeeze,
    ),
    JudgeSpec(
        name="lpips-alex-map",
        version="0.1",
        role="lpips-map",
        summary="LPIPS of two pictures on AlexNet, pixel by pixel",
        pin=ALEXNET,
        view=View(0),
        width=0,
        load=_lpips_map,
    ),
    JudgeSpec(
        name="bisenet-19",
        version="1",
        role="parser",
        summary="BiSeNet: which of 19 parts of the face each pixel shows",
        pin=BISENET,
        view=_imagenet(512, "torch-bilinear"),
        width=512 * 512,
        load=_parser,
    ),
    JudgeSpec(
        name="retinaface-resnet50",
        version="1",
        role=LANDMARKS,
        summary="RetinaFace: whether there is a face, and its five points",
        pin=RETINAFACE,
        view=View(256, "torch-bilinear-aa", mean=(123 / 255, 117 / 255, 104 / 255), std=(1 / 255,) * 3),
        width=11,
        load=_retinaface,
    ),
    JudgeSpec(
        name="mtcnn",
        version="1",
        role=LANDMARKS,
        summary="MTCNN: whether there is a face, and its five points, as pSp's evaluation",
        pin=FACENET_PYTORCH,
        view=View(0, "pil-bilinear-u8"),  # at its own size, shrunk by the judge
        width=11,
        load=_mtcnn,
    ),
    _attributes("resnet50", _resnet50),
    _attributes("convnext_tiny", _convnext_tiny),
]
