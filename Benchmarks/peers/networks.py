"""The networks in PyTorch: the paper's for CIFAR-10 with option A, and torchvision's for 224 px."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from work import SIDES


class Block(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.stride, self.extra = stride, outputs - inputs

    def forward(self, images: Tensor) -> Tensor:
        residual = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(images)))))
        if self.extra:
            if torch.jit.is_tracing():  # Not every converter knows strides of slices.
                images = F.max_pool2d(images, 1, self.stride)
            else:
                images = images[:, :, :: self.stride, :: self.stride]
            images = F.pad(images, (0, 0, 0, 0, 0, self.extra))
        return F.relu(residual + images)


class CIFARResNet(nn.Module):
    def __init__(self, depth: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.blocks = nn.Sequential()
        inputs = 16
        for outputs in (16, 32, 64):
            for _ in range((depth - 2) // 6):
                self.blocks.append(Block(inputs, outputs, 1 if inputs == outputs else 2))
                inputs = outputs
        self.fc = nn.Linear(64, 10)

    def forward(self, images: Tensor) -> Tensor:
        features = self.blocks(F.relu(self.bn1(self.conv1(images))))
        return self.fc(F.adaptive_avg_pool2d(features, 1).flatten(1))


def network(name: str) -> nn.Module:
    """A network of SIDES, or another one of torchvision, with the same random parameters always."""
    torch.manual_seed(1)
    if SIDES.get(name) == 32:
        return CIFARResNet(int(name.removeprefix("resnet")))
    import torchvision

    return torchvision.models.get_model(name)
