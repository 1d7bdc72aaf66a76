"""The ``lsg`` command, and the one place where exceptions become exit codes."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from lsgcli import __version__, signals, terminal
from lsgcli.cli import evaluate, models
from lsgcli.cli.doctor import doctor
from lsgcli.cli.help import App
from lsgcli.cli.speech import asr, st
from lsgcli.cli.translate import replay, translate
from lsgcli.cli.tune import tune
from lsgcli.errors import ExitCode, LsgError

if TYPE_CHECKING:
    from collections.abc import Sequence

EPILOG = (
    "Exit codes: 0 done, also when the reader of the output has gone; 1 the work failed; "
    "2 the command line, the model or the language pair is wrong; 130 interrupted; 143 terminated."
)

LIVE = {"translate", "asr", "st", "replay"}  # which leave nothing unfinished before they run

app = App(name="lsg", epilog=EPILOG)
app.command(epilog=EPILOG)(translate)
app.command(epilog=EPILOG)(asr)
app.command(epilog=EPILOG)(st)
app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(replay)
app.add_typer(evaluate.app, name="eval")
app.command()(tune)
app.add_typer(models.app, name="models")
app.command()(doctor)


@app.command("help", hidden=True)
def help_(
    ctx: typer.Context,
    command: Annotated[list[str] | None, typer.Argument(metavar="COMMAND…")] = None,
) -> None:
    """Show the help of lsg, or of a command."""
    group = ctx.find_root().command
    group.main([*(command or ()), "--help"], prog_name="lsg", standalone_mode=False)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"lsg {__version__}")
        raise typer.Exit


@app.callback()
def root(
    ctx: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Simultaneous translation and recognition as a Unix filter.

    Reads words or speech while they arrive, writes each word of the translation or transcript as
    soon as there is enough source to be sure of it. Models run here, offline.
    """
    if ctx.invoked_subcommand not in LIVE:
        signals.work()


def run(arguments: Sequence[str]) -> int:
    """Run the command line; give the exit code."""
    terminal.setup()
    signals.watch()
    try:
        code = _command(arguments)
    except typer.TyperException as error:  # a command line that typer refuses
        terminal.error(_usage(error))
        return ExitCode.USAGE
    except LsgError as error:
        terminal.error(str(error))
        _debug(arguments)
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        code = ExitCode.INTERRUPTED
    except signals.TerminatedError:
        return ExitCode.TERMINATED
    except BrokenPipeError:
        return ExitCode.OK
    except OSError as error:
        terminal.error(f"{error.filename or 'input/output'}: {error.strerror}")
        _debug(arguments)
        return ExitCode.FAILURE
    except Exception as error:  # which may be what a library has made of a signal
        code = signals.received() or _unexpected(error)
        _debug(arguments)
    if code == ExitCode.INTERRUPTED:
        terminal.end_line()
    return code


def _command(arguments: Sequence[str]) -> int:
    """Run the command line; give what it returns. Raises BrokenPipeError if the reader has gone."""
    try:
        code = app(list(arguments), prog_name="lsg", standalone_mode=False)
    except SystemExit as leaving:  # which typer makes of that, and of the end of a completion
        if isinstance(leaving.__context__, BrokenPipeError):
            raise leaving.__context__ from None
        code = leaving.code
    sys.stdout.flush()
    return code if isinstance(code, int) else ExitCode.OK


def _unexpected(error: Exception) -> int:
    from lsgcli.backends.hints import explained

    known = explained(error)
    terminal.error(known or f"internal error: {error!r}; run again with --debug for the traceback")
    return ExitCode.FAILURE


def _usage(error: typer.TyperException) -> str:
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "lsg"
    return f"{error.format_message().rstrip('.')} (see '{command} --help')"


def _debug(arguments: Sequence[str]) -> None:
    if "--debug" in arguments or os.environ.get("LSG_DEBUG"):
        import traceback

        traceback.print_exc()
