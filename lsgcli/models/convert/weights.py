"""CTranslate2's converters, and what they miss of newer versions of Transformers."""

from __future__ import annotations

import json
import os
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from lsgcli.errors import ModelError, one_line
from lsgcli.models.convert.streaming import round_when_written

if TYPE_CHECKING:
    from pathlib import Path

    from lsgcli.models.convert.loading import Origin

LLAMA3_LENGTH = 8192  # positions Llama 3 was trained on


def convert_weights(origin: Origin, output: Path, quantization: str) -> None:
    """Convert to a directory that is not there yet. Raises ModelError."""
    from ctranslate2.converters import TransformersConverter

    class Converter(TransformersConverter):
        """Gets the model from ``origin``, which merges the adapter."""

        def load_model(self, kind: Any, path: str, **options: Any) -> Any:
            options.pop("trust_remote_code", None)
            model = origin.model(kind, **options)
            _mend_config(model.config)
            _mend_model(model)
            return model

        def load_tokenizer(self, kind: Any, path: str, **options: Any) -> Any:
            tokenizer = super().load_tokenizer(kind, path, **options)
            _mend_tokenizer(tokenizer)
            return tokenizer

        def _load(self) -> Any:
            spec = super()._load()
            _mend_spec(spec, origin.config())
            return spec

        def convert(self, output_dir: str, **options: Any) -> None:
            spec = self._load()
            spec.validate()
            round_when_written(spec, options["quantization"])
            os.makedirs(output_dir)
            spec.save(output_dir)

    converter = Converter(str(origin.directory), trust_remote_code=origin.trust_remote_code)
    try:
        converter.convert(str(output), quantization=quantization)
    except (ValueError, NotImplementedError, RuntimeError, KeyError, AttributeError) as error:
        raise ModelError(f"{origin.directory}: CTranslate2: {one_line(error)}") from error
    _mend_tokens(output / "config.json")


def limits(config: Any) -> list[str]:
    """What CTranslate2 4.8.5 computes in another way than the original, for the user to know."""
    if config.model_type == "gemma2" and config.attn_logit_softcapping:
        return ["CTranslate2 does not cap the attention of Gemma 2: expect small differences"]
    return []


def _mend_config(config: Any) -> None:
    """Transformers 5 has dropped or renamed what the loaders read (CTranslate2 4.8.5)."""
    if config.model_type == "mbart" and not hasattr(config, "normalize_before"):
        config.normalize_before = config.normalize_embedding = True
    if hasattr(config, "scale_decoder_outputs"):  # T5: tie_word_embeddings means nothing any more
        config.tie_word_embeddings = config.scale_decoder_outputs
    rope = getattr(config, "rope_parameters", None)
    if isinstance(rope, dict):
        _mend_rope(config, rope)


def _mend_rope(config: Any, rope: dict[str, Any]) -> None:
    """Rotary embeddings: their settings have moved into one dictionary, or one for each kind."""
    if "full_attention" in rope:  # Gemma 3
        _refuse_scaling(rope["full_attention"])
        config.rope_local_base_freq = rope["sliding_attention"]["rope_theta"]
        config.rope_theta = rope["full_attention"]["rope_theta"]
        return
    config.rope_theta = rope["rope_theta"]
    kind, scaled = config.model_type, rope.get("rope_type", "default") != "default"
    if kind == "gpt_neox":
        config.rotary_pct = rope.get("partial_rotary_factor", 1.0)
        if scaled or config.rope_theta != 10000:
            raise NotImplementedError("a GPT-NeoX with another rotary base than 10000")
    elif kind == "phi3":
        if rope.get("partial_rotary_factor", 1.0) != 1.0:
            raise NotImplementedError("a Phi-3 with rotary embeddings of a part of each head")
        config.rope_scaling = {**rope, "type": rope["rope_type"]} if scaled else None
        config.rope_theta = rope["rope_theta"]
    elif kind in ("gemma", "gemma2"):
        _refuse_scaling(rope)


def _refuse_scaling(rope: dict[str, Any]) -> None:
    """The loader would leave it out."""
    if rope.get("rope_type", "default") != "default":
        raise NotImplementedError(f"scaling of rotary embeddings: {rope['rope_type']}")


def _mend_model(model: Any) -> None:
    """The same for names of layers."""
    config = model.config
    scalar = getattr(config, "query_pre_attn_scalar", None)
    if scalar and scalar != config.head_dim:
        raise NotImplementedError("attention scaled by another number than the head's size")
    if config.model_type == "gpt_neox" and not hasattr(model, "embed_out"):
        model.embed_out = model.lm_head
    if config.model_type == "phi3":
        rope = config.rope_scaling or {}
        factors = SimpleNamespace(
            long_factor=rope.get("long_factor"), short_factor=rope.get("short_factor")
        )
        for layer in model.model.layers:
            if not hasattr(layer.self_attn, "rotary_emb"):
                layer.self_attn.rotary_emb = factors


def _mend_tokens(file: Path) -> None:
    """CTranslate2 writes a special token that a model has not as null, and cannot read it."""
    config = json.loads(file.read_text(encoding="utf-8"))
    for name in ("bos_token", "unk_token"):
        if name in config and config[name] is None:
            config[name] = config["eos_token"]
    file.write_text(json.dumps(config, indent=2), encoding="utf-8")


def _mend_tokenizer(tokenizer: Any) -> None:
    """M2M-100: its language tokens are in no list that the loader knows of."""
    languages = getattr(tokenizer, "lang_token_to_id", None)
    if languages:
        vocabulary = {**tokenizer.get_vocab(), **languages}
        tokenizer.get_vocab = lambda: vocabulary


def _mend_spec(spec: Any, config: Any) -> None:
    """What the loaders forget: Gemma 2 caps its logits, Llama 3.1 scales its rotations."""
    cap = getattr(config, "final_logit_softcapping", None)
    if cap and config.model_type == "gemma2":
        spec.decoder.final_logit_softcapping = np.dtype("float32").type(cap)
    rope = getattr(config, "rope_parameters", None) or getattr(config, "rope_scaling", None) or {}
    if rope.get("rope_type") == "llama3":
        for layer in spec.decoder.layer:
            attention = vars(layer.self_attention)  # which takes no attribute it did not have
            attention["rotary_scaling_factor"] = np.dtype("float32").type(rope["factor"])
            length = rope.get("original_max_position_embeddings", LLAMA3_LENGTH)
            attention["original_max_position_embeddings"] = np.dtype("int32").type(length)
