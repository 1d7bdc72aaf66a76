"""Small random models of every family, with tokenizers of the family's kind, made in place.

A real checkpoint differs from these in its numbers only: the same classes of Transformers' save
them, and CTranslate2's own converters read them.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sentences import SENTENCES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

GERMAN = [
    "Das Haus ist klein, und der Garten dahinter ist sehr groß.",
    "Wo hast du dieses alte Buch über Züge gekauft?",
    "Bitte schließe das Fenster, bevor du das Zimmer verlässt.",
    "Er arbeitet seit mehr als zehn Jahren in dieser Stadt.",
]
TEXT = [*SENTENCES, *GERMAN, "Translate the following text from English to German."] * 2
SIZE = 400  # tokens, about

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and enable_thinking is false %}<think>\n\n</think>\n\n"
    "{% endif %}{% endif %}"
)
QWEN2 = (
    "{% if messages[0]['role'] != 'system' %}<|im_start|>system\nYou are a helpful assistant."
    "<|im_end|>\n{% endif %}{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}"
    "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
LLAMA2 = (
    "{% for m in messages %}{% if m['role'] == 'user' %}{{ bos_token + '[INST] ' + "
    "m['content'].strip() + ' [/INST]' }}{% else %}{{ ' ' + m['content'].strip() + ' ' + "
    "eos_token }}{% endif %}{% endfor %}"
)
LLAMA3 = (
    "{{ bos_token }}{% for m in messages %}<|start_header_id|>{{ m['role'] }}<|end_header_id|>\n\n"
    "{{ m['content'] | trim }}<|eot_id|>{% endfor %}{% if add_generation_prompt %}"
    "<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
)
MISTRAL = (
    "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'user' %}{{ '[INST] ' + "
    "m['content'] + ' [/INST]' }}{% else %}{{ m['content'] + eos_token }}{% endif %}{% endfor %}"
)
GEMMA = (
    "{{ bos_token }}{% for m in messages %}<start_of_turn>{{ 'model' if m['role'] == 'assistant' "
    "else m['role'] }}\n{{ m['content'] | trim }}<end_of_turn>\n{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)
PHI3 = (
    "{{ bos_token }}{% for m in messages %}<|{{ m['role'] }}|>\n{{ m['content'] }}<|end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)


@dataclass(frozen=True)
class Family:
    """How a family's model is made, and what the conversion must be told."""

    name: str
    build: Callable[[Path], None]
    prompt: str | None = None

    def make(self, directory: Path) -> Path:
        """Save a model in a directory that does not exist; the same one every time."""
        import torch

        directory.mkdir(parents=True)
        torch.manual_seed(7)
        self.build(directory)
        return directory


def spm(file: Path, size: int = SIZE, lines: list[str] = TEXT, **options: Any) -> None:
    """Train a SentencePiece model."""
    import sentencepiece

    writer = io.BytesIO()
    settings: dict[str, Any] = {"model_type": "bpe", "byte_fallback": True, "pad_id": -1} | options
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines),
        model_writer=writer,
        vocab_size=size + 256 * settings["byte_fallback"],
        hard_vocab_limit=False,
        minloglevel=2,
        num_threads=1,
        **settings,
    )
    file.write_bytes(writer.getvalue())


