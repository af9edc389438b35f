"""Operations of one run: multiply-accumulates of convolutions, matrix products and attention."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode, flop_registry


def count_flops(run: Callable[[], Any]) -> int:
    """FLOPs of one run by PyTorch's dispatcher-level counter.

    Fused attention escapes that counter, so attention is run here as the matrix products it stands for.
    """
    counter, fast = FlopCounterMode(display=False), torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), counter:
            run()
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
    return counter.get_total_flops()


def flops_of(operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> int:
    """FLOPs of one operation by the formulas of the same counter; 0 where it knows none."""
    formula = flop_registry.get(operation._overloadpacket)
    return formula(*args, **kwargs, out_val=result) if formula else 0
