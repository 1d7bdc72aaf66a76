"""Text in many scripts through every kind of tokenizer: nothing lost, nothing added, word by word.

Small tokenizers are made here; real ones are read where `LSG_TOKENIZERS` has them: a directory of
Hugging Face directories.
"""

from __future__ import annotations

import json
import os
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import sentencepiece
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from lsgcli.backends.decoder_only import DecoderOnlyLexicon
from lsgcli.backends.lexicon import TokenLexicon, Writing
from lsgcli.backends.vocabulary import HuggingFaceVocabulary, SentencePieceVocabulary, Vocabulary
from lsgcli.core.decoder import split_words
from lsgcli.models.catalog import Model
from lsgcli.models.manifest import DecoderOnlyManifest
from lsgcli.text.units import Divider

if TYPE_CHECKING:
    from collections.abc import Callable

TEXTS = {
    "en": "My brother wants to buy a new car; it's 3.5 m long.",
    "de": "Mein Bruder möchte ein „neues“ Auto kaufen, naïve Straße.",
    "ru": "Мой брат хочет купить машину.",
    "el": "Ο αδελφός μου θέλει αυτοκίνητο;",
    "ar": "أخي يريد أن يشتري سيارة جديدة؟",
    "fa": "برادرم می\u200cخواهد ماشین بخرد.",
    "he": "אחי רוצה לקנות מכונית.",
    "hi": "मेरा भाई नई गाड़ी ख़रीदना चाहता है।",
    "bn": "আমার ভাই গাড়ি কিনতে চায়।",
    "ta": "என் சகோதரன் கார் வாங்க விரும்புகிறான்.",
    "te": "నా సోదరుడు కారు కొనాలి.",
    "si": "මගේ සහෝදරයා",
    "th": "น้องชายของฉันอยากซื้อรถใหม่ วันนี้ดี",
    "lo": "ນ້ອງຊາຍຂອງຂ້ອຍຢາກຊື້ລົດ",
    "km": "ប្អូនប្រុសខ្ញុំចង់ទិញឡាន។",
    "my": "ကျွန်တော့်ညီ ကားဝယ်ချင်တယ်။",
    "ko": "제 동생은 새 차를 사고 싶어해요.",
    "zh": "我弟弟想买一辆新车。他用GitHub Copilot写了3行龘𠮷。",
    "ja": "私の弟は「新しい車」を買いたいと言っている。",
    "ka": "ჩემს ძმას მანქანა უნდა.",
    "hy": "Եղբայրս ուզում է մեքենա։",
    "am": "ወንድሜ መኪና መግዛት ይፈልጋል።",
    "mn": "ᠮᠣᠩᠭᠣᠯ ᠬᠡᠯᠡ",
    "xx": "Hi 🙂 👩\u200d👩\u200d👧 🇩🇪 ❤️ e\u0301 a\u00a0b x\x00y",
}
SPECIAL = ["<sep>", "</s>", "<|im_end|>"]
REAL = ("qwen-coder-0.5b", "gemma3-270m", "smollm2-135m")
MADE = ("byte_level", "qwen_like", "llama_like", "gemma_like", "unigram", "spm", "spm_bare")


def trained(tokenizer: Tokenizer, file: Path, *, alphabet: list[str], fallback: bool) -> Path:
    """Train a tokenizer on the texts, with bytes in its vocabulary for ``fallback``."""
    trainer = trainers.BpeTrainer(
        vocab_size=900, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator([TEXTS["en"], TEXTS["de"], "新车", "弟弟"] * 4, trainer)
    made = json.loads(tokenizer.to_str())
    vocabulary = made["model"]["vocab"]
    for byte in range(256 if fallback else 0):
        vocabulary[f"<0x{byte:02X}>"] = len(vocabulary)
    file.write_text(json.dumps(made), encoding="utf-8")
    return file


def byte_level(file: Path) -> Vocabulary:
    """As GPT-2, SmolLM2 and Llama 3."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    return HuggingFaceVocabulary(trained(tokenizer, file, alphabet=alphabet, fallback=False))


def qwen_like(file: Path) -> Vocabulary:
    """With its pattern, and its normalisation."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    pattern = r"(?i:'s|'t)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+(?!\S)|\s+"
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    return HuggingFaceVocabulary(trained(tokenizer, file, alphabet=alphabet, fallback=False))


def llama_like(file: Path) -> Vocabulary:
    """As Llama 2 in that form: a space before every text, bytes as a last resort."""
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    return HuggingFaceVocabulary(trained(tokenizer, file, alphabet=["▁"], fallback=True))


def gemma_like(file: Path) -> Vocabulary:
    """As Gemma 3: no space before a text, and a vocabulary that has the letter Ġ."""
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    return HuggingFaceVocabulary(trained(tokenizer, file, alphabet=["▁", "Ġ"], fallback=True))


def unigram(file: Path) -> Vocabulary:
    """As SentencePiece models that were turned into that form."""
    letters = sorted(set("".join([*TEXTS.values(), *SPECIAL, "<tool_call>x"])) - {" "})
    pieces = [("<unk>", 0.0), ("▁", -2.0), *((letter, -8.0) for letter in letters)]
    pieces += [("▁car", -6.0), ("新车", -6.0), ("弟弟", -6.0)]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=0))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.add_special_tokens(["<unk>", *SPECIAL])
    tokenizer.save(str(file))
    return HuggingFaceVocabulary(file)


