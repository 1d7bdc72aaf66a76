"""Write the manual pages, one a command, from the commands themselves: ``make man``.

Click writes help through a formatter. Given one that writes roff, the same calls make a manual
page, so help and manual cannot differ. What help does not say (environment, files) stands here.
"""

from __future__ import annotations

import re
from inspect import cleandoc
from pathlib import Path
from typing import TYPE_CHECKING

import typer.main
from typer._click.formatting import HelpFormatter
from typer.core import TyperGroup

from lsgcli import __version__
from lsgcli.cli.app import EPILOG, application
from lsgcli.cli.help import write_description

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from typer._click.core import Command, Context

FOLDER = Path(__file__).parent / "man1"

ENVIRONMENT = [
    (
        "LSG_HOME",
        "Directory of models and of the registry's own entries, in place of the two below.",
    ),
    ("LSG_STATS", "Set to 1: as if --stats were given."),
    ("LSG_DEBUG", "Set: as if --debug were given."),
    ("NO_COLOR", "Set: no colours, unless --color says otherwise."),
    (
        "HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE",
        "Read when models are pulled, as by huggingface_hub.",
    ),
    ("CT2_FORCE_CPU_ISA", "Read by CTranslate2: the instructions to use, such as AVX2."),
]
FILES = [
    ("~/.cache/lsg/models/", "Models that were pulled or converted ($XDG_CACHE_HOME)."),
    ("~/.config/lsg/registry.toml", "Names of models of your own ($XDG_CONFIG_HOME)."),
    ("~/.config/lsg/profiles/", "Settings that lsg tune has saved."),
]


class Roff(HelpFormatter):
    """A formatter of Click's that writes the macros of man(7)."""

    def write_paragraph(self) -> None:
        """Nothing: headings and texts begin their own paragraphs."""

    def write_heading(self, heading: str) -> None:
        """Begin a section."""
        self.write(f".SH {escaped(heading.upper())}\n")

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """Write the command and what it takes."""
        self.write_heading("Synopsis")
        self.write(f".B {escaped(prog)}\n{escaped(args)}\n")

    def write_text(self, text: str) -> None:
        r"""Write paragraphs; the lines of one that begins with ``\b`` as they are."""
        for paragraph in text.split("\n\n"):
            first, *rest = paragraph.splitlines()
            if first == "\b":
                self.write_heading(rest[0].rstrip(":"))
                lines = "".join(f"{escaped(line.strip())}\n" for line in rest[1:])
                self.write(f".EX\n{lines}.EE\n")
            else:
                self.write(f".PP\n{escaped(' '.join(paragraph.split()))}\n")

    def write_dl(
        self, rows: Sequence[tuple[str, str]], col_max: int = 0, col_spacing: int = 0
    ) -> None:
        """Write terms, with what is said of each."""
        for term, text in rows:
            self.write(f".TP\n{marked(term)}\n{escaped(' '.join(text.split()))}\n")


def escaped(text: str) -> str:
    """Text for roff, in which no character has a meaning of its own."""
    text = text.replace("\\", r"\e").replace("-", r"\-").replace("~", r"\(ti")
    text = re.sub(r"[^\x00-\x7f]", lambda match: rf"\[u{ord(match[0]):04X}]", text)
    return r"\&" + text if text.startswith((".", "'")) else text


def marked(term: str) -> str:
    """Options and commands in bold, what stands for a value in italics."""
    words = re.split(r"(, | / | )", term)
    return "".join(
        word
        if word.strip() in ("", ",", "/")
        else rf"\fB{escaped(word)}\fR"
        if re.match(r"-|[a-z~]", word)
        else rf"\fI{escaped(word)}\fR"
        for word in words
    )


def contexts(command: Command, parent: Context | None = None) -> Iterator[Context]:
    """The command and all that are below it, in the order of the help."""
    context = typer.Context(
        command, parent=parent, info_name=command.name, **command.context_settings
    )
    yield context
    if isinstance(command, TyperGroup):
        for each in command.commands.values():
            if not each.hidden:
                yield from contexts(each, context)


def page(context: Context, related: Sequence[str]) -> str:
    """The manual page of a command."""
    command, name = context.command, title(context)
    summary, _, description = cleandoc(command.help or "").partition("\n\n")
    summary = " ".join(summary.split())
    roff = Roff()
    roff.write(f'.TH {escaped(name.upper())} 1 "" "lsg {__version__}" "lsg"\n.nh\n.ad l\n')
    roff.write_heading("Name")
    short = summary.rstrip(".")
    roff.write(rf"{escaped(name)} \- {escaped(short[0].lower() + short[1:])}" + "\n")
    command.format_usage(context, roff)
    roff.write_heading("Description")
    write_description(description or summary, roff)
    command.format_options(context, roff)
    roff.write_heading("Exit status")
    roff.write_text(EPILOG.partition(": ")[2])
    if context.parent is None:
        roff.write_heading("Environment")
        roff.write_dl(ENVIRONMENT)
        roff.write_heading("Files")
        roff.write_dl(FILES)
    roff.write_heading("See also")
    roff.write(",\n".join(rf"\fB{escaped(each)}\fR(1)" for each in related) + "\n")
    return roff.getvalue()


def title(context: Context) -> str:
    """The name of the page: the words of the command with hyphens between them."""
    return context.command_path.replace(" ", "-")


def pages() -> dict[str, str]:
    """Every page by the name of its file."""
    every = list(contexts(typer.main.get_command(application())))
    return {
        f"{title(one)}.1": page(one, [title(each) for each in every if each is not one])
        for one in every
    }


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.1"):
        old.unlink()
    for file, text in pages().items():
        (FOLDER / file).write_text(text, encoding="utf-8")
