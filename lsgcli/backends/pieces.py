"""The two vocabularies of an encoder-decoder.

Its tokenizers number their pieces as they please, and the model has numbers of its own: Marian has
two SentencePiece models and one list of pieces, NLLB a list with languages in it. So tokens are
known by their names here, and the files beside the weights say what number a name has.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from lsgcli.backends.vocabulary import open_tokenizer
from lsgcli.errors import ModelError
from lsgcli.models.files import read_tokens

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lsgcli.backends.vocabulary import HuggingFaceVocabulary, SentencePieceVocabulary
    from lsgcli.models.manifest import Tokenizer

UNKNOWN = "<unk>"


class Speller(Protocol):
    """Spells a word in the names of tokens, and tells what text a name stands for."""

    def names(self, word: str) -> list[str]:
        """Tokens of a word that stands behind a space."""
        ...

    def joined(self, text: str) -> list[str]:
        """Tokens of a text behind other text, without a space between."""
        ...

    def fixed(self, text: str) -> list[str]:
        """Tokens of a fixed part of a layout."""
        ...

    def bytes(self, name: str) -> bytes:
        """The UTF-8 bytes a token stands for; none for special tokens."""
        ...


class Characters:
    """No tokenizer: every character is a token."""

    def names(self, word: str) -> list[str]:
        """The characters."""
        return list(word)

    def joined(self, text: str) -> list[str]:
        """The characters."""
        return list(text)

    def fixed(self, text: str) -> list[str]:
        """The characters."""
        return list(text)

    def bytes(self, name: str) -> bytes:
        """A character's bytes; a longer token is a special one."""
        return name.encode() if len(name) == 1 else b""


class Pieces:
    """A tokenizer's pieces."""

    def __init__(self, vocabulary: SentencePieceVocabulary | HuggingFaceVocabulary) -> None:
        """Wrap the tokenizer."""
        self._vocabulary = vocabulary

    def names(self, word: str) -> list[str]:
        """Tokens of a word that stands behind a space."""
        return list(map(self._vocabulary.token, self._vocabulary.encode_word(word, False)))

    def joined(self, text: str) -> list[str]:
        """Tokens of a text behind other text, without a space between."""
        return list(map(self._vocabulary.token, self._vocabulary.encode_joined(text)))

    def fixed(self, text: str) -> list[str]:
        """Tokens of the text."""
        return list(map(self._vocabulary.token, self._vocabulary.encode(text)))

    def bytes(self, name: str) -> bytes:
        """A piece's bytes; none if the tokenizer has no such piece."""
        number = self._vocabulary.id(name)
        return b"" if number is None else self._vocabulary.bytes(number)


class SourceVocabulary:
    """Source words to the names of tokens."""

    def __init__(self, names: Sequence[str], speller: Speller) -> None:
        """Take the names the model knows."""
        self._names = frozenset(names)
        self._speller = speller
        self.word = lru_cache(65536)(self._word)
        self.joined = lru_cache(65536)(self._joined)

    def part(self, part: str) -> tuple[str, ...]:
        """A fixed part of a layout: a token if there is one of that name, or else text."""
        return (part,) if part in self._names else tuple(self._speller.fixed(part))

    def count(self, word: str) -> int:
        """How many tokens a word has; none, if the model knows none of them."""
        names = self.word(word)
        return len(names) if any(n in self._names and n != UNKNOWN for n in names) else 0

    def _word(self, word: str) -> tuple[str, ...]:
        return tuple(self._speller.names(word))

    def _joined(self, text: str) -> tuple[str, ...]:
        return tuple(self._speller.joined(text))


class TargetVocabulary:
    """Target tokens by the numbers the model gives them.

    Text is what the target's tokenizer spells. A piece that only the source's has, in a list that
    both share, is spelt by that one.
    """

    def __init__(self, names: Sequence[str], spellers: Sequence[Speller]) -> None:
        """Take the names in the order of their numbers."""
        self.size = len(names)
        self.names = names
        self._numbers = {name: number for number, name in reversed(list(enumerate(names)))}
        self._spellers = spellers
        self.bytes = lru_cache(None)(self._bytes)

    def id(self, token: str) -> int | None:
        """The number of a token; the first, if there are several of that name."""
        return self._numbers.get(token)

    def token(self, number: int) -> str:
        """The token's name."""
        return self.names[number]

    def _bytes(self, number: int) -> bytes:
        if number >= self.size:  # a model may have more rows than names
            return b""
        name = self.names[number]
        return next(filter(None, (speller.bytes(name) for speller in self._spellers)), b"")


def open_speller(directory: Path, tokenizer: Tokenizer) -> Speller:
    """Open a tokenizer of the manifest's. Raises ModelError."""
    if tokenizer.type == "characters":
        return Characters()
    return Pieces(open_tokenizer(directory, tokenizer))


def read_names(directory: Path, side: str) -> list[str]:
    """Read the tokens of a ``side``, source or target, in the order of their numbers.

    Raises ModelError if none of the files is there that CTranslate2 writes.
    """
    for stem in (f"{side}_vocabulary", "shared_vocabulary"):
        for suffix in (".json", ".txt"):
            file = directory / f"{stem}{suffix}"
            if not file.exists():
                continue
            names = read_tokens(file)
            return names if UNKNOWN in names else [*names, UNKNOWN]  # as CTranslate2 does
    raise ModelError(f"{directory}: not an encoder-decoder, it has no {side} vocabulary")
