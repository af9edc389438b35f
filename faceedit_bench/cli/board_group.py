"""`faceedit-bench board`: write the leaderboards, and what else can be done with runs for them."""

from __future__ import annotations

import click

from .board import board as write
from .board_bundle import bundle
from .board_submit import submit
from .board_verify import verify

DEFAULT = "write"


class Boards(click.Group):
    """`board drawn-128 --check` is `board write drawn-128 --check`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        is_said = bool(args) and args[0] in (*self.commands, *ctx.help_option_names)
        return super().parse_args(ctx, args if is_said else [DEFAULT, *args])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return self.commands.get(cmd_name, self.commands[DEFAULT])


@click.group(
    cls=Boards,
    epilog="""
\b
Examples:
  faceedit-bench board drawn-128
  faceedit-bench board bundle coogan-0388a1ac5f5e139c --out mine.zip
""",
)
def board() -> None:
    """Write the leaderboards (`board NAME` is `board write NAME`), or pass runs on, check and add them."""


board.add_command(write, DEFAULT)
board.add_command(bundle)
board.add_command(verify)
board.add_command(submit)
