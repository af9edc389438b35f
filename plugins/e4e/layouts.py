"""Checkpoints of e4e and pSp, and of StyleGAN2 alone, for `faceedit-bench weights import`.

e4e's and pSp's encoders have the same tensors; their files say which they are.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal

from faceedit_bench.api import Imported, Layout, Names, WrongWeights

from .sizes import EncoderSizes

if TYPE_CHECKING:
    from torch import Tensor

    from ..stylegan2 import layouts as stylegan2
    from ..stylegan2.sizes import Sizes

OTHERS = ("optimizer.", "discriminator_state_dict.", "discriminator_optimizer_state_dict.")
HEADS = 18  # most codes a generator of 1024 px has
UNITS = 100


def encoder(tensors: Mapping[str, Tensor], heads: Literal["e4e", "psp"]) -> Imported:
    """`encoder.*`, `decoder.*` and `latent_avg` of a file of e4e or pSp."""
    from ..stylegan2 import layouts as stylegan2

    plain = {_plain(key): value for key, value in tensors.items()}
    generator = stylegan2.rosinality_sizes(plain, "decoder.")
    sizes = encoder_sizes(plain, heads)
    if sizes.n_latent != generator.n_latent:
        raise WrongWeights(
            f"encoder and generator of different resolutions: {sizes.n_latent} heads, for "
            f"{2 ** (sizes.n_latent // 2 + 1)} px, but the generator of {generator.size} px has "
            f"{generator.n_latent} codes"
        )
    ours = encoder_shapes(sizes)
    table = {key: key for key in ours} | stylegan2.rosinality_table(generator, "decoder.", has_average=True)
    names = Names(table, plain=_plain, ignores=lambda key, value: key.startswith(OTHERS))
    found = names.sort(tensors)
    wanted = {**ours, **stylegan2.shapes(generator)}
    wanted[stylegan2.AVERAGE] = stylegan2.average_like(found.found.get(stylegan2.AVERAGE), generator)
    state = stylegan2.with_average(found.fitted(wanted), generator)
    told = {
        "encoder_size": sizes.side,
        "widths": list(sizes.widths),
        "units": list(sizes.units),
        "heads": heads,
        "holds": "inversion",
    }
    return Imported(state, {**_generator_options(generator), **told}, found.ignored)


def generator(tensors: Mapping[str, Tensor], program: Literal["rosinality", "nvidia"]) -> Imported:
    """A generator alone: what a training of the encoder starts from."""
    from ..stylegan2 import layouts as stylegan2

    convert: Callable[[Mapping[str, Tensor]], stylegan2.Found] = getattr(stylegan2, program)
    found = convert(tensors)
    return Imported(found.state, {**_generator_options(found.sizes), "holds": "generator"}, found.ignored)


def encoder_sizes(plain: Mapping[str, Tensor], heads: Literal["e4e", "psp"]) -> EncoderSizes:
    """As shapes tell them: a stage is a run of units of one width."""
    last_head, _ = _last(plain, r"encoder\.styles\.(\d+)\.", HEADS)
    _, convs = _last(plain, r"encoder\.styles\.0\.convs\.(\d+)\.", 20)
    last_unit, _ = _last(plain, r"encoder\.body\.(\d+)\.", UNITS)
    outs = [_width(plain, f"encoder.body.{unit}.res_layer") for unit in range(last_unit + 1)]
    widths: list[int] = []
    units: list[int] = []
    for out in outs:
        if widths and widths[-1] == out:
            units[-1] += 1
        else:
            widths.append(out)
            units.append(1)
    if len(widths) != 4:
        raise WrongWeights(
            "none of its keys is of this layout: wanted encoder.body.* of four widths, "
            f"found {widths or 'none'}"
        )
    w_dim = next(
        (
            int(plain[key].shape[0])
            for part in ("bias", "weight")
            if (key := f"encoder.styles.0.linear.{part}") in plain
        ),
        1,
    )
    return EncoderSizes(last_head + 1, w_dim, 16 << max(convs, 1), tuple(widths), tuple(units), heads)


@functools.lru_cache(maxsize=4)
def encoder_shapes(sizes: EncoderSizes) -> dict[str, Tensor]:
    """Every key of a weights file's encoder, without memory."""
    import torch

    from .encoder import Encoder

    with torch.device("meta"):
        return {f"encoder.{key}": value for key, value in Encoder(sizes).state_dict().items()}


def _plain(key: str) -> str:
    return key.removeprefix("state_dict.").removeprefix("module.")


def _last(plain: Mapping[str, Tensor], pattern: str, most: int) -> tuple[int, int]:
    """(highest number, how many different ones) of something numbered."""
    numbers = {int(found[1]) for key in plain if (found := re.match(pattern, key))}
    last = max(numbers, default=-1)
    if last > most:
        raise WrongWeights(f"no e4e: a layer is numbered {last}, wanted at most {most}")
    return last, len(numbers)


def _width(plain: Mapping[str, Tensor], unit: str) -> int:
    """Channels of a unit's output."""
    keys = (f"{unit}.{part}" for part in ("4.bias", "2.weight", "4.weight"))
    return next((int(plain[key].shape[0]) for key in keys if key in plain), 1)


def _generator_options(sizes: Sizes) -> dict[str, object]:
    return {"size": sizes.size, "channels": list(sizes.channels), "w_dim": sizes.w_dim, "n_mlp": sizes.n_mlp}


def _inversion(summary: str, heads: Literal["e4e", "psp"], kind: str) -> Layout:
    return Layout(
        summary,
        functools.partial(encoder, heads=heads),
        preset="paper",
        settings={"opts.encoder_type": kind, "opts.start_from_latent_avg": True},
    )


LAYOUTS = {
    "e4e": _inversion("e4e, e4e_ffhq_encode.pt", "e4e", "Encoder4Editing"),
    "psp": _inversion("pSp, psp_ffhq_encode.pt", "psp", "GradualStyleEncoder"),
    "rosinality": Layout(
        "StyleGAN2 alone, g_ema of rosinality",
        functools.partial(generator, program="rosinality"),
        preset="paper",
    ),
    "nvidia": Layout(
        "StyleGAN2 alone, contents of an NVIDIA-ADA pickle",
        functools.partial(generator, program="nvidia"),
        preset="paper",
    ),
}
