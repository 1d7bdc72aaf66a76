"""Llama's architecture, written for training on short texts."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

EPSILON = 1e-6
BASE = 10_000.0  # of the rotary positions


@dataclass(frozen=True)
class Shape:
    """Sizes of the network."""

    vocabulary: int
    width: int = 320
    layers: int = 6
    heads: int = 5
    inner: int = 896


class Layer(nn.Module):
    """Attention and a gated network, each behind a norm. Queries, keys and values in one matrix."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.attention_norm = nn.RMSNorm(shape.width, EPSILON)
        self.attention_in = nn.Linear(shape.width, 3 * shape.width, bias=False)
        self.attention_out = nn.Linear(shape.width, shape.width, bias=False)
        self.inner_norm = nn.RMSNorm(shape.width, EPSILON)
        self.inner_in = nn.Linear(shape.width, 2 * shape.inner, bias=False)
        self.inner_out = nn.Linear(shape.inner, shape.width, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """[B, T, width] to the same; ``cos`` and ``sin`` are [T, width / heads]."""
        batch, length, width = x.shape
        mixed = self.attention_in(self.attention_norm(x))
        mixed = mixed.view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        turned = _turn(mixed[:2], cos.to(mixed.dtype), sin.to(mixed.dtype))
        heard = _attend(turned[0], turned[1], mixed[2])
        x = x + self.attention_out(heard.transpose(1, 2).reshape(batch, length, width))
        gate, value = self.inner_in(self.inner_norm(x)).chunk(2, -1)
        return x + self.inner_out(functional.silu(gate) * value)


def _turn(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    first, second = x.chunk(2, -1)
    return x * cos + torch.cat((-second, first), -1) * sin


def _attend(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Causal attention. Of short texts: on a CPU PyTorch's own is slower by far going back."""
    length, size = queries.shape[-2:]
    scores = queries @ keys.transpose(-1, -2) * size**-0.5
    later = torch.full((length, length), -torch.inf, dtype=scores.dtype, device=scores.device)
    return torch.softmax(scores + later.triu(1), -1).to(values.dtype) @ values


class Network(nn.Module):
    """The decoder; its input and output embeddings are one matrix."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.embedding = nn.Embedding(shape.vocabulary, shape.width)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.norm = nn.RMSNorm(shape.width, EPSILON)
        for name, weight in self.named_parameters():
            if weight.dim() == 2:
                scale = (2 * shape.layers) ** -0.5 if name.endswith("_out.weight") else 1.0
                nn.init.normal_(weight, std=scale * 0.5 * shape.width**-0.5)

    def forward(self, ids: Tensor) -> Tensor:
        """Ids [B, T] to states [B, T, width]. Padding may stand behind, never before."""
        size = self.shape.width // self.shape.heads
        turns = BASE ** -(torch.arange(0, size, 2, device=ids.device) / size)
        angles = torch.outer(torch.arange(ids.shape[1], device=ids.device), turns).repeat(1, 2)
        x = self.embedding(ids)
        cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
        for layer in self.layers:
            x = layer(x, cos, sin)
        return self.norm(x)

    def logits(self, states: Tensor) -> Tensor:
        """States [N, width] to logits [N, vocabulary]."""
        return functional.linear(states, self.embedding.weight)


def sizes(network: Network) -> dict[str, int]:
    """The shape, and how many parameters that is."""
    return {**asdict(network.shape), "parameters": sum(p.numel() for p in network.parameters())}
