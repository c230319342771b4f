"""Ten steps of training with frozen layers, computed by PyTorch: their parameters need no gradient, and
their batch normalisations are in eval().

Writes Freezing/<name>.json beside this script: the loss of every step, and what the tensors are in the
end, in double precision, with the relative error that PyTorch itself makes in single precision. First
values, images and labels are drawn by `draw`, which the tests repeat bit for bit.

    python make-freezing-fixtures.py        # needs torch and numpy
"""
import json
import math
import pathlib

import numpy
import torch
import torch.nn.functional as F
from torch import nn

from fixture_numbers import CLASSES, EPSILON, MOMENTUM, MOMENTUM_OF_STATISTICS, SIDE, WEIGHT_DECAY, draw, summary

BATCH, STEPS, RATE = 4, 10, 0.01
LABELS = [7, 2, 0, 2]


def normalization(channels):
    return nn.BatchNorm2d(channels, eps=EPSILON, momentum=MOMENTUM_OF_STATISTICS)


class Block(nn.Module):
    def __init__(self, inputs, filters, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, filters, 3, stride, 1, bias=False)
        self.bn1 = normalization(filters)
        self.conv2 = nn.Conv2d(filters, filters, 3, 1, 1, bias=False)
        self.bn2 = normalization(filters)
        self.downsample = nn.Sequential()
        if stride > 1:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, filters, 1, stride, bias=False), normalization(filters))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + self.downsample(x))


class ResNet8(nn.Module):
    """The paper's network of 6n + 2 layers with n = 1 and shortcut option B."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = normalization(16)
        self.layer1 = nn.Sequential(Block(16, 16, 1))
        self.layer2 = nn.Sequential(Block(16, 32, 2))
        self.layer3 = nn.Sequential(Block(32, 64, 2))
        self.fc = nn.Linear(64, CLASSES)

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(F.relu(self.bn1(self.conv1(x))))))
        return self.fc(x.mean((2, 3)))


@torch.no_grad()
def initialise(model):
    for name, tensor in model.state_dict().items():
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
        else:
            scale, offset = 0.25, 0
        tensor.copy_(torch.tensor(offset + scale * draw(name, tensor.numel())).reshape(shape))


def train(is_frozen, precision):
    model = ResNet8()
    initialise(model)
    model.to(precision).train()
    for name, parameter in model.named_parameters():
        parameter.requires_grad = not is_frozen(name)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d) and not any(p.requires_grad for p in module.parameters()):
            module.eval()
    optimizer = torch.optim.SGD(
        [p for p in model.parameters() if p.requires_grad], lr=RATE, momentum=MOMENTUM,
        weight_decay=WEIGHT_DECAY)
    losses = []
    for step in range(STEPS):
        images = torch.tensor(draw(f"images/{step}", BATCH * SIDE * SIDE * 3), dtype=precision)
        logits = model(images.reshape(BATCH, SIDE, SIDE, 3).permute(0, 3, 1, 2))
        loss = F.cross_entropy(logits, torch.tensor(LABELS))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, {n: t for n, t in model.state_dict().items() if not n.endswith("num_batches_tracked")}


def fixture(is_frozen):
    losses, tensors = train(is_frozen, torch.float64)
    losses32, tensors32 = train(is_frozen, torch.float32)
    errors = {n: ((tensors32[n].double() - t).norm() / t.norm()).item() for n, t in tensors.items()}
    error = max(abs(a - b) / a for a, b in zip(losses, losses32))
    print("single precision: losses", error, "tensors", max(errors.values()))
    return {
        "losses": losses,
        "singlePrecisionError": error,
        "slots": {n: summary(n, t, sample=2) | {"singlePrecisionError": errors[n]} for n, t in tensors.items()},
    }


def below(*paths):
    return lambda name: any((name + ".").startswith(path + ".") for path in paths)


folder = pathlib.Path(__file__).parent / "Freezing"
folder.mkdir(exist_ok=True)
for name, is_frozen in {
    "first": below("conv1", "bn1", "layer1"),
    # Gradients flow through frozen layers; a normalisation of which one parameter is trained is not frozen.
    "middle": below("layer2", "layer3.0.bn2.bias"),
    "all-but-head": lambda name: not below("fc")(name),
}.items():
    (folder / f"{name}.json").write_text(json.dumps(fixture(is_frozen), indent=0) + "\n")
