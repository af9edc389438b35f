"""The command `faceedit-bench`: a group whose commands are imported only when they are used."""

from __future__ import annotations

import errno
from importlib import import_module

import click

from .. import __version__
from ..errors import FaceEditError

COMMANDS = {
    "run": ("run:run", "Edit a suite's faces with a method and score the result."),
    "show": ("show:show", "Print the scores of a finished run."),
    "score": ("score:score", "Score pictures that another program edited."),
    "rescore": ("rescore:rescore", "Compute further metrics of a finished run."),
    "compare": ("compare:compare", "Say in which numbers two runs differ, and how surely."),
    "plan": ("plan:plan", "Tell how many faces separate two methods."),
    "edit": ("edit:edit", "Edit photographs of your own."),
    "train": ("train:train", "Train a method; ends with weights and their pin."),
    "train-judge": ("train_judge:train_judge", "Train a judge, for drawn faces or photographs."),
    "board": ("board_group:board", "Write or check the leaderboards; add runs of others."),
    "report": ("report:report", "Compare finished runs on one page."),
    "cost": ("cost:cost", "Print what methods cost in memory, operations and time."),
    "reproduce": ("reproduce:reproduce", "Compute a table of a paper again."),
    "experiment": ("experiment:experiment", "Train on edited faces, and see what changes."),
    "export": ("export:export", "Add a finished run to the leaderboards' records."),
    "methods": ("methods:methods", "List methods, or the options of one."),
    "metrics": ("metrics:metrics", "List metrics and what they need."),
    "suites": ("suites:suites", "List suites, or the contents of one."),
    "judges": ("judges:judges", "List judges and whether their weights are here."),
    "weights": ("weights:weights", "List, verify, add or import weights files."),
    "data": ("data:data", "Look at the faces of a data set."),
    "new-method": ("new_method:new_method", "Write a plugin of your own that works."),
    "doctor": ("doctor:doctor", "Say what is broken here and how to mend it."),
}
"""Command -> (module:name in this package, its line in the help)."""

_NOT_A_BUG = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "your disk quota is used up",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "no permission",
}


class LazyGroup(click.Group):
    """Lists its commands from `COMMANDS` and imports one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command = getattr(import_module(f"{__name__}.{module}"), name)
        assert isinstance(command, click.Command), f"{module}:{name} is not a command"
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> object:
        """What the user can mend is one message and exit code 1; the rest keeps its traceback."""
        if ctx.params.get("debug"):
            return super().invoke(ctx)
        try:
            return super().invoke(ctx)
        except FaceEditError as error:
            raise click.ClickException(str(error)) from None
        except OSError as error:
            if error.errno not in _NOT_A_BUG:
                raise
            place = f"{error.filename}: " if error.filename else ""
            raise click.ClickException(f"{place}{_NOT_A_BUG[error.errno]}") from None


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: faceedit-bench run --method coogan",
)
@click.option("--debug", is_flag=True, help="Show the traceback of errors.")
@click.version_option(__version__, prog_name="faceedit-bench")
def cli(debug: bool) -> None:
    """Compare face attribute editing methods under one protocol."""


def main() -> None:
    """Entry point of the console script."""
    cli(prog_name="faceedit-bench")
