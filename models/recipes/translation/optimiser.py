"""Muon for the matrices, Adam for the rest, the matrices' work shared between processes.

Muon: K. Jordan and others, 2024, https://kellerjordan.github.io/posts/muon: the momentum of a
matrix is made orthogonal by Newton-Schulz steps before it is taken. On these short trainings it
needs fewer steps than Adam.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
import torch.distributed as dist
from torch import nn

if TYPE_CHECKING:
    from torch import Tensor

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
ITERATIONS = 5


def orthogonal(matrix: Tensor) -> Tensor:
    """About U V^T of the matrix's singular value decomposition U S V^T, in bfloat16."""
    a, b, c = COEFFICIENTS
    x = matrix.bfloat16()
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    x = x / (x.norm() + 1e-7)
    for _ in range(ITERATIONS):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return (x.T if tall else x).to(matrix.dtype)


class Optimiser:
    """Both, with one learning rate that scales them together."""

    def __init__(
        self, network: nn.Module, *, muon: float, adam: float, worker: int = 0, workers: int = 1
    ) -> None:
        """Peak rates: ``muon`` of the matrices inside the layers, ``adam`` of all others."""
        inside = [
            (name, weight)
            for name, weight in network.named_parameters()
            if weight.dim() == 2 and "embedding" not in name
        ]
        self.matrices = [weight for _, weight in inside]
        chosen = set(map(id, self.matrices))
        others = [weight for weight in network.parameters() if id(weight) not in chosen]
        self.momentum = [torch.zeros_like(weight) for weight in self.matrices]
        self.adam = torch.optim.AdamW(others, betas=(0.9, 0.98), weight_decay=0.0, foreach=True)
        self._rates = (muon, adam)
        self._worker, self._workers = worker, workers
        self.parameters = [*self.matrices, *others]

    def step(self, scale: float) -> None:
        """Take a step with ``scale`` times the peak rates. Gradients must be there."""
        muon, adam = (rate * scale for rate in self._rates)
        for number, (weight, momentum) in enumerate(zip(self.matrices, self.momentum, strict=True)):
            assert weight.grad is not None
            momentum.lerp_(weight.grad, 0.05)
            if number % self._workers == self._worker:
                update = orthogonal(weight.grad.lerp(momentum, 0.95))
                taller = max(1.0, weight.shape[0] / weight.shape[1]) ** 0.5
                weight.data.add_(update, alpha=-muon * taller)
        for group in self.adam.param_groups:
            group["lr"] = adam
        self.adam.step()
        if self._workers > 1:
            for number, weight in enumerate(self.matrices):
                dist.broadcast(weight.data, number % self._workers)

    def share(self) -> None:
        """Let all processes take the mean of their gradients."""
        if self._workers == 1:
            return
        gradients = [weight.grad for weight in self.parameters]
        flat = torch.cat([g.flatten() for g in gradients if g is not None])
        dist.all_reduce(flat)
        flat /= self._workers
        at = 0
        for gradient in gradients:
            assert gradient is not None
            gradient.copy_(flat[at : at + gradient.numel()].view_as(gradient))
            at += gradient.numel()

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {"momentum": self.momentum, "adam": self.adam.state_dict()}

    def load(self, state: dict[str, Any]) -> None:
        """Go on from it."""
        for mine, kept in zip(self.momentum, state["momentum"], strict=True):
            mine.copy_(kept)
        self.adam.load_state_dict(state["adam"])
