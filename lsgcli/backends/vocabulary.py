"""Tokenizers: source words to tokens, tokens to words.

Every source word is tokenised by itself, so that the tokens of a source prefix stay what they are
while the source grows. Target tokens are the model's own and are never tokenised again.
"""

from __future__ import annotations

import re
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Protocol

from lsgcli.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path


class Vocabulary(Protocol):
    """A model's tokens."""

    def id(self, token: str) -> int | None:
        """The number of a token, given as it stands in the vocabulary."""
        ...

    def encode(self, text: str) -> tuple[int, ...]:
        """Tokens of a fixed part of a prompt."""
        ...

    def encode_word(self, word: str, first: bool) -> tuple[int, ...]:
        """Tokens of a source word; ``first`` in its slot, or after a space."""
        ...

    @property
    def pieces(self) -> list[bytes]:
        """The UTF-8 bytes each token stands for; none for special tokens."""
        ...


BYTE = re.compile(r"<0x([0-9A-F]{2})>")
SPACE = "\N{LOWER ONE EIGHTH BLOCK}"  # SentencePiece's mark for a space


class SentencePieceVocabulary:
    """A SentencePiece model."""

    def __init__(self, file: Path) -> None:
        """Load ``spm.model``. Raises ModelError if it is none."""
        import sentencepiece

        try:
            self._model = sentencepiece.SentencePieceProcessor(model_file=str(file))
        except (OSError, RuntimeError) as error:
            raise ModelError(f"{file}: not a SentencePiece model ({error})") from error
        self._ids = {self._model.id_to_piece(n): n for n in range(self._model.get_piece_size())}
        self.encode_word = lru_cache(maxsize=65536)(self._encode_word)

    def id(self, token: str) -> int | None:
        """The number of a piece."""
        return self._ids.get(token)

    def encode(self, text: str) -> tuple[int, ...]:
        """Tokens of a fixed part of a prompt."""
        return tuple(self._model.encode(text))

    def _encode_word(self, word: str, first: bool) -> tuple[int, ...]:
        """Tokens of a word, with the leading space that SentencePiece gives every word.

        A word that spells a special token must not become one: it is taken as bytes then.
        """
        ids = self.encode(word)
        if any(not self.pieces[n] for n in ids):
            return tuple(self._ids.get(f"<0x{byte:02X}>", 0) for byte in b" " + word.encode())
        return ids

    @cached_property
    def pieces(self) -> list[bytes]:
        """The UTF-8 bytes of each piece."""
        return [self._bytes(piece, n) for piece, n in self._ids.items()]

    def _bytes(self, piece: str, n: int) -> bytes:
        if byte := BYTE.fullmatch(piece):
            return bytes([int(byte[1], 16)])
        special = self._model.is_control(n) or self._model.is_unknown(n)
        if special or (piece.startswith("<") and piece.endswith(">")):
            return b""
        return piece.replace(SPACE, " ").encode()


class HuggingFaceVocabulary:
    """A Hugging Face ``tokenizer.json``: byte-level BPE, or SentencePiece in that form."""

    def __init__(self, file: Path) -> None:
        """Load the file. Raises ModelError if it is no tokenizer."""
        from tokenizers import Tokenizer

        try:
            self._model: Tokenizer = Tokenizer.from_file(str(file))
        except Exception as error:  # the library raises nothing narrower
            raise ModelError(f"{file}: not a Hugging Face tokenizer ({error})") from error
        self._ids: dict[str, int] = self._model.get_vocab(with_added_tokens=True)
        self._added = {n for n, token in self._model.get_added_tokens_decoder().items()}
        self._anchor = self.encode(ANCHOR)
        self.encode_word = lru_cache(maxsize=65536)(self._encode_word)

    def id(self, token: str) -> int | None:
        """The number of a token."""
        return self._ids.get(token)

    def encode(self, text: str) -> tuple[int, ...]:
        """Tokens of a fixed part of a prompt; special tokens in it are recognised."""
        return tuple(self._model.encode(text, add_special_tokens=False).ids)

    def _encode_word(self, word: str, first: bool) -> tuple[int, ...]:
        """Tokens of a word; after a space they are those it has behind another word."""
        for special in (t for t, n in self._ids.items() if n in self._added and t in word):
            word = word.replace(special, " ".join(special))
        if first:
            return self.encode(word)
        ids = self.encode(f"{ANCHOR} {word}")
        return ids[len(self._anchor) :]

    @cached_property
    def pieces(self) -> list[bytes]:
        """The UTF-8 bytes of each token."""
        table = [b""] * (max(self._ids.values()) + 1)
        byte_level = "\N{LATIN CAPITAL LETTER G WITH DOT ABOVE}" in self._ids
        for token, n in self._ids.items():
            if n in self._added:
                continue
            if byte_level:
                table[n] = bytes(byte_of()[c] for c in token if c in byte_of())
            elif byte := BYTE.fullmatch(token):
                table[n] = bytes([int(byte[1], 16)])
            else:
                table[n] = token.replace(SPACE, " ").encode()
        return table


ANCHOR = "a"


@lru_cache(maxsize=1)
def byte_of() -> dict[str, int]:
    """GPT-2's alphabet: the printable character that stands for each byte in byte-level BPE."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    alphabet = [chr(byte) for byte in printable] + [chr(256 + n) for n in range(len(others))]
    return dict(zip(alphabet, printable + others, strict=True))
