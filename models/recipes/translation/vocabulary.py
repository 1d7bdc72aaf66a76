"""The SentencePiece vocabulary of all languages, with tags, separator and placeholders."""

from __future__ import annotations

import random
from functools import lru_cache
from typing import TYPE_CHECKING

import sentencepiece
from corpus import PLACEHOLDERS

from lsgcli.text.segmenter import is_spelt

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

START, END, SEPARATOR = "<s>", "</s>", "<sep>"


def tag(language: str) -> str:
    """The piece that asks for a translation into the language."""
    return f"<2{language}>"


def train(
    texts: dict[str, list[str]], size: int, path: Path, *, sample: int = 900_000, seed: int = 1
) -> None:
    """Write a vocabulary of ``size`` pieces; of every language the same share of ``sample``."""
    rng = random.Random(seed)
    chosen: list[str] = []
    for language in sorted(texts):
        lines = texts[language]
        chosen += rng.sample(lines, min(len(lines), sample // len(texts)))
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(chosen),
        model_prefix=str(path.with_suffix("")),
        vocab_size=size,
        model_type="unigram",
        character_coverage=0.9998,
        byte_fallback=True,
        split_digits=True,
        normalization_rule_name="nfkc",
        user_defined_symbols=[SEPARATOR, *map(tag, sorted(texts)), *PLACEHOLDERS],
        unk_id=0,
        bos_id=1,
        eos_id=2,
        num_threads=2,
        hard_vocab_limit=False,  # little text has fewer pieces
        minloglevel=1,
    )


class Vocabulary:
    """Texts to ids."""

    def __init__(self, path: Path) -> None:
        """Open the model."""
        self.path = path
        self.pieces = sentencepiece.SentencePieceProcessor(model_file=str(path))
        self.size = self.pieces.get_piece_size()
        self.start, self.end, self.separator = map(self.id, (START, END, SEPARATOR))
        self.names = [self.pieces.id_to_piece(i) for i in range(self.size)]
        self.begins = [name.startswith("▁") for name in self.names]  # a word
        self._count = lru_cache(1 << 20)(lambda word: len(self.pieces.encode(word)))

    def id(self, piece: str) -> int:
        """The id of a piece. Raises KeyError."""
        if (found := self.pieces.piece_to_id(piece)) == 0:
            raise KeyError(piece)
        return int(found)

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Ids of many texts."""
        encoded: list[list[int]] = self.pieces.encode(list(texts), num_threads=2)
        return encoded

    def spells(self, word: str) -> bool:
        """Whether a word has to be spelt in bytes; lsg shows a placeholder instead."""
        return is_spelt(word, self._count)
