"""`faceedit-bench cost`: parameters, operations, memory and time of methods at chosen sizes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from .options import OPTION, method_options
from .output import as_json, print_json
from .table import fitted, table

LONGEST = 16  # characters of a name; a longer one is broken before its preset
MIB, GIB = 2**20, 2**30


@click.command(
    epilog="""
\b
Examples:
  faceedit-bench cost --method coogan:paper --method stgan:hr --size 768,4096
  faceedit-bench cost --method coogan --size 256 --measured
  faceedit-bench cost --method coogan:paper --method attgan:hr --size 2048 --memory 1GB
"""
)
@click.option(
    "--method",
    "methods",
    multiple=True,
    required=True,
    help="NAME, or NAME:PRESET such as stgan:hr (stgan-hr will do); repeatable.",
)
@click.option(
    "--size", "sizes", multiple=True, default=["256"], show_default=True, help="Pixels per side; 768,1024."
)
@click.option(
    "--measured", "mode", flag_value="measured", help="Run the method here; slow ones take minutes."
)
@click.option(
    "--predicted", "mode", flag_value="predicted", help="Run nothing; any size, any device, in seconds."
)
@click.option(
    "--device", default="", help="cpu or cuda; a prediction does not need it to be here.  [default: auto]"
)
@click.option(
    "--memory", metavar="BYTES", help="What must fit, such as 1GB: picks patch_batch, or the largest size."
)
@method_options("--set")
@click.option("--seconds", default=10.0, show_default=True, help="How long each method is timed.")
@click.option("--threads", default=1, show_default=True, help="CPU threads.")
@click.option(
    "--check", "checks", is_flag=True, help="Run predicted methods once, small, and print the error."
)
@as_json
def cost(
    methods: tuple[str, ...],
    sizes: tuple[str, ...],
    mode: str | None,
    device: str,
    memory: str | None,
    options: tuple[str, ...],
    seconds: float,
    threads: int,
    checks: bool,
    as_json: bool,
) -> None:
    """Print what methods cost at the sizes asked.

    Measured where weights are here and memory and a minute will do, otherwise predicted: then nothing runs,
    and no weights, memory or GPU are needed. Predictions are for a GPU unless --device cpu is given.
    """
    from ..config import parse_overrides, parse_sizes
    from ..cost.fitting import parse_bytes
    from ..cost.survey import Question, survey

    question = Question(
        methods=methods,
        sizes=parse_sizes(sizes, "--size"),
        mode=mode or "auto",  # type: ignore[arg-type]
        device=device,
        settings=parse_overrides(options, OPTION),
        memory=None if memory is None else parse_bytes(memory),
        seconds=seconds,
        threads=threads,
        checks=checks,
    )
    rows = list(survey(question))
    print_json(rows) if as_json else click.echo(page(rows))


# ---- tables ---------------------------------------------------------------------------------------


def page(rows: Sequence[dict[str, Any]]) -> str:
    """Both tables, then what has to be said about single rows."""
    by_mode = {
        mode: [row for row in rows if row["mode"] == mode] for mode in ("measured", "predicted", "refused")
    }
    parts = []
    if by_mode["measured"]:
        parts.append(_measured(by_mode["measured"]))
    if by_mode["predicted"]:
        parts.append(_predicted(by_mode["predicted"]))
    parts += [_refusal(row) for row in by_mode["refused"]]
    parts += ["\n".join(lines) for lines in (_memory(rows), _checks(by_mode["predicted"])) if lines]
    return "\n\n".join("\n".join(map(fitted, part.split("\n"))) for part in parts)


def _predicted(rows: Sequence[dict[str, Any]]) -> str:
    columns = ("method", "size", "param.", "GFLOP", "weights", "activ.", "total", "on host")
    cells = [
        (
            *(row["size"], millions(row["parameters"]), short(row["flops"] / 1e9)),
            *(mib(row[key]) for key in ("weights_bytes", "peak_activation_bytes", "peak_total_bytes")),
            mib(row["peak_host_bytes"]) if "peak_host_bytes" in row else "–",
        )
        for row in rows
    ]
    devices = sorted({row["device"] for row in rows})
    reasons = sorted({row["reason"] for row in rows})
    return "\n".join(
        [
            f"predicted for {', '.join(devices)}, batch 1, nothing was run ({'; '.join(reasons)})",
            _table(columns, rows, cells),
            "MiB of tensors: operators' scratch memory and the CUDA context come on top",
        ]
    )


def _measured(rows: Sequence[dict[str, Any]]) -> str:
    is_gpu = any("cuda" in row for row in rows)
    columns = (
        "method",
        "size",
        "GFLOP",
        "weights",
        "activ.",
        "alloc." if is_gpu else "rise",
        "ms",
        "p90",
        "img/s",
    )
    cells = []
    for row in rows:
        process, best = row["process"], row["throughput"]
        rise = process["peak_resident_bytes"] - process["resident_bytes"]
        cells.append(
            (
                *(row["size"], short(row["flops"] / 1e9)),
                *(mib(row[key]) for key in ("weights_bytes", "peak_activation_bytes")),
                mib(row["cuda"]["peak_allocated_bytes"] if "cuda" in row else rise),
                *(short(row["latency"][key] * 1e3) for key in ("median", "p90")),
                f"{short(best['images_per_second'])} @{best['batch']}" if best else "–",
            )
        )
    last = (
        "alloc.: peak of PyTorch's allocator, weights included"
        if is_gpu
        else "rise: resident memory of a fresh process in its first pass, scratch included"
    )
    return "\n".join(
        [
            _table(columns, rows, cells),
            f"MiB; ms per picture at batch 1, median and p90; img/s at the best batch\n{last}",
            *dict.fromkeys(_machine(row) for row in rows),
            *(line for row in rows for line in _remarks(row)),
        ]
    )


def _machine(row: dict[str, Any]) -> str:
    """`AMD EPYC, 2 cores, 1 thread, 2445 MHz`."""
    clocks = row["conditions"]["clocks"] or {}
    told = {
        "cpu_mhz": "{:.0f} MHz",
        "clocks.sm": "SM {} MHz",
        "clocks.mem": "memory {} MHz",
        "power.limit": "{} W",
    }
    found = [text.format(clocks[key]) for key, text in told.items() if clocks.get(key) is not None]
    threads = f"{row['threads']} thread{'s' if row['threads'] > 1 else ''}"
    return f"on {', '.join([row['device'], threads, *(found or ['clocks unreadable'])])}"


def _remarks(row: dict[str, Any]) -> list[str]:
    """What a single measured row has to tell: framework's peaks, audits, the prediction's error."""
    lines, told = [f"{row['name']} at {row['size']} px, {row['weights']} weights"], row["latency"]
    load = row["conditions"]["load"]
    busy = "" if load is None else f", load {load[0]:.1f}"
    lines.append(
        f"  {told['n']} runs after {told['warm_up']}, processor {told['cpu_mean'] * 1e3:.1f} ms of "
        f"{told['wall_mean'] * 1e3:.1f} ms{busy}"
    )
    if "cuda" in row:
        own = row["process"]["gpu_process_bytes"]
        lines.append(
            f"  reserved {mib(row['cuda']['peak_reserved_bytes'])}, first pass "
            f"{mib(row['cuda']['cold_peak_allocated_bytes'])}, process {mib(own) if own else 'hidden'} MiB"
        )
    errors = row["prediction"]["errors"]
    lines.append("  " + _errors(errors))
    audit = row["audit"]
    lines.append(
        f"  audit: new pictures take {audit['distinct_over_repeated']:.2f} × a repeated one; "
        f"{audit['outputs_equal']} of {audit['outputs_compared']} outputs equal"
    )
    return lines + [f"  AUDIT FAILED: {reason}" for reason in audit["failed"]]


def _errors(errors: dict[str, float]) -> str:
    names = {"peak_activation_bytes": "tensors", "flops": "FLOPs", "allocated_bytes": "allocator's peak"}
    return "prediction off by " + ", ".join(f"{value:+.2%} ({names[key]})" for key, value in errors.items())


def _refusal(row: dict[str, Any]) -> str:
    sizes = ", ".join(map(str, row["takes"])) or "none of the usual ones"
    return f"{row['name']} at {row['size']} px: {row['reason']}\n  sizes that work: {sizes}"


def _memory(rows: Sequence[dict[str, Any]]) -> list[str]:
    """What fits into --memory."""
    lines = []
    for row in rows:
        if "memory" not in row:
            continue
        found = row["memory"]
        head, total = f"{row['name']} at {row['size']} px", amount(found["total_bytes"])
        if found["patch_batch"]:
            lines.append(f"{head}: fits with patch_batch={found['patch_batch']} ({total})")
        elif found["fits"]:
            lines.append(f"{head}: fits ({total})")
        else:
            lines.append(f"{head}: does not fit, needs {total}; {_remedy(row)}")
    return lines


def _remedy(row: dict[str, Any]) -> str:
    """What would fit instead."""
    up_to = row["memory"]["largest_size"]
    if up_to:
        return f"fits up to {up_to} px"
    if row["weights_bytes"] > row["memory"]["limit"]:
        return f"its weights alone take {amount(row['weights_bytes'])}"
    return "fits at no size"


def _checks(rows: Sequence[dict[str, Any]]) -> list[str]:
    """How far predictions were from a pass that was run."""
    found = {row["name"]: row["check"] for row in rows if "check" in row}
    return [f"{name} run at {check['size']} px: {_outcome(check)}" for name, check in found.items()]


def _outcome(check: dict[str, Any]) -> str:
    return check["reason"] if "reason" in check else _errors(check["prediction"]["errors"])


def _table(columns: Sequence[str], rows: Sequence[dict[str, Any]], cells: Sequence[Sequence[Any]]) -> str:
    lines: list[tuple[Any, ...]] = []
    for row, values in zip(rows, cells, strict=True):
        name, more = broken(row["name"])
        lines.append((name, *values))
        if more:
            lines.append((more, *[""] * len(values)))
    return table(columns, lines, right=columns[1:])


def broken(name: str) -> tuple[str, str]:
    """A long name in two lines, before its preset."""
    if len(name) <= LONGEST or ":" not in name:
        return name, ""
    method, _, preset = name.partition(":")
    return method, f"  :{preset}"


def mib(size: int) -> str:
    """`966.0`; above 10,000 MiB `12.5 G`."""
    return f"{size / MIB:.1f}" if size < 10_000 * MIB else f"{size / GIB:.1f} G"


def amount(size: int) -> str:
    """`966.0 MiB`, `12.5 GiB`."""
    return mib(size).replace(" G", " GiB") if size >= 10_000 * MIB else f"{mib(size)} MiB"


def short(value: float) -> str:
    """A decimal where there is room for it."""
    return f"{value:.1f}" if value < 1000 else f"{value:.0f}"


def millions(count: int) -> str:
    return f"{count / 1e6:.2f} M"
