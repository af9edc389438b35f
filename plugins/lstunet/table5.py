"""CooGAN's table 5, which compares STU and LSTU, computed again: as printed, from its formulas, from modules.

Chen et al., "CooGAN: A Memory-Efficient Framework ...", ECCV 2020, arXiv 2011.01563, table 5 and section 4.3.
The formulas are those of a calculation script in the authors' repository (neuralchen/CooGAN). They do not
describe the units of that repository, and neither of them is a measurement; hence three blocks side by side.

Letters: C the table's "in-channel", c channels of one unit, w its side in pixels, k = 3 the kernel.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from faceedit_bench.api import THIRTEEN, Reproduction

from ..unet.generator import UNet

UNITS = ("stu", "lstu")
IN_CHANNELS = (16, 32, 64)
SIZES = (128, 256, 384)  # pixels per side of the picture, for the units as implemented
PRINTED = {  # unit, in-channel -> millions of parameters, 10⁹ FLOPs, as the paper prints them
    ("stu", 16): ("1.63", "5.06"),
    ("stu", 32): ("6.40", "19.99"),
    ("stu", 64): ("25.37", "79.50"),
    ("lstu", 16): ("0.81", "2.02"),
    ("lstu", 32): ("3.20", "7.85"),
    ("lstu", 64): ("12.68", "30.80"),
}
MILLION, BILLION = 10**6, 10**9
ATTRIBUTES = len(THIRTEEN)
NONE = "–"


# ---- the paper's formulas -------------------------------------------------------------------------


SIDES = (256, 256, 128, 32, 4)  # of the five units: 128 divided one after the other by 0.5, 1, 2, 4 and 8


def unit_channels(in_channel: int) -> tuple[int, ...]:
    """Channels of the five units: C/2, C, 2C, 4C, 8C."""
    return tuple(in_channel * 2**i // 2 for i in range(len(SIDES)))


def formula_parameters(unit: str, in_channel: int) -> int:
    """STU 8k²c² + 26k²c + 4c, LSTU 4k²c² + 13k²c + 3c, summed over the units."""
    k = 3
    square, planes, biases = {"stu": (8, 2 * ATTRIBUTES, 4), "lstu": (4, ATTRIBUTES, 3)}[unit]
    return sum(square * k**2 * c**2 + planes * k**2 * c + biases * c for c in unit_channels(in_channel))


def formula_flops(unit: str, in_channel: int) -> int:
    """STU 117c²w² + 57.25cw², LSTU 45c²w² + 60.25cw², summed over the units; w is even, so this is whole."""
    square, quarters = {"stu": (117, 229), "lstu": (45, 241)}[unit]
    return sum(
        square * c**2 * w**2 + quarters * c * w**2 // 4
        for c, w in zip(unit_channels(in_channel), SIDES, strict=True)
    )


# ---- modules --------------------------------------------------------------------------------------


class TableUnit(nn.Module):
    """The layers that the parameter formula counts. Only counted: it computes nothing.

    A 3×3 transposed convolution where the released code has 4×4, and no 1×1 convolution in the LSTU. In the
    STU one of the three gates sees the attribute planes a second time.
    """

    def __init__(self, unit: str, c: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(2 * c + ATTRIBUTES, c, 3, 2, 1, 1)
        gates = {"stu": (2 * c + ATTRIBUTES, 2 * c, 2 * c), "lstu": (c, c)}[unit]
        self.gates = nn.ModuleList(nn.Conv2d(before, c, 3, 1, 1) for before in gates)


def table_units(unit: str, in_channel: int) -> nn.Module:
    """Five units as the table reads them, without memory."""
    with torch.device("meta"):
        return nn.ModuleList(TableUnit(unit, c) for c in unit_channels(in_channel))


def network(unit: str, width: int) -> UNet:
    """The 5-layer network of STGAN or LSTU-Net with its four units, without memory."""
    with torch.device("meta"):
        return UNet(width=width, layers=5, attributes=ATTRIBUTES, skip=4, inject=4, unit=unit).eval()


def parameters(module: nn.Module) -> int:
    """Numbers that training changes."""
    return sum(parameter.numel() for parameter in module.parameters())


def unit_flops(generator: UNet, size: int) -> int:
    """FLOPs of the units for one picture of size²: 2 per multiply-add of their convolutions, nothing else."""
    with torch.no_grad():
        features = generator.encode(torch.empty(1, 3, size, size, device="meta"))
        condition = torch.empty(1, ATTRIBUTES, device="meta")
        state = features[-1]
        with FlopCounterMode(display=False) as counter:
            for unit, x in zip(generator.units, features[-2::-1], strict=True):
                _, state = unit(x, state, condition)
    return counter.get_total_flops()


# ---- the table ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Counts:
    """One unit at one in-channel: parameters and FLOPs in the three ways."""

    unit: str
    channel: int
    formula: tuple[int, int]  # parameters, FLOPs
    table_parameters: int  # of five modules as the table reads them
    real_parameters: int  # of our four
    real_flops: tuple[int, ...]  # of our four, per SIZES

    @property
    def printed(self) -> tuple[str, str]:
        return PRINTED[self.unit, self.channel]

    @property
    def cut(self) -> tuple[str, str]:
        """The formula's values as the table would print them."""
        return cut(self.formula[0], MILLION), cut(self.formula[1], BILLION)

    def rows(self) -> list[tuple[str, ...]]:
        """Parameters, then FLOPs."""
        name = f"{self.unit.upper()} {self.channel}"
        signs = ["" if ours == theirs else "≠ " for ours, theirs in zip(self.cut, self.printed, strict=True)]
        params = [f"{self.printed[0]} M", f"{self.formula[0]:,}", f"{signs[0]}{self.cut[0]} M"]
        flops = [f"{self.printed[1]} G", f"{self.formula[1]:,}", f"{signs[1]}{self.cut[1]} G"]
        params += [f"{self.table_parameters:,}", f"{self.real_parameters:,}", *["same"] * (len(SIZES) - 1)]
        flops += [NONE, *(f"{count / BILLION:.3f} G" for count in self.real_flops)]
        return [(name, "params", *params), (name, "FLOPs", *flops)]

    def over(self, other: Counts) -> list[tuple[str, ...]]:
        """What this unit costs in percent of the other."""
        name = f"{self.unit.upper()}/{other.unit.upper()}"
        printed = [
            percent(float(mine), float(theirs))
            for mine, theirs in zip(self.printed, other.printed, strict=True)
        ]
        formula = [percent(mine, theirs) for mine, theirs in zip(self.formula, other.formula, strict=True)]
        table = percent(self.table_parameters, other.table_parameters)
        real = percent(self.real_parameters, other.real_parameters)
        flops = [
            percent(mine, theirs) for mine, theirs in zip(self.real_flops, other.real_flops, strict=True)
        ]
        return [
            (name, "params", printed[0], formula[0], "", table, real, *["same"] * (len(SIZES) - 1)),
            (name, "FLOPs", printed[1], formula[1], "", NONE, *flops),
        ]


