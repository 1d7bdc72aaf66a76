"""Simultaneous translation and recognition: a Unix filter, and its Python API.

::

    from lsgcli import transcribe, translate

    for word in translate(words, to="de"):
        print(word, end="", flush=True)

What is offered here is imported when it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lsgcli import metrics
    from lsgcli.api import Recogniser, Translator, Word, load_model, transcribe, translate
    from lsgcli.errors import InputError, LsgError, ModelNotFoundError, UsageError
    from lsgcli.policy.baselines import HoldN, LocalAgreement, Offline, WaitK
    from lsgcli.policy.lsg import Lsg
    from lsgcli.policy.speech import AlignAtt, SpokenLsg

__version__ = "0.1.0"

_WHERE = {
    "api": ("Recogniser", "Translator", "Word", "load_model", "transcribe", "translate"),
    "errors": ("InputError", "LsgError", "ModelNotFoundError", "UsageError"),
    "policy.baselines": ("HoldN", "LocalAgreement", "Offline", "WaitK"),
    "policy.lsg": ("Lsg",),
    "policy.speech": ("AlignAtt", "SpokenLsg"),
}
_MODULES = {name: module for module, names in _WHERE.items() for name in names}

__all__ = [
    "AlignAtt",
    "HoldN",
    "InputError",
    "LocalAgreement",
    "Lsg",
    "LsgError",
    "ModelNotFoundError",
    "Offline",
    "Recogniser",
    "SpokenLsg",
    "Translator",
    "UsageError",
    "WaitK",
    "Word",
    "__version__",
    "load_model",
    "metrics",
    "transcribe",
    "translate",
]


def __getattr__(name: str) -> Any:
    if name == "metrics":
        return import_module(f"{__name__}.metrics")
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
