"""Who may import what: the layers of the package, read from its source."""

from __future__ import annotations

import ast
import sys
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]

# From top to bottom. A module imports from its own row and from rows below, never from above;
# what is imported for typing only does not count.
LAYERS = """
__main__
cli cli.*
evaluation evaluation.*
live speech report doctor
whole
stats session watch
convert
convert.weights
convert.check convert.original convert.loading
describe.stored
describe
describe.prompts describe.layouts
describe.examples
engine.lockstep
policy.settings
policy policy.lsg policy.speech policy.baselines policy.base
engine engine.segment engine.decoder
backends backends.*
recogniser
pulling
hub packages shelf
audio.feed
audio audio.*
text.feed text.language text.capitals text.recording
structure.planner
structure structure.*
text.mask text.reader
text.colours
text.sentences
text text.segmenter text.protect text.elements text.items text.spans text.chunks text.words
text.encoding text.memory
output output.text output.jsonl output.subtitles
output.captions
output.base output.descriptor
catalog profiles
manifest
preferences
pulled store remote
files registry languages
atomic
engine.steps engine.distribution backends.base metrics metrics.* terminal
errors
__init__
"""

# Libraries, and the only modules that may import them.
LIBRARIES = {
    "typer": "cli.*",
    "rich": "cli.* terminal report output.text evaluation.*",
    "ctranslate2": "backends.* convert.weights",
    "sentencepiece": "backends.* evaluation.* metrics.*",
    "tokenizers": "backends.* describe.stored",
    "jinja2": "describe.stored",
    "sentencex": "text.segmenter",
    "py3langid": "text.language",
    "numpy": "backends.* audio.* convert.* engine.distribution metrics.quality "
    "metrics.significance evaluation.*",
    "msgspec": "files manifest profiles pulled registry output.jsonl text.recording "
    "backends.* evaluation.*",
    "sacrebleu": "metrics.quality metrics.significance evaluation.*",
    "jiwer": "metrics.quality",
    "matplotlib": "cli.* evaluation.*",
    "tomllib": "manifest profiles pulled registry evaluation.*",
    "tomli": "manifest profiles pulled registry evaluation.*",
    "tomlkit": "manifest profiles pulled describe",
    "av": "audio.*",
    "sounddevice": "audio.microphone",
    "faster_whisper": "audio.vad backends.whisper",
    "huggingface_hub": "recogniser remote convert.loading",
    "torch": "convert convert.*",
    "transformers": "convert.*",
    "peft": "convert.loading",
}
# Only inside functions.
LAZY = {
    *("rich", "jinja2", "py3langid", "sacrebleu", "jiwer", "matplotlib", "av", "sounddevice"),
    *("faster_whisper", "huggingface_hub", "torch", "transformers", "peft"),
}

# Engine and policies are pure: nothing that reads, writes, waits or asks for the time.
PURE = "engine engine.* policy policy.*"
IMPURE = {"os", "io", "sys", "time", "select", "socket", "threading", "queue", "subprocess"} | {
    *("pathlib", "signal", "asyncio", "logging", "shutil", "tempfile", "random", "datetime"),
}

SOURCES = {
    ".".join(file.relative_to(ROOT / "lsgcli").with_suffix("").parts).removesuffix(
        ".__init__"
    ): file
    for file in sorted((ROOT / "lsgcli").rglob("*.py"))
}


def matches(module: str, patterns: str) -> bool:
    return any(fnmatch(module, pattern) for pattern in patterns.split())


@cache
def imports(module: str) -> list[tuple[str, bool, bool]]:
    """What a module imports: the full name, at its top or in a function, for typing or not."""
    return list(_imports(ast.parse(SOURCES[module].read_text()), top=True, typing=False))


def _imports(node: ast.AST, *, top: bool, typing: bool) -> Iterator[tuple[str, bool, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from ((alias.name, top, typing) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, "imports are absolute"
            yield from ((f"{child.module}.{alias.name}", top, typing) for alias in child.names)
        else:
            inside = isinstance(child, ast.FunctionDef | ast.Lambda)
            checking = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test)
            yield from _imports(child, top=top and not inside, typing=typing or checking)


def own(module: str) -> Iterator[tuple[str, bool]]:
    """Modules of the package that a module imports, and whether for typing only."""
    for name, _, typing in imports(module):
        if name.split(".")[0] == "lsgcli":
            inner = name.partition(".")[2]
            while inner not in SOURCES:  # a name in a module
                inner = inner.rpartition(".")[0] or "__init__"
            yield inner, typing


def layer(module: str) -> int:
    rows = LAYERS.split("\n")
    exact = [n for n, row in enumerate(rows) if module in row.split()]
    return (exact or [n for n, row in enumerate(rows) if matches(module, row)] or [-1])[0]


@pytest.mark.parametrize("module", SOURCES)
def test_every_module_has_a_layer(module):
    assert layer(module) >= 0


@pytest.mark.parametrize("module", SOURCES)
def test_imports_point_downward(module):
    upward = [name for name, typing in own(module) if not typing and layer(name) < layer(module)]
    assert not upward


@pytest.mark.parametrize("module", SOURCES)
def test_libraries_stay_where_they_belong(module):
    for name, top, typing in imports(module):
        library = name.split(".")[0]
        if library in ("lsgcli", "__future__") or typing:
            continue
        if library in LIBRARIES:
            assert matches(module, LIBRARIES[library]), library
            assert not (top and library in LAZY), f"{library} at the top"
        else:
            assert library in sys.stdlib_module_names, library


@pytest.mark.parametrize("module", [m for m in SOURCES if matches(m, PURE)])
def test_engine_and_policies_are_pure(module):
    assert not {name.split(".")[0] for name, _, _ in imports(module)} & IMPURE
    backends = {n for n, typing in own(module) if n.startswith("backends") and not typing}
    assert not backends
