"""Tokens to words and words to tokens, for both kinds of tokenizer."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import sentencepiece
from hypothesis import given
from hypothesis import strategies as st
from sentences import SENTENCES
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from lsgcli.backends import open_backend
from lsgcli.backends.decoder_only import DecoderOnlyBackend
from lsgcli.backends.vocabulary import HuggingFaceVocabulary, SentencePieceVocabulary, Vocabulary
from lsgcli.core.backend import Placement
from lsgcli.core.segment import request_whole
from lsgcli.core.steps import Query
from lsgcli.errors import ModelError
from lsgcli.models.catalog import find

if TYPE_CHECKING:
    from pathlib import Path

SEED = find("en-de", None, "de").directory
WORDS = ["Haus", "naïve", "🙂", "<sep>", "</s>", "Straße,", "日本語", "a\x00b", "don't", "42"]


@pytest.fixture(scope="module")
def byte_level(tmp_path_factory: pytest.TempPathFactory) -> HuggingFaceVocabulary:
    """A small byte-level BPE, as GPT-2, Llama 3 and Qwen have."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=600,
        special_tokens=["<sep>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(SENTENCES * 3, trainer)
    file = tmp_path_factory.mktemp("bpe") / "tokenizer.json"
    tokenizer.save(str(file))
    return HuggingFaceVocabulary(file)


@pytest.fixture(scope="module")
def gemma_like(tmp_path_factory: pytest.TempPathFactory) -> HuggingFaceVocabulary:
    """A small BPE with spaces as a character and bytes as a last resort, as Gemma has.

    Its vocabulary has the letter that stands for a space in byte-level ones.
    """
    tokenizer = Tokenizer(models.BPE(byte_fallback=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=900,
        special_tokens=["<sep>", "</s>"],
        initial_alphabet=["Ġ", "▁"],
        show_progress=False,
    )
    tokenizer.train_from_iterator(SENTENCES * 3, trainer)
    made = json.loads(tokenizer.to_str())
    vocabulary = made["model"]["vocab"]
    for byte in range(256):
        vocabulary[f"<0x{byte:02X}>"] = len(vocabulary)
    file = tmp_path_factory.mktemp("gemma") / "tokenizer.json"
    file.write_text(json.dumps(made), encoding="utf-8")
    return HuggingFaceVocabulary(file)


@pytest.fixture(scope="module")
def spm() -> SentencePieceVocabulary:
    return SentencePieceVocabulary(SEED / "spm.model")


def joined(vocabulary: Vocabulary, words: list[str]) -> str:
    tokens = [t for n, word in enumerate(words) for t in vocabulary.encode_word(word, n == 0)]
    return b"".join(map(vocabulary.bytes, tokens)).decode()


@pytest.mark.parametrize("kind", ["byte_level", "gemma_like", "spm"])
def test_words_come_back(kind: str, request: pytest.FixtureRequest) -> None:
    vocabulary = request.getfixturevalue(kind)
    # spelling apart, a special token in the source must not come through as one
    text = joined(vocabulary, WORDS).lstrip(" ")
    assert text.replace("< s e p >", "<sep>").replace("< / s >", "</s>") == " ".join(WORDS)


@pytest.mark.parametrize("kind", ["byte_level", "spm"])
@pytest.mark.parametrize("word", ["<sep>", "x</s>y"])
def test_no_word_becomes_a_special_token(
    kind: str, word: str, request: pytest.FixtureRequest
) -> None:
    vocabulary = request.getfixturevalue(kind)
    special = {vocabulary.id("<sep>"), vocabulary.id("</s>")}
    for first in (True, False):
        assert not special & set(vocabulary.encode_word(word, first))


@pytest.mark.parametrize("kind", ["byte_level", "gemma_like", "spm"])
def test_every_word_but_the_first_begins_with_a_space(
    kind: str, request: pytest.FixtureRequest
) -> None:
    vocabulary = request.getfixturevalue(kind)
    for word in WORDS:
        first, *rest = vocabulary.encode_word(word, False)
        assert vocabulary.bytes(first).startswith(b" ")
        assert not any(vocabulary.bytes(t).startswith(b" ") for t in rest if "<" not in word)


@given(st.lists(st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1), max_size=6))
def test_a_source_prefix_keeps_its_tokens(words: list[str]) -> None:
    """Tokenised word by word, a longer prefix begins with the tokens of a shorter one."""
    backend_lexicon = _lexicon()
    for n in range(len(words)):
        shorter = backend_lexicon.source_tokens(words[:n])
        assert backend_lexicon.source_tokens(words)[: len(shorter)] == shorter


def _lexicon():
    from lsgcli.backends.decoder_only import DecoderOnlyLexicon

    model: Any = find(None, "en", "de")
    return DecoderOnlyLexicon(SentencePieceVocabulary(SEED / "spm.model"), model)


def test_word_by_word_is_how_the_model_was_trained(spm: SentencePieceVocabulary) -> None:
    for sentence in SENTENCES:
        words = tuple(t for word in sentence.split() for t in spm.encode_word(word, False))
        assert words == spm.encode(sentence)


@pytest.mark.parametrize("cls", [SentencePieceVocabulary, HuggingFaceVocabulary])
def test_a_file_that_is_no_tokenizer(cls: type, tmp_path: Path) -> None:
    file = tmp_path / "tokenizer"
    file.write_bytes(b"nonsense")
    with pytest.raises(ModelError, match="tokenizer: not a "):
        cls(file)


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> DecoderOnlyBackend:
    """The embedded model with its SentencePiece model rewritten as a ``tokenizer.json``."""
    directory = tmp_path_factory.mktemp("hf")
    model = sentencepiece.SentencePieceProcessor(model_file=str(SEED / "spm.model"))
    pieces = [(model.id_to_piece(n), model.get_score(n)) for n in range(model.get_piece_size())]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=0, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.add_special_tokens(
        ["<unk>", "<s>", "</s>", "<2de>", "<2en>", "<2fr>", "<2es>", "<sep>"]
    )
    tokenizer.save(str(directory / "tokenizer.json"))
    for name in ("model.bin", "config.json", "vocabulary.json"):
        shutil.copy(SEED / name, directory / name)
    manifest = (SEED / "manifest.toml").read_text(encoding="utf-8")
    manifest = manifest.replace("sentencepiece", "huggingface").replace(
        "spm.model", "tokenizer.json"
    )
    lines = [line for line in manifest.splitlines() if not line.startswith('"tokenizer.json"')]
    (directory / "manifest.toml").write_text("\n".join(lines), encoding="utf-8")
    backend = open_backend(find(str(directory), "en", "de"), Placement())
    backend.ready()
    assert isinstance(backend, DecoderOnlyBackend)
    return backend


def test_both_tokenizers_give_the_same_translation(
    backend: DecoderOnlyBackend, converted: DecoderOnlyBackend
) -> None:
    for sentence in SENTENCES:
        source = tuple(sentence.split())
        texts = []
        for each in (backend, converted):
            (tokens,) = each.generate([request_whole(source, each.lexicon)])
            texts.append(each.lexicon.text(tokens))
        assert texts[0] == texts[1]


def test_forward_and_generate_agree_but_for_rounding(backend: DecoderOnlyBackend) -> None:
    """``generate`` proposes what ``forward`` would have chosen, but for near ties."""
    from lsgcli.core.steps import Query

    same = 0
    total = 0
    for sentence in SENTENCES:
        source = tuple(sentence.split())
        (tokens,) = backend.generate([request_whole(source, backend.lexicon)])
        rows = backend.forward([Query(source, (), tokens)])[0]
        same += sum(row.token == token for row, token in zip(rows, tokens, strict=False))
        total += len(tokens)
        assert len(rows) == len(tokens) + 1
    assert same >= 0.98 * total


def test_last_row_alone_is_the_same_distribution(unrounded, monkeypatch):
    """What large vocabularies take instead of all rows, tried on a small one."""
    sources = [tuple(line.split()) for line in SENTENCES[:6]]
    queries = [Query(source[:n], ()) for source in sources for n in (1, 3, len(source))]
    queries.append(Query(sources[0], (), (5, 6)))
    expected = unrounded.forward(queries)
    monkeypatch.setattr("lsgcli.backends.decoder_only.ONE_ROW_BYTES", 0)
    for old, new in zip(expected, unrounded.forward(queries), strict=True):
        assert len(old) == len(new)
        assert [row.likeliest for row in old] == [row.likeliest for row in new]
        for before, after in zip(old, new, strict=True):
            np.testing.assert_allclose(after.logp, before.logp, atol=2e-3)