def cut(number: int, scale: int) -> str:
    """`30.90` from 30_909_433_856 in 10⁹: two decimals, cut and not rounded, as the table does."""
    hundredths = number * 100 // scale
    return f"{hundredths // 100}.{hundredths % 100:02d}"


def percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f} %"


def counts(unit: str, channel: int) -> Counts:
    """From the formulas, and from modules built here."""
    real = network(unit, channel)
    return Counts(
        unit=unit,
        channel=channel,
        formula=(formula_parameters(unit, channel), formula_flops(unit, channel)),
        table_parameters=parameters(table_units(unit, channel)),
        real_parameters=parameters(real.units),
        real_flops=tuple(unit_flops(real, size) for size in SIZES),
    )


def reproduce() -> Reproduction:
    """Printed value, formula and modules side by side, with their ratios."""
    pairs = [(counts("stu", channel), counts("lstu", channel)) for channel in IN_CHANNELS]
    return Reproduction(
        title="CooGAN (ECCV 2020, arXiv 2011.01563), table 5: what the units STU and LSTU cost",
        columns=(
            *("unit", "counts", "printed", "formula", "cut", "its modules"),
            *(f"ours, {SIZES[0]} px", *(f"{size} px" for size in SIZES[1:])),
        ),
        rows=tuple(row for stu, lstu in pairs for row in (*stu.rows(), *lstu.rows(), *lstu.over(stu))),
        notes=notes(pairs),
    )


def notes(pairs: list[tuple[Counts, Counts]]) -> tuple[str, ...]:
    """What the columns count, where they part, and what that does to the paper's claim."""
    stu, lstu = pairs[-1]
    kept = listing(f"{100 * light.formula[0] / full.formula[0]:.1f}" for full, light in pairs)
    saved = listing(f"{100 - 100 * light.formula[1] / full.formula[1]:.1f}" for full, light in pairs)
    return (
        "printed: the paper's table. formula: closed forms of the authors' calculation script, summed "
        f"over five units with C/2, C, 2C, 4C and 8C channels, C = {listing(map(str, IN_CHANNELS))}. cut: "
        f"the same with decimals cut, not rounded, as the table does. {agreement(pairs)}",
        "its modules: five units of the layers that the parameter formula counts, built here: a 3×3 "
        "transposed convolution (the released code has 4×4), no 1×1 convolution in LSTU (it has one), the "
        "attribute planes twice in STU. They give the formula's parameters exactly.",
        f"No modules give the FLOPs column: the script puts the five units at {listing(map(str, SIDES))} "
        "pixels, which is no pyramid of a real network, and it adds element-wise steps. That our units come "
        f"near it at {SIZES[-1]} px is a coincidence.",
        f"ours: the four units of the 5-layer network as implemented, with {ATTRIBUTES} attributes and C "
        "channels after the first layer, for a picture of this size; counted on the modules, two FLOPs per "
        "multiply-add of their convolutions.",
        "The paper claims half the parameters and over 60 % fewer FLOPs. Its formulas give about that: "
        f"{kept} % of STU's parameters, {saved} % fewer FLOPs. The implemented unit does not: at "
        f"{stu.channel} channels LSTU has {percent(lstu.real_parameters, stu.real_parameters)} of STU's "
        f"parameters and {percent(lstu.real_flops[0], stu.real_flops[0])} of its FLOPs.",
    )


def agreement(pairs: list[tuple[Counts, Counts]]) -> str:
    """How many printed entries the formulas give, and which one they do not."""
    entries = [
        (f"{count.unit.upper()} {count.channel} {what}", printed, ours)
        for pair in pairs
        for count in pair
        for what, printed, ours in zip(("params", "FLOPs"), count.printed, count.cut, strict=True)
    ]
    apart = [f"{name} is printed {printed}, not {ours}" for name, printed, ours in entries if printed != ours]
    agree = f"{len(entries) - len(apart)} of {len(entries)} printed entries agree"
    return f"{agree}; {listing(apart)}, probably a misprint." if apart else f"{agree}."


def listing(texts: Iterable[str]) -> str:
    return ", ".join(texts)
