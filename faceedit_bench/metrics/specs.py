"""The built-in metrics, as specs: light to import, each loads its file when it is used."""

from __future__ import annotations

from ..contracts import Metric, MetricSpec


def _tarr(name: str, role: str) -> Metric:
    from .tarr import Tarr

    return Tarr(name, role)


def _response() -> Metric:
    from .response import Response

    return Response()


def _leakage(name: str, role: str) -> Metric:
    from .leakage import Leakage

    return Leakage(name, role)


def _leakage_excess() -> Metric:
    from .excess import LeakageExcess

    return LeakageExcess()


def _shift_excess() -> Metric:
    from .excess import ShiftExcess

    return ShiftExcess()


def _normalised_tarr() -> Metric:
    from .normalised import NormalisedTarr

    return NormalisedTarr()


def _normalised_leakage() -> Metric:
    from .coupling import NormalisedLeakage

    return NormalisedLeakage()


def _shift() -> Metric:
    from .shift import Shift

    return Shift()


def _identity(name: str, role: str) -> Metric:
    from .identity import Identity

    return Identity(name, role)


def _detected_identity() -> Metric:
    from .identity import DetectedIdentity

    return DetectedIdentity()


def _frechet(name: str, role: str) -> Metric:
    from .frechet import Frechet

    return Frechet(name, role)


def _frechet_target() -> Metric:
    from .frechet_target import FrechetTarget

    return FrechetTarget("ssfid_target", "features")


def _infinity(name: str, role: str) -> Metric:
    from .frechet_infinity import FrechetInfinity

    return FrechetInfinity(name, role)


def _inception() -> Metric:
    from .inception import InceptionScore

    return InceptionScore()


def _inception_ordered() -> Metric:
    from .inception import InceptionScore

    return InceptionScore("is_ordered", seed=None)


def _accuracy() -> Metric:
    from .accuracy import Accuracy

    return Accuracy()


def _preservation_error() -> Metric:
    from .accuracy import PreservationError

    return PreservationError()


def _kid() -> Metric:
    from .kernel import Kid

    return Kid("kid", "pool")


def _manifold(name: str) -> Metric:
    from .neighbours import manifold_share

    return manifold_share(name, "pool")


def _lpips(name: str, role: str) -> Metric:
    from .perceptual import Lpips

    return Lpips(name, role)


def _keep() -> Metric:
    from .keep import Keep

    return Keep()


def _keep_lpips() -> Metric:
    from .keep import KeepLpips

    return KeepLpips()


def _keep_excess() -> Metric:
    from .keep_excess import KeepExcess

    return KeepExcess()


def _keep_lpips_excess() -> Metric:
    from .keep_excess import KeepLpipsExcess

    return KeepLpipsExcess()


def _preservation_excess() -> Metric:
    from .keep_excess import PreservationExcess

    return PreservationExcess()


def _preservation() -> Metric:
    from .preservation import Preservation

    return Preservation()


def _psnr(name: str, against: str) -> Metric:
    from .pixels import Psnr

    return Psnr(name, against)


def _luma_psnr() -> Metric:
    from .pixels import Psnr, luma_columns

    return Psnr("psnr_y", columns=luma_columns)


def _pooled_psnr() -> Metric:
    from .pixels import PooledPsnr

    return PooledPsnr()


def _ssim(name: str, against: str) -> Metric:
    from .ssim import Ssim

    return Ssim(name, against)


def _ssim_uniform7() -> Metric:
    from .ssim import UNIFORM7, Ssim

    return Ssim("ssim_uniform7", window=UNIFORM7)


def _l2(name: str, against: str) -> Metric:
    from .pixels import L2

    return L2(name, against)


def _psp_l2() -> Metric:
    from .pixels import L2
    from .psp import AtPspsSize

    return AtPspsSize(L2("l2_psp256"))


def _psp_psnr() -> Metric:
    from .pixels import Psnr
    from .psp import AtPspsSize

    return AtPspsSize(Psnr("psnr_psp256"))


