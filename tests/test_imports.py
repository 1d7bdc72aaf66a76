"""Who may import what: the layers of the package, read from its source."""

from __future__ import annotations

import ast
import sys
from fnmatch import fnmatch
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(__file__).parents[1] / "lsgcli"

# From top to bottom. A module imports from its own row and from rows below, never from above;
# what is imported for typing only does not count. A folder stands for all that is in it.
LAYERS = """
cli __main__
evaluation api
speech
text
output
models.convert models.infer
backends
models
policy
core metrics
arrivals atomic languages scripts signals terminal toml log errors __init__
"""

# Libraries, and the only modules that may import them.
LIBRARIES = {
    "typer": "cli",
    "rich": "cli evaluation output terminal",
    "ctranslate2": "backends models.convert",
    "sentencepiece": "backends evaluation",
    "tokenizers": "backends models.infer",
    "jinja2": "models.infer",
    "sentencex": "text",
    "budoux": "text.units",
    "py3langid": "text",
    "numpy": "api backends core evaluation metrics models.convert speech",
    "msgspec": "backends core evaluation models output policy text",
    "sacrebleu": "evaluation metrics",
    "jiwer": "metrics",
    "mweralign": "metrics",
    "comet": "metrics.comet_worker",
    "matplotlib": "cli evaluation",
    "tomllib": "toml",
    "tomli": "toml",
    "tomlkit": "models policy",
    "av": "speech.sources",
    "sounddevice": "speech.sources",
    "faster_whisper": "backends speech.detector",
    "huggingface_hub": "models",
    "torch": "models.convert metrics.comet_worker",
    "transformers": "models.convert",
    "peft": "models.convert",
    "gguf": "models.convert",
    "accelerate": "models.convert",
    "ray": "evaluation.workers",
}
# Only inside functions.
LAZY = {
    *(
        "rich",
        "jinja2",
        "py3langid",
        "budoux",
        "sacrebleu",
        "jiwer",
        "mweralign",
        "comet",
        "matplotlib",
        "av",
        "sounddevice",
    ),
    *("faster_whisper", "huggingface_hub", "torch", "transformers", "peft"),
    *("gguf", "accelerate", "ray"),
}

# The engine and the policies are pure: nothing that reads, writes, waits or asks for the time.
PURE = (
    "core.audio core.backend core.decoder core.distribution core.lockstep core.segment core.steps"
)
PURE += " policy.base policy.lsg policy.speech policy.baselines"
IMPURE = {"os", "io", "sys", "time", "select", "socket", "threading", "queue", "subprocess"} | {
    *("pathlib", "signal", "asyncio", "logging", "shutil", "tempfile", "random", "datetime"),
}

SOURCES = {
    ".".join(file.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): file
    for file in sorted(PACKAGE.rglob("*.py"))
}


def within(module: str, folders: str) -> bool:
    return any(fnmatch(module, each) or fnmatch(module, f"{each}.*") for each in folders.split())


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


def own(module: str) -> Iterator[str]:
    """Modules of the package that a module imports when it runs."""
    for name, _, typing in imports(module):
        if name.split(".")[0] == "lsgcli" and not typing:
            inner = name.partition(".")[2]
            while inner not in SOURCES:  # a name in a module
                inner = inner.rpartition(".")[0] or "__init__"
            yield inner


def layer(module: str) -> int:
    """The row of the longest name that fits."""
    fits = [
        (len(folder), number)
        for number, row in enumerate(LAYERS.strip().split("\n"))
        for folder in row.split()
        if within(module, folder)
    ]
    return max(fits, default=(0, -1))[1]


def test_every_module_has_a_layer():
    assert [module for module in SOURCES if layer(module) < 0] == []


def test_imports_point_downward():
    upward = {(m, name) for m in SOURCES for name in own(m) if layer(name) < layer(m)}
    assert upward == set()


def test_imports_make_no_circle():
    # What a package offers is imported from its modules; its modules do not import it.
    TopologicalSorter({module: set(own(module)) - {module} for module in SOURCES}).prepare()


def test_libraries_stay_where_they_belong():
    wrong = []
    for module in SOURCES:
        for name, top, typing in imports(module):
            library = name.split(".")[0]
            if library in ("lsgcli", "__future__") or typing:
                continue
            if library in LIBRARIES:
                if not within(module, LIBRARIES[library]) or (top and library in LAZY):
                    wrong.append((module, library))
            elif library not in sys.stdlib_module_names:
                wrong.append((module, library))
    assert wrong == []


def test_engine_and_policies_are_pure():
    wrong = {
        (module, name)
        for module in SOURCES
        if within(module, PURE)
        for name, _, _ in imports(module)
        if name.split(".")[0] in IMPURE
    }
    assert wrong == set()