def byte_level(special: list[str], bos: str | None = None, **settings: Any) -> Any:
    """A byte-level BPE ``tokenizer.json``."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=SIZE + 256,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXT, trainer)
    if bos:
        number = tokenizer.token_to_id(bos)
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{bos} $A", special_tokens=[(bos, number)]
        )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=bos, **settings)


def save(
    directory: Path, kind: str, config: str, size: int, spread: float = 0.25, **settings: Any
) -> None:
    """Save a random model; ``spread`` of its weights: peaked enough to have opinions."""
    import transformers

    model = getattr(transformers, kind)(
        getattr(transformers, config)(vocab_size=size, **settings)
    ).eval()
    import torch

    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.normal_(0, spread)
        if kind == "MarianMTModel":  # its decoder starts from nothing
            model.get_input_embeddings().weight[settings["pad_token_id"]] = 0
        if kind.startswith("Gemma"):  # its embeddings are tied: without this it says what it hears
            model.get_input_embeddings().weight *= 0.2
            model.model.norm.weight += 5
    model.save_pretrained(directory)


DECODER: dict[str, Any] = {
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 512,
}
GROUPED: dict[str, Any] = DECODER | {"num_key_value_heads": 2}
HEADS: dict[str, Any] = GROUPED | {"head_dim": 16}


def sentencepiece_model(directory: Path, template: str) -> int:
    """A ``tokenizer.model`` alone, as Llama 2 and Mistral had it; give its size."""
    import sentencepiece

    file = directory / "tokenizer.model"
    spm(file, normalization_rule_name="identity", remove_extra_whitespaces=False)
    settings = {
        "tokenizer_class": "LlamaTokenizer", "bos_token": "<s>", "eos_token": "</s>",
        "unk_token": "<unk>", "chat_template": template, "add_bos_token": True, "legacy": True,
    }  # fmt: skip
    (directory / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    return int(sentencepiece.SentencePieceProcessor(model_file=str(file)).get_piece_size())


def llama2(directory: Path) -> None:
    size = sentencepiece_model(directory, LLAMA2)
    save(directory, "LlamaForCausalLM", "LlamaConfig", size, **DECODER)


def mistral(directory: Path) -> None:
    size = sentencepiece_model(directory, MISTRAL)
    save(
        directory,
        "MistralForCausalLM",
        "MistralConfig",
        size,
        **GROUPED,
        sliding_window=None,
        rope_theta=1e6,
    )


def phi3(directory: Path) -> None:
    """SentencePiece rewritten as ``tokenizer.json``, with tokens added behind it."""
    from transformers import AutoTokenizer

    size = sentencepiece_model(directory, PHI3)
    tokenizer = AutoTokenizer.from_pretrained(directory)
    tokenizer.add_special_tokens(
        {"additional_special_tokens": ["<|user|>", "<|assistant|>", "<|end|>"]}
    )
    tokenizer.save_pretrained(directory)
    (directory / "tokenizer.model").unlink(missing_ok=True)
    size = len(tokenizer)
    save(directory, "Phi3ForCausalLM", "Phi3Config", size, **GROUPED, pad_token_id=0)


def gemma_tokenizer(directory: Path) -> int:
    """No leading space, blanks kept, turns as symbols of the SentencePiece model."""
    import sentencepiece

    file = directory / "tokenizer.model"
    spm(
        file,
        add_dummy_prefix=False,
        remove_extra_whitespaces=False,
        normalization_rule_name="identity",
        user_defined_symbols=["<start_of_turn>", "<end_of_turn>", "\n"],
        pad_id=0,
        eos_id=1,
        bos_id=2,
        unk_id=3,
        pad_piece="<pad>",
        eos_piece="<eos>",
        bos_piece="<bos>",
    )
    settings = {
        "tokenizer_class": "GemmaTokenizer", "bos_token": "<bos>", "eos_token": "<eos>",
        "pad_token": "<pad>", "unk_token": "<unk>", "chat_template": GEMMA, "add_bos_token": True,
        "additional_special_tokens": ["<start_of_turn>", "<end_of_turn>"],
    }  # fmt: skip
    (directory / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    return int(sentencepiece.SentencePieceProcessor(model_file=str(file)).get_piece_size())


def gemma2(directory: Path) -> None:
    size = gemma_tokenizer(directory)
    save(directory, "Gemma2ForCausalLM", "Gemma2Config", size, **HEADS, query_pre_attn_scalar=16)


def gemma2_uncapped(directory: Path) -> None:
    """Without the cap of the attention, which CTranslate2 does not have."""
    size = gemma_tokenizer(directory)
    save(
        directory, "Gemma2ForCausalLM", "Gemma2Config", size, **HEADS, query_pre_attn_scalar=16,
        attn_logit_softcapping=None,
    )  # fmt: skip


def gemma3(directory: Path) -> None:
    size = gemma_tokenizer(directory)
    save(
        directory, "Gemma3ForCausalLM", "Gemma3TextConfig", size, **HEADS,
        query_pre_attn_scalar=16,
    )  # fmt: skip


def llama3(directory: Path) -> None:
    special = ["<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>"]
    special += ["<|start_header_id|>", "<|end_header_id|>"]
    tokenizer = byte_level(
        special, special[0], eos_token="<|eot_id|>", additional_special_tokens=special[1:]
    )
    tokenizer.chat_template = LLAMA3
    tokenizer.save_pretrained(directory)
    rope = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}
    rope |= {"rope_theta": 500000.0, "original_max_position_embeddings": 64}
    save(
        directory, "LlamaForCausalLM", "LlamaConfig", len(tokenizer), **GROUPED,
        rope_parameters=rope,
    )  # fmt: skip


def _qwen(directory: Path, template: str, kind: str, **settings: Any) -> None:
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    tokenizer = byte_level(
        special, eos_token="<|im_end|>", pad_token=special[0], additional_special_tokens=special[:2]
    )
    tokenizer.add_tokens(["<think>", "</think>"])
    tokenizer.chat_template = template
    tokenizer.save_pretrained(directory)
    # as in the real ones, there are more rows than tokens
    save(directory, f"{kind}ForCausalLM", f"{kind}Config", len(tokenizer) + 5, **settings)


def qwen2(directory: Path) -> None:
    _qwen(directory, QWEN2, "Qwen2", **GROUPED, rope_theta=1e6)


def qwen3(directory: Path) -> None:
    _qwen(directory, CHATML, "Qwen3", **HEADS, rope_theta=1e6)


def gpt_neox(directory: Path) -> None:
    tokenizer = byte_level(["<|endoftext|>"], eos_token="<|endoftext|>")
    tokenizer.save_pretrained(directory)
    save(directory, "GPTNeoXForCausalLM", "GPTNeoXConfig", len(tokenizer), **DECODER)


ENCODER: dict[str, Any] = {
    "d_model": 64, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4,
    "decoder_attention_heads": 4, "encoder_ffn_dim": 128, "decoder_ffn_dim": 128,
    "max_position_embeddings": 256,
}  # fmt: skip
PLAIN: dict[str, Any] = {"byte_fallback": False, "model_type": "unigram"}


def pieces(directory: Path, **options: Any) -> list[tuple[str, float]]:
    """Pieces and scores of a SentencePiece model that is not kept, without its special ones."""
    import sentencepiece

    file = directory / "tmp.model"
    spm(file, **(PLAIN | options))
    model = sentencepiece.SentencePieceProcessor(model_file=str(file))
    file.unlink()
    return [(model.id_to_piece(n), model.get_score(n)) for n in range(3, model.get_piece_size())]


def marian(directory: Path) -> None:
    import sentencepiece
    from transformers import MarianTokenizer

    names: dict[str, int] = {"</s>": 0, "<unk>": 1}
    for name, lines in (("source.spm", SENTENCES * 4), ("target.spm", GERMAN * 8)):
        spm(directory / name, 150, lines, **PLAIN)
        model = sentencepiece.SentencePieceProcessor(model_file=str(directory / name))
        for n in range(3, model.get_piece_size()):
            names.setdefault(model.id_to_piece(n), len(names))
    names["<pad>"] = len(names)
    (directory / "vocab.json").write_text(json.dumps(names), encoding="utf-8")
    tokenizer = MarianTokenizer(
        str(directory / "source.spm"), str(directory / "target.spm"), str(directory / "vocab.json"),
        source_lang="en", target_lang="de",
    )  # fmt: skip
    tokenizer.save_pretrained(directory)
    pad = names["<pad>"]
    save(
        directory, "MarianMTModel", "MarianConfig", len(names), **ENCODER, pad_token_id=pad,
        eos_token_id=0, decoder_start_token_id=pad, forced_eos_token_id=0, scale_embedding=True,
        activation_function="swish", static_position_embeddings=True,
    )  # fmt: skip


def nllb(directory: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import NllbTokenizer

    plain = Tokenizer(models.BPE(unk_token="<unk>"))
    plain.pre_tokenizer = pre_tokenizers.Metaspace()
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    trainer = trainers.BpeTrainer(vocab_size=SIZE, special_tokens=special, show_progress=False)
    plain.train_from_iterator(TEXT, trainer)
    model = json.loads(plain.to_str())["model"]
    merges = [tuple(merge) for merge in model["merges"]]
    tokenizer = NllbTokenizer(
        vocab=model["vocab"], merges=merges, src_lang="eng_Latn", tgt_lang="deu_Latn"
    )
    tokenizer.save_pretrained(directory)
    save(
        directory, "M2M100ForConditionalGeneration", "M2M100Config", len(tokenizer), **ENCODER,
        decoder_start_token_id=2, scale_embedding=True,
    )  # fmt: skip


def m2m_100(directory: Path) -> None:
    """A slow tokenizer: SentencePiece for the pieces, ``vocab.json`` for their numbers."""
    import sentencepiece
    from transformers import M2M100Tokenizer

    file = directory / "sentencepiece.bpe.model"
    spm(file, byte_fallback=False)
    model = sentencepiece.SentencePieceProcessor(model_file=str(file))
    names = ["<s>", "<pad>", "</s>", "<unk>"]
    names += [model.id_to_piece(n) for n in range(3, model.get_piece_size())]
    vocab = {name: n for n, name in enumerate(names)}
    (directory / "vocab.json").write_text(json.dumps(vocab), encoding="utf-8")
    tokenizer = M2M100Tokenizer(
        str(directory / "vocab.json"), str(file), src_lang="en", tgt_lang="de"
    )
    tokenizer.save_pretrained(directory)
    size = len(vocab) + len(tokenizer.lang_token_to_id) + tokenizer.num_madeup_words
    save(
        directory, "M2M100ForConditionalGeneration", "M2M100Config", size, **ENCODER,
        decoder_start_token_id=2, scale_embedding=True,
    )  # fmt: skip


def madlad(directory: Path) -> None:
    """T5 1.1 with MADLAD's language tokens."""
    from transformers import T5Tokenizer

    vocab = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *pieces(directory)]
    tokenizer = T5Tokenizer(
        vocab=vocab, extra_ids=0, additional_special_tokens=["<2de>", "<2en>", "<2fr>"]
    )
    tokenizer.save_pretrained(directory)
    save(
        directory, "T5ForConditionalGeneration", "T5Config", len(tokenizer), 0.15, d_model=64,
        d_kv=16, d_ff=128, num_layers=2, num_heads=4, feed_forward_proj="gated-gelu",
        tie_word_embeddings=False, decoder_start_token_id=0,
    )  # fmt: skip


