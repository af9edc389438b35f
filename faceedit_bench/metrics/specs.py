"""The built-in metrics, as specs: light to import, each loads its file when it is used."""

from __future__ import annotations

from ..contracts import Metric, MetricSpec


def _tarr(name: str, role: str) -> Metric:
    from .tarr import Tarr

    return Tarr(name, role)


def _response() -> Metric:
    from .response import Response

    return Response()


def _leakage() -> Metric:
    from .leakage import Leakage

    return Leakage()


def _identity(name: str, role: str) -> Metric:
    from .identity import Identity

    return Identity(name, role)


def _frechet(name: str, role: str) -> Metric:
    from .frechet import Frechet

    return Frechet(name, role)


def _inception() -> Metric:
    from .inception import InceptionScore

    return InceptionScore()


def _accuracy() -> Metric:
    from .accuracy import Accuracy

    return Accuracy()


def _kid() -> Metric:
    from .kernel import kid

    return kid("kid", "pool")


def _manifold(name: str) -> Metric:
    from .neighbours import manifold_share

    return manifold_share(name, "pool")


def _lpips(name: str, role: str) -> Metric:
    from .perceptual import Lpips

    return Lpips(name, role)


def _keep() -> Metric:
    from .keep import Keep

    return Keep()


def _preservation() -> Metric:
    from .preservation import Preservation

    return Preservation()


def _psnr(name: str, against: str) -> Metric:
    from .pixels import Psnr

    return Psnr(name, against)


def _ssim(name: str, against: str) -> Metric:
    from .ssim import Ssim

    return Ssim(name, against)


def _l2(name: str, against: str) -> Metric:
    from .pixels import L2

    return L2(name, against)


