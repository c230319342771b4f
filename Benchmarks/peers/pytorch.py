"""Steps of PyTorch, eager or compiled."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from networks import network
from torch import Tensor, nn
from work import Runner, Work

MEMORY_FORMATS = {"contiguous": torch.contiguous_format, "channels-last": torch.channels_last}


def prepare(work: Work) -> tuple[nn.Module, Tensor]:
    """The network and its images in the memory format of choice."""
    torch.set_num_threads(work.threads)
    form = MEMORY_FORMATS[work.memory_format]
    images = torch.rand(work.shape) - 0.5
    return network(work.network).to(memory_format=form), images.to(memory_format=form)


def train(work: Work, compiled: bool) -> Runner:
    """Forward, loss, backward and update."""
    model, images = prepare(work)
    labels = torch.arange(work.batch) % work.classes
    optimizer = torch.optim.SGD(
        model.parameters(), 0.001, momentum=0.9, weight_decay=1e-4, fused=True
    )

    def loss() -> Tensor:
        return F.cross_entropy(model(images), labels)

    forward = torch.compile(loss) if compiled else loss

    def step() -> None:
        optimizer.zero_grad()
        forward().backward()
        optimizer.step()

    return Runner(step, work.batch)


def infer(work: Work, compiled: bool) -> Runner:
    """Forward; compiled with the parameters as constants, so that normalisations are folded."""
    model, images = prepare(work)
    model.eval()
    forward = torch.compile(model, options={"freezing": True}) if compiled else model

    @torch.inference_mode()
    def step() -> Tensor:
        return forward(images)

    return Runner(step, work.batch)
