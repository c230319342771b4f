#!/usr/bin/env python3
"""Times PyTorch on an NVIDIA GPU: what a user would otherwise pick.

  pytorch-cuda.py train CASE [--engine eager|compile] [--batch B] [--precision fp16|bf16|tf32|fp32]
  pytorch-cuda.py infer CASE [the same]

CASE: resnet20, resnet56, … (for CIFAR-10, option A) or a name of torchvision. Images are random
and lie on the GPU; channels last; automatic mixed precision with loss scaling for fp16; cuDNN chooses
algorithms by measurement. Prints one JSON object, the figure is the median step's.
"""
import argparse, json, pathlib, statistics, sys, time

import torch
import torch.nn.functional as F

sys.path.insert(0, str(pathlib.Path(__file__).parent / "peers"))
from networks import network
from work import SIDES


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
    side = SIDES.get(a.case, 224)
    classes = 10 if side == 32 else 1000
    model = network(a.case).cuda().to(memory_format=torch.channels_last)
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