def _psp_ssim() -> Metric:
    from .psp import AtPspsSize
    from .ssim import Ssim

    return AtPspsSize(Ssim("ssim_psp256"))


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
        load=lambda: _leakage("leakage", "attributes"),
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
        other_ways={"psnr": "higher", "area": ""},
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
        name="id_detected",
        version="1",
        better="higher",
        summary="id with the face that is found in each picture; pairs without one are counted",
        load=_detected_identity,
        judges=("identity", "landmarks"),
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
        name="ssim_uniform7",
        version="1",
        better="higher",
        summary="SSIM of the reconstruction (square window of 7 pixels), as STGAN's released evaluation",
        load=_ssim_uniform7,
        on="reconstruction",
        digits=4,
    ),
    MetricSpec(
        name="psnr_pooled",
        version="1",
        better="higher",
        summary="PSNR of the pooled squared error of all reconstructions",
        load=_pooled_psnr,
        on="reconstruction",
        unit="dB",
        interval="spread",
    ),
    MetricSpec(
        name="psnr_y",
        version="1",
        better="higher",
        summary="PSNR of the reconstruction's luma (BT.601, studio range); above that of RGB",
        load=_luma_psnr,
        on="reconstruction",
        unit="dB",
    ),
    MetricSpec(
        name="l2_psp256",
        version="1",
        better="lower",
        summary="l2 of pictures resized to 256×256 first, as pSp's released evaluation",
        load=_psp_l2,
        on="reconstruction",
        digits=4,
    ),
    MetricSpec(
        name="psnr_psp256",
        version="1",
        better="higher",
        summary="psnr of pictures resized to 256×256 first",
        load=_psp_psnr,
        on="reconstruction",
        unit="dB",
    ),
    MetricSpec(
        name="ssim_psp256",
        version="1",
        better="higher",
        summary="ssim of pictures resized to 256×256 first",
        load=_psp_ssim,
        on="reconstruction",
        digits=4,
    ),
    MetricSpec(
        name="err_stgan",
        version="1",
        better="lower",
        summary="how often the judge contradicts the labels of attributes not asked for (STGAN's Err)",
        load=_preservation_error,
        judges=("attributes",),
        needs=("labels",),
        unit="%",
    ),
    MetricSpec(
        name="leakage_second",
        version="1",
        better="lower",
        summary="leakage by a second judge: another architecture may couple other attributes",
        load=lambda: _leakage("leakage_second", "attributes-second"),
        judges=("attributes-second",),
        needs=("labels",),
        unit="%",
    ),
    MetricSpec(
        name="leakage_excess",
        version="1",
        better="lower",
        summary="leakage less that of the reconstruction: what the edit adds",
        load=_leakage_excess,
        judges=("attributes",),
        needs=("labels",),
        on="every",
        unit="%",
    ),
    MetricSpec(
        name="leakage_normalised",
        version="1",
        better="lower",
        summary="leakage in which attributes that the data's own labels couple count less",
        load=_normalised_leakage,
        judges=("attributes",),
        needs=("labels",),
        unit="%",
    ),
    MetricSpec(
        name="shift",
        version="1",
        better="lower",
        summary="how far the judge's probabilities of other attributes moved; signed per attribute",
        load=_shift,
        judges=("attributes",),
        needs=("labels",),
        digits=3,
    ),
    MetricSpec(
        name="shift_excess",
        version="1",
        better="lower",
        summary="shift less that of the reconstruction: what the edit adds; signed per attribute",
        load=_shift_excess,
        judges=("attributes",),
        needs=("labels",),
        on="every",
        digits=3,
    ),
    MetricSpec(
        name="tarr_normalised",
        version="1",
        better="higher",
        summary="tarr between 0, a copy's, and 100, an exact edit's, under the judge's own mistakes",
        load=_normalised_tarr,
        judges=("attributes",),
        needs=("labels",),
        unit="%",
        interval="spread",
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
        name="density",
        version="1",
        better="higher",
        summary="how densely source pictures lie where outputs lie (k = 5)",
        load=lambda: _manifold("density"),
        judges=("pool",),
        interval="spread",
        digits=3,
    ),
    MetricSpec(
        name="coverage",
        version="1",
        better="higher",
        summary="share of source pictures with an output in their neighbourhood (k = 5)",
        load=lambda: _manifold("coverage"),
        judges=("pool",),
        interval="spread",
        digits=3,
    ),
    MetricSpec(
        name="fid_infinity",
        version="1",
        better="lower",
        summary="fid extrapolated to very many pictures",
        load=lambda: _infinity("fid_infinity", "pool"),
        judges=("pool",),
        interval="spread",
        digits=3,
    ),
    MetricSpec(
        name="ssfid_infinity",
        version="1",
        better="lower",
        summary="ssfid extrapolated to very many pictures",
        load=lambda: _infinity("ssfid_infinity", "features"),
        judges=("features",),
        interval="spread",
        digits=3,
    ),
    MetricSpec(
        name="ssfid_target",
        version="1",
        better="lower",
        summary="Fréchet distance of self-supervised features to real pictures that have what is asked",
        load=_frechet_target,
        judges=("features",),
        needs=("labels",),
        interval="spread",
        digits=3,
    ),
    MetricSpec(
        name="fd_dinov2_infinity",
        version="1",
        better="lower",
        summary="fd_dinov2 extrapolated to very many pictures",
        load=lambda: _infinity("fd_dinov2_infinity", "dinov2"),
        judges=("dinov2",),
        interval="spread",
        digits=2,
    ),
    MetricSpec(
        name="is_ordered",
        version="1",
        better="higher",
        summary="Inception Score of the outputs, ten splits in the order of the edits",
        load=_inception_ordered,
        judges=("classes",),
        interval="spread",
    ),
    MetricSpec(
        name="keep",
        version="2",
        better="lower",
        summary="mean absolute difference to the source, in grey levels, outside the parts that may change",
        load=_keep,
        judges=("parser",),
        other_ways=dict.fromkeys(("psnr", "ssim", "locality"), "higher") | {"area": ""},
    ),
    MetricSpec(
        name="keep_lpips",
        version="1",
        better="lower",
        summary="LPIPS on AlexNet outside the parts that may change",
        load=_keep_lpips,
        judges=("lpips-map", "parser"),
        digits=4,
    ),
    MetricSpec(
        name="keep_excess",
        version="1",
        better="lower",
        summary="keep less that of the reconstruction: what the edit adds there",
        load=_keep_excess,
        judges=("parser",),
        needs=("reconstruction",),
        other_ways={"psnr": "higher", "ssim": "higher"},
    ),
    MetricSpec(
        name="keep_lpips_excess",
        version="1",
        better="lower",
        summary="keep_lpips less that of the reconstruction: what the edit adds there",
        load=_keep_lpips_excess,
        judges=("lpips-map", "parser"),
        needs=("reconstruction",),
        digits=4,
    ),
    MetricSpec(
        name="preservation_excess",
        version="1",
        better="lower",
        summary="preservation less that of the reconstruction: what the edit adds there",
        load=_preservation_excess,
        needs=("truth", "reconstruction"),
        digits=3,
        other_ways={"psnr": "higher"},
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
        name="lpips_psp256",
        version="1",
        better="lower",
        summary="lpips of pictures resized to 256×256 first",
        load=lambda: _lpips("lpips_psp256", "lpips-psp256"),
        judges=("lpips-psp256",),
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
    MetricSpec(
        name="lpips_squeeze",
        version="1",
        better="lower",
        summary="LPIPS of the reconstruction on SqueezeNet",
        load=lambda: _lpips("lpips_squeeze", "lpips-squeeze"),
        judges=("lpips-squeeze",),
        on="reconstruction",
        digits=4,
    ),
]
