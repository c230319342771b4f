"""One training step of the paper's rivals and variants, computed by PyTorch: torchvision's VGG and
GoogLeNet, and Highway, single-layer, bottleneck and pre-activation networks written out here.

Writes Networks/<name>.json beside this script, as make-network-fixtures.py does: in double precision,
with the relative error that PyTorch itself makes in single precision. VGG has narrow hidden layers, so
that the tests stay small.

    python make-rival-fixtures.py        # needs torch, torchvision and numpy
"""
import json
import math
import pathlib

import numpy
import torch
import torch.nn.functional as F
import torchvision
from torch import nn

from fixture_numbers import BATCH, CLASSES, LABELS, draw, summary

HIDDEN = 64
KEY = (1, 2)
AUXILIARY_WEIGHT = float(numpy.float32(0.3))


def mix(z):
    z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
    return z ^ (z >> numpy.uint64(31))


def derived(bits, index):
    with numpy.errstate(over="ignore"):
        return mix(numpy.uint64(bits) + numpy.uint64(0x9E3779B97F4A7C15) * (numpy.uint64(index) + numpy.uint64(1)))


class KeyedDropout(nn.Module):
    """Dropout whose mask is a function of a key, the layer's path and the index."""

    def __init__(self, path, rate):
        super().__init__()
        self.path, self.rate = path, rate

    def forward(self, x):
        state = 0xCBF29CE484222325
        for byte in self.path.encode():
            state = ((state ^ byte) * 0x100000001B3) % 2**64
        source = derived(KEY[1] << 32 | KEY[0], derived(0, state))
        with numpy.errstate(over="ignore"):
            draws = mix(source + numpy.arange(x.numel(), dtype=numpy.uint64)) >> numpy.uint64(40)
        kept = draws.astype(numpy.float32) * numpy.float32(2.0**-24) >= numpy.float32(self.rate)
        factor = float(numpy.float32(1) / (numpy.float32(1) - numpy.float32(self.rate)))
        return x * torch.tensor(kept.astype(numpy.float64) * factor, dtype=x.dtype).reshape(x.shape)


def convolution(inputs, filters, size, stride=1, bias=False):
    return nn.Conv2d(inputs, filters, size, stride, size // 2, bias=bias)


class Block(nn.Module):
    """F of a residual block, option A (zero channels behind), and perhaps a gate."""

    def __init__(self, inputs, filters, stride, kind, gated):
        super().__init__()
        self.stride, self.kind = stride, kind
        self.outputs = filters * (4 if kind == "bottleneck" else 1)
        if gated:
            self.gate = convolution(inputs, self.outputs, 1, stride, bias=True)
        sizes = {"single": [3], "basic": [3, 3], "bottleneck": [1, 3, 1]}[kind]
        self.count = len(sizes)
        channels = inputs
        for i, size in enumerate(sizes, 1):
            width = self.outputs if i == len(sizes) else filters
            strides = stride if i == (2 if kind == "bottleneck" else 1) else 1
            setattr(self, f"conv{i}", convolution(channels, width, size, strides))
            setattr(self, f"bn{i}", nn.BatchNorm2d(width))
            channels = width

    def forward(self, x):
        y = x
        for i in range(1, self.count + 1):
            y = getattr(self, f"bn{i}")(getattr(self, f"conv{i}")(y))
            if i < self.count:
                y = F.relu(y)
        shortcut = F.pad(
            x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.outputs - x.shape[1]))
        if hasattr(self, "gate"):
            share = torch.sigmoid(self.gate(x))
            return F.relu(y * share + shortcut * (1 - share))
        return F.relu(y + shortcut)


class CIFAR(nn.Module):
    def __init__(self, blocks, kind="basic", gated=False):
        super().__init__()
        self.conv1, self.bn1 = convolution(3, 16, 3), nn.BatchNorm2d(16)
        channels = 16
        for stage, filters in enumerate([16, 32, 64], 1):
            layer = nn.Sequential()
            for index in range(blocks):
                stride = 2 if stage > 1 and index == 0 else 1
                layer.append(Block(channels, filters, stride, kind, gated))
                channels = layer[-1].outputs
            setattr(self, f"layer{stage}", layer)
        self.fc = nn.Linear(channels, CLASSES)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(x.mean((2, 3)))


