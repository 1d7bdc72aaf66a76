"""Named settings of the policy, as ``lsg tune`` finds them.

A profile is a small TOML file, ``NAME.toml`` in the directory ``profiles`` of ``$LSG_HOME`` or of
``$XDG_CONFIG_HOME/lsg`` (``~/.config/lsg``), or any file that is named by its path.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec

from lsgcli.atomic import write_text
from lsgcli.errors import UsageError
from lsgcli.policy.levels import Level
from lsgcli.toml import parse


class Profile(Level, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A level with a name of its own."""

    model: str = ""  # what it was tuned for
    direction: str = ""
    found: str = ""  # what it was good for, in words

    def asked(self) -> dict[str, Any]:
        """What it asks of a policy, by the names of settings."""
        return {name: value for name, value in self.settings().items() if name != "agree"}


def directory() -> Path:
    """Where named profiles are."""
    if home := os.environ.get("LSG_HOME"):
        return Path(home) / "profiles"
    config = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(config) / "lsg" / "profiles"


def path(name: str) -> Path:
    """The file of a profile: ``name`` itself if it looks like a path."""
    named = "/" not in name and not name.endswith(".toml")
    return directory() / f"{name}.toml" if named else Path(name)


def load(name: str) -> Profile:
    """Load a profile. Raises UsageError if there is none by that name, or it is malformed."""
    file = path(name)
    try:
        return msgspec.convert(parse(file.read_text(encoding="utf-8")), Profile)
    except FileNotFoundError:
        known = ", ".join(sorted(each.stem for each in directory().glob("*.toml"))) or "none"
        raise UsageError(f"no profile {name!r} ({file}); there are: {known}") from None
    except (OSError, ValueError, msgspec.ValidationError) as error:
        raise UsageError(f"{file}: {error}") from error


def save(name: str, profile: Profile) -> Path:
    """Write a profile; give its file. Raises OutputError."""
    import tomlkit

    file = path(name)
    given = {key: v for key, v in msgspec.to_builtins(profile).items() if v is not None}
    write_text(file, tomlkit.dumps(given))
    return file
