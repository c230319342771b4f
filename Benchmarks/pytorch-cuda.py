#!/usr/bin/env python3
"""Times PyTorch on an NVIDIA GPU: what a user would otherwise pick.

  pytorch-cuda.py train CASE [--engine eager|compile] [--batch B] [--precision fp16|bf16|tf32|fp32]
  pytorch-cuda.py infer CASE [the same]

CASE: cifar20, cifar56, … (the paper's networks, option A) or a name of torchvision. Images are random
and lie on the GPU; channels last; automatic mixed precision with loss scaling for fp16; cuDNN chooses
algorithms by measurement. Prints one JSON object, the figure is the median step's.
"""
import argparse, json, statistics, time

import torch
from torch import nn
import torch.nn.functional as F


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.stride, self.extra = stride, outputs - inputs

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.extra:
            x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.extra))
        return F.relu(y + x)


def cifar(depth):
    width, layers = 16, [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    for stage, outputs in enumerate((16, 32, 64)):
        for block in range((depth - 2) // 6):
            layers.append(Block(width, outputs, 2 if stage and block == 0 else 1))
            width = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["train", "infer"])
    parser.add_argument("case")
    parser.add_argument("--engine", choices=["eager", "compile"], default="eager")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--precision", choices=["fp16", "bf16", "tf32", "fp32"], default="fp16")
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--warm", type=int, default=10)
    a = parser.parse_args()
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = a.precision == "tf32"
    if a.case.startswith("cifar"):
        model, side, classes = cifar(int(a.case[5:])), 32, 10
    else:
        import torchvision
        model, side, classes = torchvision.models.__dict__[a.case](), 224, 1000
    model = model.cuda().to(memory_format=torch.channels_last)
    model.train(a.what == "train")
    x = torch.randn(a.batch, 3, side, side, device="cuda").to(memory_format=torch.channels_last)
    y = torch.randint(0, classes, (a.batch,), device="cuda")
    half = {"fp16": torch.float16, "bf16": torch.bfloat16}.get(a.precision)
    run = torch.compile(model, mode=None if a.what == "train" else "reduce-overhead") if a.engine == "compile" else model
    sgd = torch.optim.SGD(model.parameters(), 0.001, momentum=0.9, weight_decay=1e-4)
    scaler = torch.amp.GradScaler("cuda", enabled=a.precision == "fp16")

    def train():
        sgd.zero_grad(set_to_none=True)
        with torch.autocast("cuda", dtype=half, enabled=half is not None):
            loss = F.cross_entropy(run(x), y)
        scaler.scale(loss).backward()
        scaler.step(sgd)
        scaler.update()

    def infer():
        with torch.inference_mode(), torch.autocast("cuda", dtype=half, enabled=half is not None):
            run(x)

    step = train if a.what == "train" else infer
    begin = time.perf_counter()
    times = []
    for i in range(a.warm + a.steps):
        start = time.perf_counter()
        step()
        torch.cuda.synchronize()
        if i == 0:
            first = time.perf_counter() - begin
        if i >= a.warm:
            times.append(time.perf_counter() - start)
    seconds = statistics.median(times)
    print(json.dumps(dict(
        what=a.what, case=a.case, engine=a.engine, batch=a.batch, precision=a.precision,
        device=torch.cuda.get_device_name(), images_per_second=round(a.batch / seconds, 1),
        seconds_per_step=seconds, seconds_to_first_step=round(first, 2), torch=torch.__version__,
        cudnn=torch.backends.cudnn.version())), flush=True)


main()
