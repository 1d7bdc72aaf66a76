"""The model as Hugging Face runs it: what a converted one is compared with."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import torch

WEIGHTS = 4 << 20  # that are widened at once


class Original:
    """A model of Transformers' that has not been converted.

    CTranslate2's loaders take a model apart while they read it: this must be another copy. It
    computes in float32, whatever its weights are: see ``widen``.
    """

    def __init__(self, model: Any, tokenizer: Any) -> None:
        """Take the model."""
        self._model = widen(model.eval())
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


def widen(model: Any) -> Any:
    """Have a model compute in float32, while its matrices stay as they are: in half precision.

    A matrix is widened a few rows at a time, and every time: that costs time, and no memory.
    """
    import torch

    for module in model.modules():
        if isinstance(module, torch.nn.Linear):
            module.forward = partial(_linear, module)
        elif isinstance(module, torch.nn.Embedding):
            module.register_forward_hook(lambda _, inputs, output: output.float())
        else:
            for parameter in module.parameters(recurse=False):
                parameter.data = parameter.data.float()
    return model


def _linear(module: torch.nn.Linear, x: torch.Tensor) -> torch.Tensor:
    import torch
    from torch.nn.functional import linear

    rows = max(1, WEIGHTS // module.in_features)
    x = x.float()
    made = torch.cat([linear(x, part.float()) for part in module.weight.split(rows)], dim=-1)
    return made if module.bias is None else made + module.bias.float()
