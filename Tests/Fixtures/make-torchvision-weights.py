"""torchvision's ResNets with random weights, and what they make of two random images.

Writes NAME.pth, NAME.safetensors, NAME-input.npy and NAME-logits.npy into a folder, for resnet18 to
resnet152: the tests that RESNET_TORCHVISION opens. They are too large to be kept.

    python make-torchvision-weights.py FOLDER        # needs torch, torchvision, safetensors and numpy
"""
import pathlib
import sys

import numpy
import torch
import torchvision
from safetensors.torch import save_file

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
for depth in (18, 34, 50, 101, 152):
    name = f"resnet{depth}"
    torch.manual_seed(depth)
    network = getattr(torchvision.models, name)(weights=None)
    with torch.no_grad():
        # Two steps move the running statistics away from zero and one.
        for _ in range(2):
            network.train()(torch.randn(4, 3, 224, 224))
        images = torch.randn(2, 3, 224, 224)
        logits = network.eval()(images)
    torch.save(network.state_dict(), folder / f"{name}.pth")
    save_file(network.state_dict(), folder / f"{name}.safetensors")
    numpy.save(folder / f"{name}-input.npy", images.numpy())
    numpy.save(folder / f"{name}-logits.npy", logits.numpy())