def mbart(directory: Path) -> None:
    from transformers import MBart50Tokenizer

    special = [("<unk>", 0.0), ("<s>", 0.0), ("</s>", 0.0)]  # as SentencePiece has them
    tokenizer = MBart50Tokenizer(
        vocab=[*special, *pieces(directory)], src_lang="en_XX", tgt_lang="de_DE"
    )
    tokenizer.save_pretrained(directory)
    save(
        directory, "MBartForConditionalGeneration", "MBartConfig", len(tokenizer), **ENCODER,
        decoder_start_token_id=2, tokenizer_class="MBart50Tokenizer",
    )  # fmt: skip


FAMILIES = [
    Family("Marian (OPUS-MT)", marian),
    Family("NLLB", nllb),
    Family("M2M-100", m2m_100),
    Family("T5 (MADLAD)", madlad),
    Family("mBART-50", mbart),
    Family("Llama 2", llama2),
    Family("Llama 3", llama3),
    Family("Mistral", mistral),
    Family("Qwen2", qwen2),
    Family("Qwen3", qwen3),
    Family("Gemma 2", gemma2),
    Family("Gemma 2, no cap", gemma2_uncapped),
    Family("Gemma 3", gemma3),
    Family("Phi-3", phi3),
    Family("GPT-NeoX", gpt_neox, "alpaca"),
]
