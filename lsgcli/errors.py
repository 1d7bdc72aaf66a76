"""What can go wrong, and the exit code each end of the program has.

LsgError                      exit 1: the work could not be done
├── UsageError                exit 2: the request itself is wrong
│   ├── ModelNotFoundError    no such model, or none for the language pair
│   └── ManifestError         a model directory that does not say what it is
├── ModelError                the model's files are damaged or do not fit
├── PullError                 a model cannot be got
│   ├── HubError              the Hub, or the way to it, does not give it
│   └── PackageError          the package index, or what comes from it, does not give it
├── InputError                the input is not what was promised (``--strict``)
└── OutputError               standard output cannot be written

A message is one line: what is wrong, where, and what to do.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """The documented exit codes."""

    OK = 0
    FAILURE = 1
    USAGE = 2
    INTERRUPTED = 130
    TERMINATED = 143


class LsgError(Exception):
    """An error with a message for the user."""

    exit_code = ExitCode.FAILURE


class UsageError(LsgError):
    """The command line asks for something that cannot be."""

    exit_code = ExitCode.USAGE


class ModelNotFoundError(UsageError):
    """No model by that name, or none for that pair of languages."""


class ManifestError(UsageError):
    """A manifest is missing, malformed, or of another version."""


class ModelError(LsgError):
    """The files of a model are damaged, or the model does not run here."""


class PullError(LsgError):
    """A model cannot be got."""


class HubError(PullError):
    """The Hugging Face Hub does not give what is asked for, or cannot be reached."""


class PackageError(PullError):
    """The package index does not give a wheel, or the wheel is not what it should be."""


class InputError(LsgError):
    """The input breaks a promise that the user asked to be checked."""


class OutputError(LsgError):
    """Standard output does not take what is written."""


def one_line(error: BaseException) -> str:
    """The first line of an error's message."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
