"""Renders a chat template in a process of its own, with limits of time and memory.

A template is a program, and may come from anyone. Jinja's sandbox keeps it from everything but the
processor and the memory; the system keeps it from those. This file is run as a script, so that it
imports nothing else of ours: it reads a JSON object and writes the text.
"""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
from datetime import datetime
from typing import Any

SECONDS = 3  # of the processor
WALL = 30.0  # seconds of waiting for it, on a machine that is busy
MEMORY = 512 << 20  # bytes of address space
LONGEST = 1 << 20  # characters of the text, and of the template
REASON = 300  # characters of what it says of its failure


class TemplateError(Exception):
    """The template cannot be rendered; the message says why."""


def render(template: str, **variables: Any) -> str:
    """Give the text that a template makes of its variables. Raises TemplateError."""
    if len(template) > LONGEST:
        raise TemplateError(f"it has more than {LONGEST} characters")
    try:
        done = subprocess.run(
            [sys.executable, __file__],
            input=json.dumps({"template": template, "variables": variables}).encode(),
            capture_output=True,
            timeout=WALL,
        )
    except subprocess.TimeoutExpired as error:
        raise TemplateError(f"it takes more than {WALL:.0f} s") from error
    if done.returncode == -signal.SIGXCPU:
        raise TemplateError(f"it takes more than {SECONDS} s")
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip()
        raise TemplateError(reason or f"its process ended with {done.returncode}")
    return done.stdout.decode()


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def _rendered(template: str, variables: dict[str, Any]) -> str:
    """Render as Transformers does."""
    from jinja2.ext import loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def refuse(message: str) -> None:
        raise ValueError(message)

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols]
    )
    environment.filters["tojson"] = lambda value, **_: json.dumps(value, ensure_ascii=False)
    environment.globals |= {
        "raise_exception": refuse,
        "strftime_now": lambda pattern: datetime.now().strftime(pattern),
    }
    text = environment.from_string(template).render(**variables)
    if len(text) > LONGEST:
        raise ValueError(f"it makes more than {LONGEST} characters")
    return text


def _main() -> None:
    asked = json.load(sys.stdin.buffer)
    _limit()
    try:
        sys.stdout.buffer.write(_rendered(asked["template"], asked["variables"]).encode())
    except MemoryError:
        sys.exit(f"it needs more than {MEMORY >> 20} MB")
    except RecursionError:
        sys.exit("it goes round in circles")
    except Exception as error:  # templates raise what they please
        reason = "".join(each if each.isprintable() else " " for each in str(error)[:REASON])
        sys.exit(" ".join(reason.split()) or type(error).__name__)


if __name__ == "__main__":
    _main()
