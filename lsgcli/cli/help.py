"""How help is laid out: plain text, sentences filled, options in the groups they belong to.

``HelpFormatter`` of Click decides on columns; the manual pages are the same calls with a formatter
that writes roff. Rich would lay out a table of six columns, which leaves 20 characters for a
sentence on a terminal of 80, and takes as long to import as all the rest of ``--help``.
"""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperGroup

from lsgcli.cli.groups import flat
from lsgcli.cli.options import Messages

if TYPE_CHECKING:
    from collections.abc import Callable

    from typer._click.core import Context, Parameter
    from typer._click.formatting import HelpFormatter
    from typer.models import CommandFunctionType

WIDTH = 100  # longer lines are hard to read, whatever the terminal has


class Command(TyperCommand):
    """A command whose options are listed by group."""

    def format_help_text(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Write the description."""
        write_description(self.help, formatter)

    def format_options(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Write arguments and options."""
        _write_parameters(self.get_params(ctx), ctx, formatter)


class Group(TyperGroup):
    """A command with commands of its own."""

    def format_help_text(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Write the description."""
        write_description(self.help, formatter)

    def format_options(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Write the commands, each with the first sentence of its help, then the options."""
        rows = [
            (name, _first_sentence(command.help))
            for name, command in self.commands.items()
            if not command.hidden
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
        _write_parameters(self.get_params(ctx), ctx, formatter)


class App(typer.Typer):
    """A Typer that makes such commands."""

    def __init__(self, **settings: Any) -> None:
        names = {"help_option_names": ["-h", "--help"], "max_content_width": WIDTH}
        super().__init__(
            cls=Group,
            rich_markup_mode=None,
            pretty_exceptions_enable=False,
            context_settings=names,
            **settings,
        )

    def command(
        self, name: str | None = None, **settings: Any
    ) -> Callable[[CommandFunctionType], CommandFunctionType]:
        """Register a command, with an option for each field of the groups that it takes.

        All commands have ``Messages``.
        """
        register = super().command(name, **{"cls": Command, **settings})

        def registered(function: CommandFunctionType) -> CommandFunctionType:
            register(flat(function, Messages))
            return function

        return registered


def write_description(text: str | None, formatter: HelpFormatter) -> None:
    """Write paragraphs; the lines below ``Example:`` or ``Examples:`` stay as they are."""
    formatter.write_paragraph()
    with formatter.indentation():
        formatter.write_text(
            re.sub(r"\n\n(?=Examples?:\n)", "\n\n\b\n", inspect.cleandoc(text or ""))
        )


def _write_parameters(parameters: list[Parameter], ctx: Context, formatter: HelpFormatter) -> None:
    """Write a section for each group of parameters: arguments, then as the first ones stand."""
    groups: dict[str, list[tuple[str, str]]] = {"Arguments": []}
    for parameter in parameters:
        default = "Arguments" if parameter.param_type_name == "argument" else "Options"
        record = parameter.get_help_record(ctx)
        if record:
            group = getattr(parameter, "rich_help_panel", None) or default
            groups.setdefault(group, []).append(record)
    for name, rows in groups.items():
        if rows:
            with formatter.section(name):
                formatter.write_dl(rows)


def _first_sentence(text: str | None) -> str:
    return " ".join((text or "").partition("\n\n")[0].split())
