"""A model that came in CTranslate2's form, without a manifest: told from the files it came with.

Nothing in them is run but a chat template, in Jinja's sandbox and in a process with limits, see
``render``.
"""

from __future__ import annotations

import re
from functools import cached_property
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from lsgcli.backends.probe import WHISPER, specification
from lsgcli.errors import ModelError, UsageError
from lsgcli.log import logger
from lsgcli.models import infer, provenance
from lsgcli.models.files import read_object, read_text
from lsgcli.models.infer import Overrides, Unconverted
from lsgcli.models.infer.render import render
from lsgcli.models.manifest import FILE_NAME

if TYPE_CHECKING:
    from pathlib import Path

OPUS = re.compile(r"opus-mt-(?:tc-big-)?([a-z]{2,3})-([a-z]{2,3})\b")
END = "</s>"
CONFIG = "tokenizer_config.json"


class StoredTokenizer:
    """The part of a Transformers tokenizer that a manifest needs, without Transformers."""

    def __init__(self, directory: Path) -> None:
        """Read a directory's ``tokenizer_config.json`` and what is beside it. Raises ModelError."""
        self._directory = directory
        self._config = read_object(directory / CONFIG)
        model = read_object(directory / "config.json")
        self.bos_token = self._named("bos_token")
        self.eos_token = self._named("eos_token") or model.get("eos_token") or END
        self.chat_template = self._template()

    @property
    def bos_token_id(self) -> int | None:
        """The number of the token that a text may begin with."""
        return self._tokens.token_to_id(self.bos_token) if self.bos_token and self._tokens else None

    @property
    def all_special_tokens(self) -> list[str]:
        """All tokens that are no text."""
        added = self._config.get("added_tokens_decoder") or {}
        names = [each["content"] for each in added.values() if each.get("special")]
        if self._tokens:
            known = self._tokens.get_added_tokens_decoder().values()
            names += [token.content for token in known if token.special]
        return [*names, *filter(None, (self.bos_token, self.eos_token))]

    def __call__(self, text: str) -> SimpleNamespace:
        """Tokenise a text, with what the tokenizer puts before it."""
        if self._tokens:
            return SimpleNamespace(input_ids=self._tokens.encode(text).ids)
        begins = self._config.get("add_bos_token", True)  # SentencePiece's: Llama's default
        return SimpleNamespace(input_ids=[self.bos_token_id] if begins else [])

    def convert_ids_to_tokens(self, numbers: list[int]) -> list[str | None]:
        """The tokens with these numbers; None for those that cannot be told."""
        return [self._tokens.id_to_token(n) if self._tokens and n >= 0 else None for n in numbers]

    def apply_chat_template(self, messages: list[dict[str, str]], **options: Any) -> str:
        """Render the template. Raises TemplateError."""
        tokens = {"bos_token": self.bos_token or "", "eos_token": self.eos_token}
        return render(self.chat_template or "", messages=messages, **tokens, **options)

    @cached_property
    def _tokens(self) -> Any:
        from tokenizers import Tokenizer

        file = self._directory / "tokenizer.json"
        try:
            return Tokenizer.from_file(str(file)) if file.exists() else None
        except Exception as error:  # the library has no narrower one
            raise ModelError(f"{file}: {error}") from error

    def _named(self, name: str) -> str | None:
        token = self._config.get(name)
        return self._text(name, token.get("content") if isinstance(token, dict) else token)

    def _template(self) -> str | None:
        file = self._directory / "chat_template.jinja"
        if file.exists():
            return read_text(file)
        stored = self._config.get("chat_template")
        if isinstance(stored, list):  # several, by name
            named = [one for one in stored if isinstance(one, dict)]
            stored = next(
                (each.get("template") for each in named if each.get("name") == "default"), None
            )
        return self._text("chat_template", stored)

    def _text(self, name: str, value: object) -> str | None:
        if value is None or isinstance(value, str):
            return value
        raise ModelError(f"{self._directory / CONFIG}: {name} is no text")


def complete(directory: Path, overrides: Overrides) -> None:
    """Write the manifest of a model for text that came without one; doubts are logged.

    Raises UsageError or ModelError if it cannot be told from its files how it is used, OSError.
    """
    if (directory / FILE_NAME).exists() or specification(directory) == WHISPER:
        return
    record = provenance.load(directory)
    name = record.repository if record else directory.name
    source, target = overrides.source, overrides.target
    if pair := OPUS.search(name):
        source, target = source or pair[1], target or pair[2]
    licence = overrides.licence or (record.licence if record else "") or None
    overrides = Overrides(source, target, overrides.prompt, licence)
    try:
        original = Unconverted(directory, StoredTokenizer(directory))
        written = infer.manifest(directory, original, overrides)
    except (UsageError, ModelError) as error:
        raise type(error)(f"{directory} is whole, but has no manifest: {error}") from error
    except (KeyError, TypeError, AttributeError) as error:  # of what is in the files
        raise ModelError(f"{directory}: tokenizer_config.json is not as it should be") from error
    infer.write(directory, written | {"files": {}})
    if "prompt" in written and not original.tokenizer.chat_template:
        logger.info(
            f"{name} has no chat template: it is asked with the paper's prompt, which it may not "
            f"know; another one can be written into {directory / FILE_NAME}"
        )
