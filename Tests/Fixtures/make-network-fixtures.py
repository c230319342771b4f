"""One training step of networks, computed by PyTorch in double precision: of tiny networks for
CIFAR-10 written out here, and of torchvision's for ImageNet.

Writes Networks/<name>.json beside this script. Weights, images and velocities are drawn by `draw`
below, which the tests repeat bit for bit, so that only results are stored. Of a long tensor a sample
of entries is stored, its norm, and its product with a random vector, in which every entry counts;
of torchvision's gradients also the relative error that PyTorch itself makes in single precision.

    python make-network-fixtures.py        # needs torch, torchvision and numpy
"""
import json
import math
import pathlib

import numpy
import torch
import torch.nn.functional as F
import torchvision

from fixture_numbers import (
    BATCH, CLASSES, EPSILON, LABELS, MOMENTUM, MOMENTUM_OF_STATISTICS, RATE, SIDE, WEIGHT_DECAY, draw, summary)


class Network:
    def __init__(self, shortcut):
        self.shortcut, self.parameters, self.statistics = shortcut, {}, {}

    def parameter(self, name, shape, scale, offset=0.0):
        if name not in self.parameters:
            values = offset + scale * draw(name, math.prod(shape))
            self.parameters[name] = torch.tensor(values).reshape(shape).requires_grad_()
        return self.parameters[name]

    def statistic(self, name, channels, scale, offset):
        values = offset + scale * draw(name, channels)
        self.statistics[name] = torch.tensor(values)
        return self.statistics[name]

    def convolution(self, x, path, filters, size, stride=1):
        channels = x.shape[1]
        weight = self.parameter(
            path + ".weight", (filters, channels, size, size), math.sqrt(6 / (size * size * channels)))
        return F.conv2d(x, weight, stride=stride, padding=size // 2)

    def normalization(self, x, path):
        channels = x.shape[1]
        return F.batch_norm(
            x, self.statistic(path + ".running_mean", channels, 0.1, 0),
            self.statistic(path + ".running_var", channels, 0.5, 1),
            self.parameter(path + ".weight", (channels,), 0.5, 1),
            self.parameter(path + ".bias", (channels,), 0.25), training=True,
            momentum=MOMENTUM_OF_STATISTICS, eps=EPSILON)

    def join(self, x, path, filters, stride):
        extra = filters - x.shape[1]
        changes = extra > 0 or stride > 1
        if self.shortcut == "C" or (self.shortcut == "B" and changes):
            x = self.convolution(x, path + ".downsample.0", filters, 1, stride)
            return self.normalization(x, path + ".downsample.1")
        if not changes:
            return x
        before = extra // 2 if self.shortcut == "A-both" else 0
        return F.pad(x[:, :, ::stride, ::stride], (0, 0, 0, 0, before, extra - before))

    def __call__(self, x):
        x = F.relu(self.normalization(self.convolution(x, "conv1", 16, 3), "bn1"))
        for stage, filters in enumerate([16, 32, 64], 1):
            path, stride = f"layer{stage}.0", 2 if stage > 1 else 1
            y = F.relu(self.normalization(self.convolution(x, path + ".conv1", filters, 3, stride), path + ".bn1"))
            y = self.normalization(self.convolution(y, path + ".conv2", filters, 3), path + ".bn2")
            x = F.relu(y if self.shortcut is None else y + self.join(x, path, filters, stride))
        x = x.mean((2, 3))
        return F.linear(
            x, self.parameter("fc.weight", (CLASSES, 64), 0.5), self.parameter("fc.bias", (CLASSES,), 0.1))


def fixture(shortcut):
    network = Network(shortcut)
    images = torch.tensor(draw("images", BATCH * SIDE * SIDE * 3)).reshape(BATCH, SIDE, SIDE, 3)
    logits = network(images.permute(0, 3, 1, 2))
    loss = F.cross_entropy(logits, torch.tensor(LABELS))
    optimizer = torch.optim.SGD(
        network.parameters.values(), lr=RATE, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY)
    for name, parameter in network.parameters.items():
        velocity = 0.01 * draw("velocity/" + name, parameter.numel())
        optimizer.state[parameter]["momentum_buffer"] = torch.tensor(velocity).reshape(parameter.shape)
    loss.backward()
    result = {
        "loss": loss.item(),
        "logits": logits.flatten().tolist(),
        "gradients": {n: summary(n, p.grad) for n, p in network.parameters.items()},
    }
    optimizer.step()
    result["slots"] = {
        n: summary(n, t) for n, t in (network.parameters | network.statistics).items()}
    return result


folder = pathlib.Path(__file__).parent / "Networks"
folder.mkdir(exist_ok=True)
for name, shortcut in {
    "resnet8-A-end": "A-end", "resnet8-A-both": "A-both", "resnet8-B": "B", "resnet8-C": "C",
    "plain8": None,
}.items():
    (folder / f"{name}.json").write_text(json.dumps(fixture(shortcut), indent=0) + "\n")


class ZeroPadding(torch.nn.Module):
    """Option A: every second pixel, and zero channels behind the identity's."""

    def __init__(self, channels, stride):
        super().__init__()
        self.channels, self.stride = channels, stride

    def forward(self, x):
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.channels - x.shape[1]))


