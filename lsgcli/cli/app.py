"""The ``lsg`` command, and the one place where exceptions become exit codes."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Annotated

import typer

from lsgcli import __version__, signals, terminal
from lsgcli.cli.help import App
from lsgcli.errors import ExitCode, LsgError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

EPILOG = (
    "Exit codes: 0 done, also when the reader of the output has gone; 1 the work failed; "
    "2 the command line, the model or the language pair is wrong; 130 interrupted; 143 terminated."
)

# The commands: each is imported when it is meant, and all for a list of them.
COMMANDS = {
    "translate": "translate:translate",
    "asr": "speech:asr",
    "st": "speech:st",
    "replay": "translate:replay",
    "eval": "evaluate:app",
    "tune": "tune:tune",
    "models": "models:app",
    "doctor": "doctor:doctor",
}
LIVE = ("translate", "asr", "st", "replay")  # which leave nothing unfinished before they run
PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True}


def application(names: Iterable[str] = COMMANDS) -> App:
    """The command line with these commands."""
    app = App(name="lsg", epilog=EPILOG)
    app.callback()(root)
    for name in names:
        module, _, attribute = COMMANDS[name].partition(":")
        command = getattr(import_module(f"lsgcli.cli.{module}"), attribute)
        if isinstance(command, App):
            app.add_typer(command, name=name)
        elif name == "replay":
            app.command(name, context_settings=PASSED_ON)(command)
        else:
            app.command(name, epilog=EPILOG if name in LIVE else None)(command)
    app.command("help", hidden=True)(help_)
    return app


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
    try:
        os.getcwd()
    except OSError as error:  # oneMKL would end the process
        raise UsageError("the working directory does not exist any more; go to another") from error
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
        app = application(_meant(arguments))
        code = app(list(arguments), prog_name="lsg", standalone_mode=False)
    except SystemExit as leaving:  # which typer makes of that, and of the end of a completion
        if isinstance(leaving.__context__, BrokenPipeError):
            raise leaving.__context__ from None
        code = leaving.code
    sys.stdout.flush()
    return code if isinstance(code, int) else ExitCode.OK


def _meant(arguments: Sequence[str]) -> Iterable[str]:
    """The commands that are needed: the first word names one, else all of them."""
    name = next(iter(arguments), "")
    if name == "replay":
        return ("translate", "replay")
    return (name,) if name in COMMANDS else COMMANDS


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
