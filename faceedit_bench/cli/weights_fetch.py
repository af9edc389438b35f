"""`faceedit-bench weights fetch`, `pack` and `unpack`: files for machines with and without a network."""

from __future__ import annotations

from pathlib import Path

import click

from .. import fetching
from ..errors import BadConfig
from ..weights import Wanted
from .output import note

suite_option = click.option("--suite", help="All judges of this suite.")
all_option = click.option("--all", "everything", is_flag=True, help="Everything that is wanted.")


@click.command(
    epilog="""
\b
Examples:
  faceedit-bench weights fetch lpips-alex inception-2015
  faceedit-bench weights fetch --suite drawn-128
  faceedit-bench weights fetch --all --from /shared/weights --offline
"""
)
@click.argument("names", nargs=-1)
@suite_option
@all_option
@click.option(
    "--from",
    "source",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of files to look into first.",
)
@click.option(
    "--offline", is_flag=True, envvar="FACEEDIT_OFFLINE", help="Never use the network.  [$FACEEDIT_OFFLINE]"
)
def fetch(
    names: tuple[str, ...], suite: str | None, everything: bool, source: Path | None, offline: bool
) -> None:
    """Get the files of NAMES (judges, methods or file names) into the user's weights folder.

    A download that broke off goes on where it stopped. A file is accepted only with its size and sha256; a
    page of HTML never is. Its licence is shown: it is yours to keep to. Files that cannot be had are told at
    the end, when the others are here, and the exit code is 1.
    """
    asked = _asked(names, suite, everything)
    got = fetching.fetch(asked, source=source, offline=offline, say=note)
    click.echo(f"{len(got)} file(s) fetched, {len({one.pin for one in asked}) - len(got)} were here")


@click.command(epilog="Example: faceedit-bench weights pack judges.tar --suite drawn-128")
@click.argument("out", type=click.Path(path_type=Path))
@click.argument("names", nargs=-1)
@suite_option
@all_option
def pack(out: Path, names: tuple[str, ...], suite: str | None, everything: bool) -> None:
    """Write the files of NAMES that are here, with their pins, into one tar file OUT."""
    for pin in fetching.pack(_asked(names, suite, everything), out):
        click.echo(f"{pin.file}  sha256 {pin.sha256}  licence {pin.licence}")
    click.echo(f"{out}: take it along, then: faceedit-bench weights unpack {out.name}")


@click.command(epilog="Example: faceedit-bench weights unpack judges.tar")
@click.argument("file", type=click.Path(path_type=Path))
def unpack(file: Path) -> None:
    """Accept the files of a pack made by `weights pack`, each checked against its pin."""
    got = fetching.unpack(file, say=note)
    click.echo(f"{len(got)} file(s) accepted")


def _asked(names: tuple[str, ...], suite: str | None, everything: bool) -> list[Wanted]:
    """What the names, the suite's judges, or everything stand for."""
    if everything:
        return list(fetching.wanted())
    wanted = list(names)
    if suite:
        from .. import suite as suites

        wanted += suites.load(suite).judges.values()
    if not wanted:
        raise BadConfig("say which: NAMES, --suite NAME or --all; `faceedit-bench weights list` shows them")
    return fetching.named(wanted)