def unchanged(model):
    pass


def identity_shortcuts(model):
    for block in model.modules():
        if isinstance(block, torchvision.models.resnet.BasicBlock) and block.downsample is not None:
            block.downsample = ZeroPadding(block.conv2.out_channels, block.stride)


def stride_on_first(model):
    for block in model.modules():
        if isinstance(block, torchvision.models.resnet.Bottleneck):
            block.conv1.stride, block.conv2.stride = block.conv2.stride, block.conv1.stride


def no_shortcuts(model):
    def forward(block, x):
        x = F.relu(block.bn1(block.conv1(x)))
        return F.relu(block.bn2(block.conv2(x)))

    for block in model.modules():
        if isinstance(block, torchvision.models.resnet.BasicBlock):
            block.downsample = None
            block.forward = forward.__get__(block)


@torch.no_grad()
def initialise(model):
    """As `draw` says. Rectifiers in blocks have most of their inputs away from zero, and the last
    scale of a bottleneck is small: else rounding switches rectifiers, and each of them changes
    gradients by per cents."""
    for name, tensor in model.state_dict().items():
        shape, last = tensor.shape, name.split(".")[-1]
        if last == "num_batches_tracked":
            continue
        if name == "fc.weight":
            scale, offset = 4 / math.sqrt(shape[1]), 0
        elif name.endswith("bn3.weight"):
            scale, offset = 0.1, 0.2
        elif name.startswith("layer") and last == "bias" and "bn3" not in name:
            scale, offset = 0.25, 4
        elif len(shape) == 4:
            scale, offset = math.sqrt(6 / (shape[2] * shape[3] * shape[1])), 0
        else:
            scale, offset = {
                "running_mean": (0.1, 0), "running_var": (0.5, 1), "weight": (0.5, 1),
                "bias": (0.1 if name == "fc.bias" else 0.25, 0)}[last]
        tensor.copy_(torch.tensor(offset + scale * draw(name, tensor.numel())).reshape(shape))


def step(model, images):
    logits = model(images.permute(0, 3, 1, 2))
    loss = F.cross_entropy(logits, torch.tensor(LABELS))
    loss.backward()
    return logits, loss, {n: p.grad for n, p in model.named_parameters()}


def imagenet_fixture(depth, side, change):
    images = torch.tensor(draw("images", BATCH * side * side * 3)).reshape(BATCH, side, side, 3)
    results = []
    for precision in (torch.float64, torch.float32):
        model = getattr(torchvision.models, f"resnet{depth}")(num_classes=CLASSES)
        change(model)
        initialise(model)
        for module in model.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.eps, module.momentum = EPSILON, MOMENTUM_OF_STATISTICS
        results.append(step(model.to(precision).train(), images.to(precision)))
        if precision == torch.float64:
            statistics = {n: t for n, t in model.state_dict().items() if "running" in n}
    (logits, loss, gradients), (logits32, _, gradients32) = results

    def error(tensor, other):
        return ((other.double() - tensor).norm() / tensor.norm()).item()

    print(depth, change.__name__, "single precision:", error(logits, logits32),
          max(error(g, gradients32[n]) for n, g in gradients.items()))
    return {
        "loss": loss.item(),
        "logits": logits.flatten().tolist(),
        "gradients": {
            n: summary(n, g, sample=2) | {"singlePrecisionError": error(g, gradients32[n])}
            for n, g in gradients.items()},
        "slots": {n: summary(n, t, sample=2) for n, t in statistics.items()},
    }


for name, depth, change in [
    ("resnet18", 18, unchanged), ("resnet50", 50, unchanged),
    ("resnet18-A", 18, identity_shortcuts), ("resnet50-1x1", 50, stride_on_first),
    ("plain18", 18, no_shortcuts),
]:
    (folder / f"{name}.json").write_text(json.dumps(imagenet_fixture(depth, 64, change), indent=0) + "\n")
