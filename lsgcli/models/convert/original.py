"""The model as Hugging Face runs it: what a converted one is compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt


class Original:
    """A model of Transformers' that has not been converted.

    CTranslate2's loaders take a model apart while they read it: this must be another copy.
    """

    def __init__(self, model: Any, tokenizer: Any) -> None:
        """Take the model."""
        self._model = model.eval()
        self._tokenizer = tokenizer
        self.size: int | None = None  # tokens of the converted one, if they are fewer

    def ids(self, names: Sequence[str]) -> list[int]:
        """The numbers of tokens given by name."""
        numbers: list[int] = self._tokenizer.convert_tokens_to_ids(list(names))
        return numbers

    def continued(self, prompt: Sequence[int], rows: int) -> npt.NDArray[np.float32]:
        """Log-probabilities behind the last ``rows`` tokens of a prompt, of shape [rows, V]."""
        return self._logp(rows, input_ids=[list(prompt)])

    def decoded(
        self, source: Sequence[str], target: Sequence[int], rows: int
    ) -> npt.NDArray[np.float32]:
        """The same of an encoder-decoder whose decoder has seen ``target``, start and all."""
        source_ids, target_ids = self.ids(source), list(target)
        return self._logp(rows, input_ids=[source_ids], decoder_input_ids=[target_ids])

    @property
    def start(self) -> list[int]:
        """What the decoder starts with; nothing, if that is for the layout to say."""
        number = self._model.config.decoder_start_token_id
        return [] if number is None else [number]

    def _logp(self, rows: int, **inputs: list[list[int]]) -> npt.NDArray[np.float32]:
        import torch

        with torch.no_grad():
            tensors = {name: torch.tensor(value) for name, value in inputs.items()}
            logits = self._model(**tensors, use_cache=False).logits[0, -rows:].float()
            logp = torch.log_softmax(logits[:, : self.size], dim=-1)
        array: npt.NDArray[np.float32] = logp.numpy().astype(np.float32)
        return array