SPECS: list[MetricSpec] = [
    MetricSpec(
        name="tarr",
        version="1",
        better="higher",
        summary="how often the judge recognises the attribute asked for (SeCGAN 4.4)",
        load=lambda: _tarr("tarr", "attributes"),
        judges=("attributes",),
        needs=("labels",),
        unit="%",
    ),
    MetricSpec(
        name="response",
        version="1",
        better="higher",
        summary="how far the judge's probability of the attribute asked for moved",
        load=_response,
        judges=("attributes",),
        needs=("labels",),
        digits=3,
    ),
    MetricSpec(
        name="leakage",
        version="1",
        better="lower",
        summary="how often the judge sees other attributes change",
        load=_leakage,
        judges=("attributes",),
        needs=("labels",),
        unit="%",
    ),
    MetricSpec(
        name="id",
        version="1",
        better="higher",
        summary="cosine similarity of identity embeddings of source and output",
        load=lambda: _identity("id", "identity"),
        judges=("identity",),
        on="every",
        digits=3,
    ),
    MetricSpec(
        name="ssfid",
        version="1",
        better="lower",
        summary="Fréchet distance of self-supervised features to the source pictures",
        load=lambda: _frechet("ssfid", "features"),
        judges=("features",),
        interval="spread",
        digits=3,
    ),
    MetricSpec(
        name="fid",
        version="1",
        better="lower",
        summary="Fréchet distance of a classifier's pooled features to the source pictures",
        load=lambda: _frechet("fid", "pool"),
        judges=("pool",),
        interval="spread",
        digits=3,
    ),
    MetricSpec(
        name="is",
        version="1",
        better="higher",
        summary="Inception Score of the outputs, ten shuffled splits",
        load=_inception,
        judges=("classes",),
        interval="spread",
    ),
    MetricSpec(
        name="preservation",
        version="1",
        better="lower",
        summary="mean absolute difference to the source, in grey levels, where nothing should change",
        load=_preservation,
        needs=("truth",),
    ),
    MetricSpec(
        name="truth_psnr",
        version="1",
        better="higher",
        summary="PSNR of edited pictures against the exact counterfactual",
        load=lambda: _psnr("truth_psnr", "truth"),
        needs=("truth",),
        unit="dB",
    ),
    MetricSpec(
        name="truth_ssim",
        version="1",
        better="higher",
        summary="SSIM of edited pictures against the exact counterfactual",
        load=lambda: _ssim("truth_ssim", "truth"),
        needs=("truth",),
        digits=4,
    ),
    MetricSpec(
        name="truth_l2",
        version="1",
        better="lower",
        summary="mean squared difference of edited pictures, in [-1, 1], to the exact counterfactual",
        load=lambda: _l2("truth_l2", "truth"),
        needs=("truth",),
        digits=4,
    ),
    MetricSpec(
        name="psnr",
        version="1",
        better="higher",
        summary="PSNR of the reconstruction",
        load=lambda: _psnr("psnr", "source"),
        on="reconstruction",
        unit="dB",
    ),
    MetricSpec(
        name="ssim",
        version="1",
        better="higher",
        summary="SSIM of the reconstruction (Gaussian window of 11 pixels)",
        load=lambda: _ssim("ssim", "source"),
        on="reconstruction",
        digits=4,
    ),
    MetricSpec(
        name="l2",
        version="1",
        better="lower",
        summary="mean squared difference of the reconstruction, pictures in [-1, 1]",
        load=lambda: _l2("l2", "source"),
        on="reconstruction",
        digits=4,
    ),
    MetricSpec(
        name="tarr_second",
        version="1",
        better="higher",
        summary="tarr by a second judge: ranks that change with the judge are the judge's",
        load=lambda: _tarr("tarr_second", "attributes-second"),
        judges=("attributes-second",),
        needs=("labels",),
        unit="%",
    ),
    MetricSpec(
        name="id_second",
        version="1",
        better="higher",
        summary="id by a second judge: the first may be one that the method learned from",
        load=lambda: _identity("id_second", "identity-second"),
        judges=("identity-second",),
        on="every",
        digits=3,
    ),
    MetricSpec(
        name="accuracy",
        version="1",
        better="higher",
        summary="attribute editing accuracy under the suite's strength and conflict rule (STGAN, CooGAN)",
        load=_accuracy,
        judges=("attributes",),
        needs=("labels",),
        unit="%",
    ),
    MetricSpec(
        name="kid",
        version="1",
        better="lower",
        summary="kernel distance of a classifier's pooled features to the source pictures",
        load=_kid,
        judges=("pool",),
        interval="spread",
        digits=5,
    ),
    MetricSpec(
        name="fd_dinov2",
        version="1",
        better="lower",
        summary="Fréchet distance of DINOv2's features to the source pictures",
        load=lambda: _frechet("fd_dinov2", "dinov2"),
        judges=("dinov2",),
        interval="spread",
    ),
    MetricSpec(
        name="precision",
        version="1",
        better="higher",
        summary="share of outputs that lie where source pictures lie (k = 3)",
        load=lambda: _manifold("precision"),
        judges=("pool",),
        interval="spread",
        digits=3,
    ),
    MetricSpec(
        name="recall",
        version="1",
        better="higher",
        summary="share of source pictures that lie where outputs lie (k = 3)",
        load=lambda: _manifold("recall"),
        judges=("pool",),
        interval="spread",
        digits=3,
    ),
    MetricSpec(
        name="keep",
        version="1",
        better="lower",
        summary="mean absolute difference to the source, in grey levels, outside the parts that may change",
        load=_keep,
        judges=("parser",),
    ),
    MetricSpec(
        name="lpips",
        version="1",
        better="lower",
        summary="LPIPS of the reconstruction on AlexNet",
        load=lambda: _lpips("lpips", "lpips-alex"),
        judges=("lpips-alex",),
        on="reconstruction",
        digits=4,
    ),
    MetricSpec(
        name="lpips_vgg",
        version="1",
        better="lower",
        summary="LPIPS of the reconstruction on VGG-16",
        load=lambda: _lpips("lpips_vgg", "lpips-vgg"),
        judges=("lpips-vgg",),
        on="reconstruction",
        digits=4,
    ),
]
