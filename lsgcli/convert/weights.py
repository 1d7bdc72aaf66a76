"""CTranslate2's converters, and what they miss of newer versions of Transformers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lsgcli.convert.loading import one_line
from lsgcli.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

    from lsgcli.convert.loading import Origin


def convert_weights(origin: Origin, output: Path, quantization: str) -> None:
    """Convert to a directory that is not there yet. Raises ModelError."""
    from ctranslate2.converters import TransformersConverter

    class Converter(TransformersConverter):  # type: ignore[misc]
        """Gets the model from ``origin``, which merges the adapter."""

        def load_model(self, kind: Any, path: str, **options: Any) -> Any:
            options.pop("trust_remote_code", None)
            model = origin.model(kind, **options)
            _mend_config(model.config)
            return model

        def load_tokenizer(self, kind: Any, path: str, **options: Any) -> Any:
            tokenizer = super().load_tokenizer(kind, path, **options)
            _mend_tokenizer(tokenizer)
            return tokenizer

        def _load(self) -> Any:
            spec = super()._load()
            _cap_logits(spec, origin.config())
            return spec

    converter = Converter(str(origin.directory), trust_remote_code=origin.trust_remote_code)
    try:
        converter.convert(str(output), quantization=quantization)
    except (ValueError, NotImplementedError, RuntimeError, KeyError, AttributeError) as error:
        raise ModelError(f"{origin.directory}: CTranslate2: {one_line(error)}") from error


def _mend_config(config: Any) -> None:
    """Transformers 5 has dropped or renamed what the loaders read (CTranslate2 4.8.5)."""
    if config.model_type == "mbart" and not hasattr(config, "normalize_before"):
        config.normalize_before = config.normalize_embedding = True
    if hasattr(config, "scale_decoder_outputs"):  # T5: tie_word_embeddings means nothing any more
        config.tie_word_embeddings = config.scale_decoder_outputs


def _mend_tokenizer(tokenizer: Any) -> None:
    """M2M-100: its language tokens are in no list that the loader knows of."""
    languages = getattr(tokenizer, "lang_token_to_id", None)
    if languages:
        vocabulary = {**tokenizer.get_vocab(), **languages}
        tokenizer.get_vocab = lambda: vocabulary


def _cap_logits(spec: Any, config: Any) -> None:
    """Gemma 2 caps its logits, which the loader forgets."""
    cap = getattr(config, "final_logit_softcapping", None)
    if cap and config.model_type == "gemma2":
        spec.decoder.final_logit_softcapping = np.dtype("float32").type(cap)