class Preactivated(nn.Module):
    def __init__(self, inputs, filters, stride, bottleneck):
        super().__init__()
        self.bottleneck = bottleneck
        outputs = 4 * filters if bottleneck else filters
        self.bn1 = nn.BatchNorm2d(inputs)
        if bottleneck or stride > 1:
            self.downsample = convolution(inputs, outputs, 1, stride, bias=True)
        if bottleneck:
            self.conv1 = convolution(inputs, filters, 1, bias=True)
            self.bn2, self.conv2 = nn.BatchNorm2d(filters), convolution(filters, filters, 3, stride, True)
            self.bn3, self.conv3 = nn.BatchNorm2d(filters), convolution(filters, outputs, 1, bias=True)
        else:
            self.conv1 = convolution(inputs, filters, 3, stride, True)
            self.bn2, self.conv2 = nn.BatchNorm2d(filters), convolution(filters, filters, 3, bias=True)

    def forward(self, x):
        a = F.relu(self.bn1(x))
        shortcut = self.downsample(a if self.bottleneck else x) if hasattr(self, "downsample") else x
        y = self.conv2(F.relu(self.bn2(self.conv1(a))))
        return shortcut + (self.conv3(F.relu(self.bn3(y))) if self.bottleneck else y)


class Preactivation(nn.Module):
    def __init__(self, blocks, bottleneck):
        super().__init__()
        self.conv1 = convolution(3, 32, 3, bias=True)
        channels = 32
        for stage, (filters, count) in enumerate(zip([32, 64, 128, 256], blocks), 1):
            layer = nn.Sequential()
            for index in range(count):
                stride = 2 if stage > 1 and index == 0 else 1
                layer.append(Preactivated(channels, filters, stride, bottleneck))
                channels = 4 * filters if bottleneck else filters
            setattr(self, f"layer{stage}", layer)
        self.bn = nn.BatchNorm2d(channels)
        self.fc = nn.Linear(channels, CLASSES)

    def forward(self, x):
        x = self.layer4(self.layer3(self.layer2(self.layer1(self.conv1(x)))))
        return self.fc(F.relu(self.bn(x)).mean((2, 3)))


def vgg(name, drops):
    model = getattr(torchvision.models, name)(init_weights=False, num_classes=1)

    def dropout(index):
        return KeyedDropout(f"classifier.{index}", 0.5) if drops else nn.Identity()

    model.classifier = nn.Sequential(
        nn.Linear(25088, HIDDEN), nn.ReLU(), dropout(2), nn.Linear(HIDDEN, HIDDEN), nn.ReLU(), dropout(5),
        nn.Linear(HIDDEN, CLASSES))
    return model


def googlenet(branch, side, drops):
    model = torchvision.models.googlenet(
        num_classes=CLASSES, aux_logits=True, transform_input=False, init_weights=False)
    if branch == 5:
        for name, module in model.named_modules():
            if name.endswith("branch3"):
                old = module[1].conv
                module[1].conv = nn.Conv2d(old.in_channels, old.out_channels, 5, padding=2, bias=False)
        model.maxpool4 = nn.MaxPool2d(3, 2, ceil_mode=True)
    rate = 0.4 if branch == 5 else 0.2
    model.dropout = KeyedDropout("dropout", rate) if drops else nn.Identity()
    for name in ["aux1", "aux2"]:
        head = getattr(model, name)
        head.dropout = KeyedDropout(f"{name}.dropout", 0.7) if drops else nn.Identity()
        if branch == 5 and side == 224:
            def forward(self, x):
                x = self.conv(F.avg_pool2d(x, 5, 3))
                return self.fc2(self.dropout(F.relu(self.fc1(torch.flatten(x, 1)))))
            head.forward = forward.__get__(head)
    return model


