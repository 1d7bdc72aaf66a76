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
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    import tokenizers

    from lsgcli.models.manifest import Tokenizer


class Texts(Protocol):
    """What text tokens stand for."""

    size: int

    def bytes(self, number: int) -> bytes:
        """The UTF-8 bytes the token stands for; none for special tokens."""
        ...


class Vocabulary(Texts, Protocol):
    """A model's tokens."""

    def id(self, token: str) -> int | None:
        """The number of a token, given as it stands in the vocabulary."""
        ...

    def token(self, number: int) -> str:
        """The token as it stands in the vocabulary."""
        ...

    def encode(self, text: str) -> tuple[int, ...]:
        """Tokens of a fixed part of a prompt, at its begin or behind a special token."""
        ...

    def encode_behind(self, before: str, text: str) -> tuple[int, ...]:
        """Tokens of a text behind other text, without a space between; no special ones."""
        ...

    def encode_joined(self, text: str) -> tuple[int, ...]:
        """Tokens of a text behind any other text, whatever that is; no special ones.

        They spell the text and nothing else: no space that it has not.
        """
        ...

    def encode_word(self, word: str, first: bool) -> tuple[int, ...]:
        """Tokens of a source word; ``first`` in its slot, or after a space."""
        ...


BYTE = re.compile(r"<0x([0-9A-F]{2})>")
ANCHORS = ("a", "字", ".", "\n", "1")  # what a text may stand behind without joining it
SPACE = "\N{LOWER ONE EIGHTH BLOCK}"  # SentencePiece's mark for a space
WORDS_KEPT = 65536  # words whose tokens are remembered


class SentencePieceVocabulary:
    """A SentencePiece model."""

    def __init__(self, file: Path) -> None:
        """Load ``spm.model``. Raises ModelError if it is none."""
        import sentencepiece

        try:
            self._model = sentencepiece.SentencePieceProcessor(model_file=str(file))
            self.size: int = self._model.get_piece_size()
            self._model.id_to_piece(list(range(self.size)))  # all of them are UTF-8
            anchor = self._model.encode(ANCHOR)[0]
        except (OSError, RuntimeError, ValueError, IndexError) as error:
            raise ModelError(f"{file}: not a SentencePiece model ({error})") from error
        self._has_bytes = self.id("<0x20>") is not None
        control = [self.token(n) for n in range(self.size) if self._model.is_control(n)]
        self._control = re.compile(f"({'|'.join(map(re.escape, control)) or '(?!)'})")
        self._leads = self.token(anchor).startswith(SPACE)
        self.encode_word = lru_cache(WORDS_KEPT)(self._encode_word)
        self.encode_joined = lru_cache(WORDS_KEPT)(self._encode_joined)
        self.bytes = lru_cache(None)(self._bytes)

    def id(self, token: str) -> int | None:
        """The number of a piece."""
        number: int = self._model.piece_to_id(token)
        return number if self.token(number) == token else None

    def token(self, number: int) -> str:
        """The piece."""
        piece: str = self._model.id_to_piece(number)
        return piece

    def encode(self, text: str) -> tuple[int, ...]:
        """Tokens of a fixed part of a prompt; special tokens in it are recognised."""
        tokens: tuple[int, ...] = ()
        for n, piece in enumerate(self._control.split(text)):
            tokens += (self._model.piece_to_id(piece),) if n % 2 else self._plain(piece)
        return tokens

    def _plain(self, text: str) -> tuple[int, ...]:
        """Tokens of a text in which nothing is special but what the model was trained to see."""
        return tuple(self._model.encode(text))

    def encode_behind(self, before: str, text: str) -> tuple[int, ...]:
        """Tokens of a text behind other text: without the space that SentencePiece begins with."""
        ids = _behind(self.encode, before, text)
        if ids is None or not all(map(self.bytes, ids)):
            return self.encode_joined(text)
        return ids

    def _encode_joined(self, text: str) -> tuple[int, ...]:
        for anchor in ANCHORS:
            ids = _behind(self._plain, anchor, text)
            if ids and self._is_text(ids):
                return ids
        return self._spelt(text)

    def _is_text(self, ids: tuple[int, ...]) -> bool:
        """Whether they spell a text: there are no special tokens, nor unknown ones for bytes."""
        unknown: int = self._model.unk_id()
        known = all(self.bytes(token) or token == unknown for token in ids)
        return known and not (unknown in ids and self._has_bytes)

    def _spelt(self, text: str) -> tuple[int, ...]:
        """Tokens of a text by its bytes, or its characters if the model has none for bytes."""
        if self._has_bytes:
            return tuple(self._model.piece_to_id(f"<0x{byte:02X}>") for byte in text.encode())
        return tuple(self._model.piece_to_id(c.replace(" ", SPACE)) for c in text)

    def _encode_word(self, word: str, first: bool) -> tuple[int, ...]:
        """Tokens of a word, with the leading space that SentencePiece gives every word.

        Or, if the model was trained without, those of a word behind a space.

        A word that spells a special token must not become one: it is taken as bytes then, or
        character by character if the model has none for bytes.
        """
        lead = "" if self._leads or first else " "
        ids = self._plain(lead + word)
        if self._is_text(ids):
            return ids
        return self._spelt(("" if first and not self._leads else " ") + word)

    def _bytes(self, number: int) -> bytes:
        if number >= self.size:  # a model may have more rows than its tokenizer has pieces
            return b""
        piece = self.token(number)
        if byte := BYTE.fullmatch(piece):
            return bytes([int(byte[1], 16)])
        special = self._model.is_control(number) or self._model.is_unknown(number)
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
        self._added = self._model.get_added_tokens_decoder()
        self._byte_level = _is_byte_level(self._model)
        self._begins = {added.content[:1] for added in self._added.values()}
        self.size = self._model.get_vocab_size()
        self.encode_word = lru_cache(WORDS_KEPT)(self._encode_word)
        self.encode_joined = lru_cache(WORDS_KEPT)(self._encode_joined)
        self.bytes = lru_cache(None)(self._bytes)
        spelt = b"".join(map(self.bytes, self.encode(ANCHOR)))
        self._exact = self._byte_level and spelt == ANCHOR.encode()  # no space before a text

    def id(self, token: str) -> int | None:
        """The number of a token."""
        return self._model.token_to_id(token)

    def token(self, number: int) -> str:
        """The token."""
        return self._model.id_to_token(number) or ""

    def encode(self, text: str) -> tuple[int, ...]:
        """Tokens of a fixed part of a prompt; special tokens in it are recognised."""
        return tuple(self._model.encode(text, add_special_tokens=False).ids)

    def encode_behind(self, before: str, text: str) -> tuple[int, ...]:
        """Tokens of a text behind other text; special tokens in it are spelt."""
        head, *parts = self._parts(text)
        ids = _behind(self.encode, before, head)
        first = self.encode_joined(head) if ids is None else ids
        return first + self._joined(parts)

    def _encode_word(self, word: str, first: bool) -> tuple[int, ...]:
        """Tokens of a word; after a space they are those it has behind another word."""
        head, *parts = self._parts(word)
        ids = self.encode(head) if first else self._one_joined(f" {head}")
        return ids + self._joined(parts)

    def _encode_joined(self, text: str) -> tuple[int, ...]:
        return self._joined(self._parts(text))

    def _joined(self, parts: Sequence[str]) -> tuple[int, ...]:
        return tuple(token for part in parts for token in self._one_joined(part))

    def _one_joined(self, part: str) -> tuple[int, ...]:
        """Tokens of a part behind any text: of bytes as they are, else behind an anchor."""
        if self._exact:
            return self.encode(part)
        for anchor in ANCHORS:
            ids = _behind(self.encode, anchor, part)
            if ids is not None:
                return ids
        return self.encode(part)

    def _parts(self, text: str) -> list[str]:
        """Cut a text inside whatever in it spells an added token, so that it becomes none."""
        if self._begins.isdisjoint(text):
            return [text]
        parts, end = [], 0
        for match in self._special.finditer(text):
            parts.append(text[end : match.start() + 1])
            end = match.start() + 1
        return [*parts, text[end:]]

    @cached_property
    def _special(self) -> re.Pattern[str]:
        return _anywhere(added.content for added in self._added.values())

    def _bytes(self, number: int) -> bytes:
        token = self.token(number)
        if added := self._added.get(number):
            return b"" if added.special else added.content.replace(SPACE, " ").encode()
        if self._byte_level:
            return token.translate(byte_of()).encode("latin-1", "ignore")
        if byte := BYTE.fullmatch(token):
            return bytes([int(byte[1], 16)])
        return token.replace(SPACE, " ").encode()


