"""The recogniser: Whisper's architecture and vocabulary rules, made small."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING

import numpy as np
import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import nn
from transformers import WhisperConfig, WhisperForConditionalGeneration
from transformers.modeling_outputs import BaseModelOutput
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from models.recipes.digits.corpus import ENGLISH, GERMAN

if TYPE_CHECKING:
    from pathlib import Path

MERGES = 52
SPECIAL = (
    "<|endoftext|>",
    "<|startoftranscript|>",
    "<|en|>",
    "<|de|>",
    "<|translate|>",
    "<|transcribe|>",
    "<|startoflm|>",
    "<|startofprev|>",
    "<|nospeech|>",
    "<|notimestamps|>",
)
TIMESTAMPS = tuple(f"<|{i * 0.02:.2f}|>" for i in range(1501))


def build_tokenizer() -> Tokenizer:
    """Byte-level BPE over the number words, then Whisper's tokens in Whisper's order."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=len(alphabet) + MERGES, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator([f" {word}" for word in ENGLISH + GERMAN], trainer)
    tokenizer.add_special_tokens([AddedToken(t, special=True) for t in SPECIAL])
    tokenizer.add_tokens([AddedToken(t, special=False) for t in TIMESTAMPS])
    return tokenizer


class Encoder(WhisperEncoder):
    """Whisper's encoder, for a window of any length up to 30 s."""

    def forward(self, input_features: torch.Tensor, **_: object) -> BaseModelOutput:
        """Encode (batch, mel bands, frames)."""
        hidden = nn.functional.gelu(self.conv1(input_features))
        hidden = nn.functional.gelu(self.conv2(hidden)).permute(0, 2, 1)
        hidden = hidden + self.embed_positions.weight[: hidden.shape[1]]
        hidden = nn.functional.dropout(hidden, p=self.dropout, training=self.training)
        for layer in self.layers:
            hidden = layer(hidden, None)
        return BaseModelOutput(last_hidden_state=self.layer_norm(hidden))


def _initialise(model: WhisperForConditionalGeneration) -> None:
    """Weights that so small a model learns fast from: transformers' are made for large ones."""
    for name, parameter in model.named_parameters():
        if "embed_tokens" in name:
            nn.init.normal_(parameter, std=parameter.shape[1] ** -0.5)
        elif "embed_positions" in name:
            # Sinusoids in the decoder too, and they stay: the text before the window may be
            # longer than any seen in training.
            length, width = parameter.shape
            scale = torch.exp(-torch.arange(width // 2) * (np.log(10_000) / (width // 2 - 1)))
            angle = torch.arange(length)[:, None] * scale
            size = 1.0 if "encoder" in name else 0.2
            parameter.data = size * torch.cat([angle.sin(), angle.cos()], dim=1)
            parameter.requires_grad_(False)
        elif parameter.dim() == 3:
            nn.init.kaiming_normal_(parameter, nonlinearity="relu")
        elif parameter.dim() == 2:
            nn.init.xavier_uniform_(parameter)
    for layer in model.model.encoder.layers:  # look at what is near and alike, to begin with
        layer.self_attn.k_proj.weight.data.copy_(layer.self_attn.q_proj.weight.data)


def build_model(
    tokenizer: Tokenizer, width: int, encoder_layers: int, decoder_layers: int, heads: int
) -> WhisperForConditionalGeneration:
    """A new model."""
    end = tokenizer.token_to_id("<|endoftext|>")
    config = WhisperConfig(
        vocab_size=tokenizer.get_vocab_size(),
        num_mel_bins=80,
        d_model=width,
        encoder_layers=encoder_layers,
        decoder_layers=decoder_layers,
        encoder_attention_heads=heads,
        decoder_attention_heads=heads,
        encoder_ffn_dim=4 * width,
        decoder_ffn_dim=4 * width,
        max_source_positions=1500,
        max_target_positions=448,
        dropout=0.05,
        pad_token_id=end,
        bos_token_id=end,
        eos_token_id=end,
        decoder_start_token_id=tokenizer.token_to_id("<|startoftranscript|>"),
        suppress_tokens=[],
        begin_suppress_tokens=[],
        attn_implementation="sdpa",
    )
    model = WhisperForConditionalGeneration(config)
    model.model.encoder = Encoder(config)
    _initialise(model)
    # The cross attention of the decoder is supervised, so its weights are needed.
    eager = copy.deepcopy(config)
    eager._attn_implementation = "eager"
    for layer in model.model.decoder.layers:
        layer.encoder_attn.config = eager
    return model


class LogMel(nn.Module):
    """The features of faster_whisper.feature_extractor.FeatureExtractor, for a batch."""

    def __init__(self) -> None:
        super().__init__()
        from faster_whisper.feature_extractor import FeatureExtractor

        extractor = FeatureExtractor()
        self.register_buffer("mel", torch.from_numpy(np.array(extractor.mel_filters)))
        window = np.hanning(401)[:-1].astype("float32")
        self.register_buffer("window", torch.from_numpy(window))

    @torch.no_grad()
    def forward(self, audio: torch.Tensor) -> torch.Tensor:
        """(batch, samples) to (batch, 80, samples / 160 + 1)."""
        audio = nn.functional.pad(audio, (0, 160))
        spectrum = torch.stft(
            audio, 400, 160, window=self.window, center=True, return_complex=True
        )[..., :-1]
        power = spectrum.real**2 + spectrum.imag**2
        log = torch.log10((self.mel @ power).clamp(min=1e-10))
        log = torch.maximum(log, log.amax(dim=(1, 2), keepdim=True) - 8.0)
        return (log + 4.0) / 4.0


def save(model: WhisperForConditionalGeneration, tokenizer: Tokenizer, path: Path) -> None:
    """Write what CTranslate2's converter reads."""
    path.mkdir(parents=True, exist_ok=True)
    model.config.save_pretrained(path)
    model.save_pretrained(path)
    tokenizer.save(str(path / "tokenizer.json"), pretty=False)
    (path / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|endoftext|>"})
    )
    (path / "preprocessor_config.json").write_text(
        json.dumps(
            {
                "chunk_length": 30,
                "feature_extractor_type": "WhisperFeatureExtractor",
                "feature_size": 80,
                "hop_length": 160,
                "n_fft": 400,
                "n_samples": 480000,
                "nb_max_frames": 3000,
                "padding_side": "right",
                "padding_value": 0.0,
                "processor_class": "WhisperProcessor",
                "return_attention_mask": False,
                "sampling_rate": 16000,
            },
            indent=2,
        )
        + "\n"
    )