def spm(file: Path, *, lead: bool = True) -> Vocabulary:
    """SentencePiece, with or without a space before every text."""
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([*TEXTS.values()] * 4), model_prefix=str(file.with_suffix("")),
        vocab_size=700, byte_fallback=True, character_coverage=0.98, add_dummy_prefix=lead,
        normalization_rule_name="identity", remove_extra_whitespaces=False, model_type="bpe",
        control_symbols=["<sep>", "<|im_end|>"], hard_vocab_limit=False, minloglevel=2,
    )  # fmt: skip
    return SentencePieceVocabulary(file.with_suffix(".model"))


def spm_bare(file: Path) -> Vocabulary:
    """As Gemma's own."""
    return spm(file, lead=False)


MAKERS: dict[str, Callable[[Path], Vocabulary]] = {
    each.__name__: each
    for each in (byte_level, qwen_like, llama_like, gemma_like, unigram, spm, spm_bare)
}


@pytest.fixture(scope="module", params=[*MADE, *REAL])
def vocabulary(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Each kind of tokenizer, then real ones."""
    if request.param in MAKERS:
        return MAKERS[request.param](tmp_path_factory.mktemp("tokenizer") / "tokenizer.json")
    file = Path(os.environ.get("LSG_TOKENIZERS", "/nowhere")) / request.param / "tokenizer.json"
    if not file.exists():
        pytest.skip("needs LSG_TOKENIZERS")
    return HuggingFaceVocabulary(file)


def text_of(vocabulary: Vocabulary, tokens: tuple[int, ...]) -> str:
    return b"".join(map(vocabulary.bytes, tokens)).decode().removeprefix(" ")


def lexicon_of(vocabulary: Vocabulary, source: str, target: str = "en") -> DecoderOnlyLexicon:
    """A prompt of nothing but source and target."""
    end = "</s>" if vocabulary.id("</s>") is not None else vocabulary.token(2)
    manifest = {
        "version": 1, "directions": ["*-*"], "licence": "", "files": {},
        "policy": {"delta": 1.0, "alpha": 0.5},
        "tokenizer": {"type": "huggingface", "file": "tokenizer.json"},
        "prompt": {"parts": ["{source}", "{target}"], "end": [end]},
    }  # fmt: skip
    import msgspec

    known = msgspec.convert(manifest, DecoderOnlyManifest)
    return DecoderOnlyLexicon(vocabulary, Model(Path(), known, source, target))


def shown(language: str, text: str) -> tuple[str, ...]:
    """The source units of a text."""
    unspaced = language in ("zh", "ja", "th", "lo", "km", "my")
    return Divider(language).words(text) if unspaced else tuple(text.split(" "))


def same(vocabulary: Vocabulary, got: str, text: str) -> bool:
    """Whether a text came through, but for the normal form of a tokenizer that has one."""
    return unicodedata.normalize("NFC", got) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize("language", TEXTS)
def test_the_model_is_shown_what_was_read(vocabulary: Vocabulary, language: str) -> None:
    units = shown(language, TEXTS[language])
    lexicon = lexicon_of(vocabulary, language)
    before: tuple[int, ...] = ()
    for n in range(len(units) + 1):
        tokens = lexicon.source_tokens(units[:n])
        assert tokens[: len(before)] == before
        got = text_of(vocabulary, tokens)
        assert same(vocabulary, got, lexicon.space.join(units[:n]))
        before = tokens


def test_every_word_begins_with_a_space(vocabulary: Vocabulary) -> None:
    for language in ("en", "ru", "ar", "hi", "ko", "am"):
        for word in TEXTS[language].split():
            first, *rest = vocabulary.encode_word(word, False)
            assert vocabulary.bytes(first).startswith(b" ")
            assert not any(vocabulary.bytes(token).startswith(b" ") for token in rest)


def test_no_word_becomes_a_special_token(vocabulary: Vocabulary) -> None:
    for word in (*SPECIAL, "<|im_start|>", "<end_of_turn>", "<tool_call>", "x</s>y", "<<sep>>"):
        for tokens in (
            vocabulary.encode_word(word, True),
            vocabulary.encode_word(word, False),
            vocabulary.encode_joined(word),
            vocabulary.encode_behind("a: ", word),
        ):
            assert vocabulary.id(word) not in tokens or len(word) == 1
            assert text_of(vocabulary, tokens) == word


@given(data=st.data())
def test_any_text_comes_through(vocabulary: Vocabulary, data: st.DataObject) -> None:
    """Of a tokenizer that has all characters, or bytes for them."""
    letters = sorted(set("".join(TEXTS.values())) - set(" \u2581\x00"))
    any_text = st.text(st.sampled_from(letters), max_size=12)
    if vocabulary.id("<0x41>") is not None or getattr(vocabulary, "_byte_level", False):
        any_text |= st.text(st.characters(exclude_categories=["Z", "C"]), max_size=12).filter(
            lambda text: "\u2581" not in text
        )
    language = data.draw(st.sampled_from(["en", "zh", "th"]))
    text = " ".join(data.draw(st.lists(any_text.filter(bool), min_size=1, max_size=4)))
    units = shown(language, text)
    lexicon = lexicon_of(vocabulary, language)
    got = text_of(vocabulary, lexicon.source_tokens(units))
    assert same(vocabulary, got, lexicon.space.join(units))


# ---------------------------------------------------------------- the target


def words(vocabulary: Vocabulary, text: str, target: str) -> list[str]:
    """The words of a target text as it would be committed."""
    lexicon = lexicon_of(vocabulary, "en", target)
    tokens = vocabulary.encode_word(text, True)
    found = split_words(tokens, lexicon)
    for n, word in enumerate(found[1:], 1):  # the next one may follow
        before = tuple(token for each in found[:n] for token in each)
        assert lexicon.after_word(before)[word[0]]
    return [lexicon.text(word) for word in found]


@pytest.mark.parametrize("target", ["zh", "ja", "th", "km", "my"])
def test_a_target_without_spaces_is_written_piece_by_piece(
    vocabulary: Vocabulary, target: str
) -> None:
    text = TEXTS[target].split(" ")[0]
    found = words(vocabulary, text, target)
    assert same(vocabulary, "".join(found).removeprefix(" "), text)
    assert not any("\ufffd" in word for word in found)
    assert len(found) >= len(text) / 8


def test_latin_words_in_it_are_whole(vocabulary: Vocabulary) -> None:
    found = words(vocabulary, "他用GitHubCopilot写3行", "zh")
    assert "GitHubCopilot" in found
    assert found[-1] == "行"


@pytest.mark.parametrize("target", ["ko", "ar", "hi", "ru"])
def test_a_target_with_spaces_is_written_word_by_word(vocabulary: Vocabulary, target: str) -> None:
    found = words(vocabulary, TEXTS[target], target)
    assert [word.strip() for word in found] == TEXTS[target].split()


class Letters:
    """A vocabulary of texts."""

    def __init__(self, *texts: str | bytes) -> None:
        self.texts = [text.encode() if isinstance(text, str) else text for text in texts]
        self.size = len(texts)

    def bytes(self, number: int) -> bytes:
        return self.texts[number]


@pytest.mark.parametrize(
    ("writing", "before", "after", "starts"),
    [
        ("spaced", "a", " b", True),
        ("spaced", "车", "新", False),
        ("unspaced", "车", "新", True),
        ("unspaced", "车", " brother", True),
        ("unspaced", "Git", "Hub", False),
        ("unspaced", "车", "Hub", True),
        ("unspaced", "Git", "上", True),
        ("unspaced", "3", "5", False),
        ("unspaced", "车", "。", False),
        ("unspaced", "น", "้", False),
        ("unspaced", "キ", "ャ", False),
        ("unspaced", "车", "（", True),
        ("characters", "a", "b", True),
        ("characters", "a", ".", False),
    ],
)
def test_where_words_begin(writing: Writing, before: str, after: str, starts: bool) -> None:
    lexicon = TokenLexicon(Letters(before, after, "</s>"), frozenset({2}), writing)
    assert lexicon.starts_word(1, (0,)) is starts
    closes = after in "。."
    np.testing.assert_array_equal(lexicon.after_word((0,))[1:], [starts or closes, True])


@pytest.mark.parametrize("mark", [*"।؟،。！？」）", "...", "።"])
def test_closing_marks_of_every_script_may_follow_a_word(mark: str) -> None:
    lexicon = TokenLexicon(Letters("a", mark), frozenset())
    assert lexicon.after_word((0,))[1]


@pytest.mark.parametrize("target", ["hi", "bn", "ta", "th", "my", "zh", "ar"])
def test_a_translation_that_has_to_be_spelt_has_room(vocabulary: Vocabulary, target: str) -> None:
    """The same sentence: its tokens may be many times those of the source."""
    source = tuple(TEXTS["en"].split())
    tokens = vocabulary.encode_word(TEXTS[target], True)
    assert lexicon_of(vocabulary, "en", target).limit(source) > len(tokens)
