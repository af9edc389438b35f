"""`faceedit-bench judges`: the pinned networks that metrics ask."""

from __future__ import annotations

import json

import click

from ..catalog import catalog
from ..contracts import JudgeSpec, Pin
from ..errors import WrongWeights
from ..weights import home_of, locate
from .output import as_json, note_broken, print_json
from .table import table


@click.command(
    epilog="""
\b
Examples:
  faceedit-bench judges
  faceedit-bench judges --ask
"""
)
@click.option(
    "--ask", is_flag=True, help="Ask all whose weights are here about eight fixed pictures, and compare."
)
@click.option("--device", default="cpu", show_default=True, help="Where they are asked: cpu, cuda or auto.")
@as_json
def judges(ask: bool, device: str, as_json: bool) -> None:
    """List judges: what each answers, the faces it was trained on, and whether its weights are here.

    With --ask, each that is here is asked about eight pictures of a formula. What it answered before, with
    the same weights, it must answer again; a judge asked for the first time is remembered. The exit code is 1
    where answers differ. Runs ask by themselves, once for a judge's file and code, and start only if all is
    well. Beside it stands what FID, LPIPS or ID make of larger such pictures and the same mirrored: a number
    to compare with other machines, remembered and compared likewise.
    """
    if ask:
        return _ask(device, as_json=as_json)
    found = catalog()
    described = [
        {
            "name": spec.name,
            "version": spec.version,
            "role": spec.role,
            "faces": spec.faces,
            "size": spec.view.size,
            "width": spec.width,
            "weights": "here" if locate(spec.pin, home_of(spec)) else "missing",
            "sha256": spec.pin.sha256,
            "licence": spec.pin.licence,
            "lacks": _lacks(spec),
            "summary": spec.summary,
        }
        for _, spec in sorted(found.judges.items())
    ]
    if as_json:
        return print_json(described)
    rows: list[tuple[object, ...]] = []
    for one in described:
        rows.append((one["name"], one["version"], one["weights"], one["summary"]))
        rows.append(("", "", "", f"plays {one['role']!r}; learned on {one['faces']}; {one['licence']}"))
        if one["lacks"]:
            rows.append(("", "", "", one["lacks"]))
    click.echo(table(("judge", "v", "weights", "what it answers"), rows))
    note_broken(found.broken)


def _lacks(spec: JudgeSpec) -> str:
    """What the card of a judge that was trained here says of its gates, if it does not pass them all."""
    path = locate(spec.pin, home_of(spec))
    card = path.with_suffix(".json") if path else None
    if card is None or Pin.from_card(card) is None:
        return ""
    gates = json.loads(card.read_text(encoding="utf-8")).get("gates", {}).get("verdicts", [])
    lacking = [one for one in gates if one["verdict"] != "passes"]
    return f"not to be published: {len(lacking)} of {len(gates)} gates are not passed" if lacking else ""


def _ask(device: str, *, as_json: bool) -> None:
    """Every judge that is here, and whether it answers as before."""
    from .. import asking
    from ..device import choose

    on = choose(device)
    here = {name: spec for name, spec in sorted(catalog().judges.items()) if locate(spec.pin, home_of(spec))}
    answered = {name: asking.ask(spec, on) for name, spec in here.items()}
    scores = {name: asking.measure(spec, on) for name, spec in here.items()}
    wrong = {name: [*(answered[name] or []), *scores[name][1]] for name in here}
    if as_json:
        print_json(
            [
                {
                    "name": name,
                    "known": answered[name] is not None,
                    "differences": wrong[name],
                    "scores": scores[name][0],
                }
                for name in here
            ]
        )
    else:
        rows = [
            (
                name,
                ", ".join(f"{metric} {value:.6g}" for metric, value in scores[name][0].items()),
                "; ".join(wrong[name][:2]) or ("remembered" if answered[name] is None else "as before"),
            )
            for name in here
        ]
        click.echo(table(("judge", "of fixed pictures", "answers"), rows))
    if any(wrong.values()):
        raise WrongWeights(asking.complaint({name: found for name, found in wrong.items() if found}))