ANCHOR = "a"


def _anywhere(contents: Iterable[str]) -> re.Pattern[str]:
    """Match where one of the contents begins that has more than a character.

    It looks ahead, so that one that begins inside another is found too.
    """
    long = sorted((each for each in contents if len(each) > 1), key=len)
    return re.compile(f"(?={'|'.join(map(re.escape, long))})" if long else "(?!)")


def _is_byte_level(model: tokenizers.Tokenizer) -> bool:
    """Whether tokens are written in GPT-2's alphabet: the decoder says so, or what splits words.

    The vocabulary does not: Gemma's has the letter Ġ, and is not.
    """
    for part in (model.decoder, model.pre_tokenizer):
        if part is not None:
            return b'"ByteLevel"' in part.__getstate__()
    return False


def _behind(
    encode: Callable[[str], tuple[int, ...]], before: str, text: str
) -> tuple[int, ...] | None:
    """The tokens that ``text`` adds to those of ``before``, if it leaves them as they are."""
    start, whole = encode(before), encode(before + text)
    return whole[len(start) :] if whole[: len(start)] == start else None


@lru_cache(maxsize=1)
def byte_of() -> dict[int, int]:
    """GPT-2's alphabet: the printable character that stands for each byte in byte-level BPE.

    A table for ``str.translate``; what it makes of a token is Latin-1.
    """
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    alphabet = printable + [256 + n for n in range(len(others))]
    return dict(zip(alphabet, printable + others, strict=True))


def open_tokenizer(
    directory: Path, tokenizer: Tokenizer
) -> SentencePieceVocabulary | HuggingFaceVocabulary:
    """Open a tokenizer that has a file. Raises ModelError."""
    kind = SentencePieceVocabulary if tokenizer.type == "sentencepiece" else HuggingFaceVocabulary
    return kind(directory / tokenizer.file)