@torch.no_grad()
def initialise(model, isDeep):
    """In deep networks normalised numbers lie away from zero: else rounding switches rectifiers, and
    each of them changes gradients by per cents."""
    state = model.state_dict()
    for name, tensor in state.items():
        shape, last = tensor.shape, name.split(".")[-1]
        if last == "num_batches_tracked":
            continue
        if last == "running_mean":
            scale, offset = 0.1, 0
        elif last == "running_var":
            scale, offset = 0.5, 1
        elif len(shape) > 1:
            scale, offset = math.sqrt(6 / math.prod(shape[1:])), 0
        elif last == "weight":
            scale, offset = 0.5, 1
        elif isDeep and name.removesuffix("bias") + "running_mean" in state:
            scale, offset = 0.25, 3
        else:
            scale, offset = 0.25, -1 if name.endswith("gate.bias") else 0
        tensor.copy_(torch.tensor(offset + scale * draw(name, tensor.numel())).reshape(shape))


def step(model, images):
    result = model(images.permute(0, 3, 1, 2))
    labels = torch.tensor(LABELS)
    logits, auxiliary = (result[0], result[1:]) if isinstance(result, tuple) else (result, [])
    loss = F.cross_entropy(logits, labels)
    for other in auxiliary:
        loss = loss + AUXILIARY_WEIGHT * F.cross_entropy(other, labels)
    loss.backward()
    return logits, loss, {n: p.grad for n, p in model.named_parameters()}


def fixture(name, side, make, isDeep):
    images = torch.tensor(draw("images", BATCH * side * side * 3)).reshape(BATCH, side, side, 3)
    results = []
    for precision in (torch.float64, torch.float32):
        model = make()
        initialise(model, isDeep)
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eps = float(numpy.float32(module.eps))
                module.momentum = float(numpy.float32(0.1))
        results.append(step(model.to(precision).train(), images.to(precision)))
        if precision == torch.float64:
            statistics = {n: t for n, t in model.state_dict().items() if "running" in n}
    (logits, loss, gradients), (logits32, _, gradients32) = results

    def error(tensor, other):
        return ((other.double() - tensor).norm() / tensor.norm()).item()

    def vanishes(name):
        """Normalisation removes what a bias before it adds: rounding errors are all that is left."""
        if not name.endswith("bias"):
            return False
        return gradients[name].norm() < 1e-10 * gradients[name.removesuffix("bias") + "weight"].norm()

    print(name, "single precision:", error(logits, logits32),
          max(error(g, gradients32[n]) for n, g in gradients.items() if not vanishes(n)))
    return {
        "loss": loss.item(),
        "logits": logits.flatten().tolist(),
        "gradients": {
            n: {"norm": 0, "projection": 0, "sample": []} if vanishes(n)
            else summary(n, g, sample=2) | {"singlePrecisionError": error(g, gradients32[n])}
            for n, g in gradients.items()},
        "slots": {n: summary(n, t, sample=2) for n, t in statistics.items()},
    }


folder = pathlib.Path(__file__).parent / "Networks"
DEEP = ["preact50", "vgg19-bn", "googlenet-5x5"]
for name, side, make in [
    ("highway8", 8, lambda: CIFAR(1, gated=True)),
    ("single8", 8, lambda: CIFAR(2, "single")),
    ("bottleneck11", 8, lambda: CIFAR(1, "bottleneck")),
    ("preact18", 32, lambda: Preactivation([2, 2, 2, 2], False)),
    ("preact50", 32, lambda: Preactivation([3, 4, 6, 3], True)),
    ("vgg16", 64, lambda: vgg("vgg16", False)),
    ("vgg19-bn", 64, lambda: vgg("vgg19_bn", False)),
    ("vgg16-dropout", 64, lambda: vgg("vgg16", True)),
    ("googlenet-3x3", 64, lambda: googlenet(3, 64, False)),
    ("googlenet-3x3-dropout", 64, lambda: googlenet(3, 64, True)),
    ("googlenet-5x5", 224, lambda: googlenet(5, 224, False)),
]:
    (folder / f"{name}.json").write_text(json.dumps(fixture(name, side, make, name in DEEP), indent=0) + "\n")
