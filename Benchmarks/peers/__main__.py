"""Times what a user would otherwise pick, on processors: PyTorch, and programs for inference.

One JSON document with "images_per_second" goes to standard output: the median step's, after steps
that are not measured until they become no faster. Images are random and stay in memory; numbers are
float32. Networks have the project's names: resnet20 to resnet110 for CIFAR-10 (option A), resnet18
to resnet152 for images of 224 pixels (torchvision).
"""

from __future__ import annotations

import argparse
import functools
import importlib.metadata
import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from arguments import Parser, positive
from work import SIDES, Runner, Work, images_per_second

# The package of each engine, and whether it can be held to an instruction set.
ENGINES = {
    "eager": ("torch", True),
    "compile": ("torch", True),
    "onnxruntime": ("onnxruntime", False),
    "openvino": ("openvino", True),
    "openvino-throughput": ("openvino", True),
    "ncnn": ("ncnn", False),
    "mnn": ("MNN", False),
}


def parse() -> argparse.Namespace:
    parser = Parser("Benchmarks/peers", __doc__)
    parser.add_argument("what", choices=("train", "infer"))
    parser.add_argument("network", choices=SIDES, metavar="network")
    parser.add_argument(
        "--engine", choices=ENGINES, default="eager", help="train knows eager and compile only"
    )
    parser.add_argument("--batch", type=positive, default=128, help="images a step (128)")
    parser.add_argument("--steps", type=positive, default=20, help="steps that are measured (20)")
    parser.add_argument(
        "--warm",
        type=positive,
        default=3,
        help="steps in a row that must not be faster than those before, until one is measured (3)",
    )
    parser.add_argument(
        "--threads", type=positive, default=os.cpu_count(), help="threads (one a core)"
    )
    parser.add_argument(
        "--sessions",
        type=positive,
        default=1,
        help="so many processes side by side share the threads; their figures are added (1)",
    )
    parser.add_argument(
        "--memory-format",
        choices=("channels-last", "contiguous"),
        default="channels-last",
        help="of PyTorch (channels-last)",
    )
    parser.add_argument(
        "--isa",
        choices=("avx2",),
        help="no later instructions in PyTorch and OpenVINO; the others cannot be limited",
    )
    parser.add_argument(
        "--models", type=Path, metavar="FOLDER", help="where converted networks are kept and found"
    )
    arguments = parser.parse_args()
    if arguments.what == "train" and arguments.engine not in ("eager", "compile"):
        parser.error(f"{arguments.engine} cannot train; take --engine eager or compile")
    if arguments.threads % arguments.sessions:
        parser.error("--threads must be a multiple of --sessions")
    return arguments


def runner(what: str, engine: str, work: Work) -> Runner:
    if engine in ("eager", "compile"):
        import pytorch

        return {"train": pytorch.train, "infer": pytorch.infer}[what](work, engine == "compile")
    import runtimes

    steps: dict[str, Callable[[Work], Runner]] = {
        "onnxruntime": runtimes.onnxruntime,
        "openvino": runtimes.openvino,
        "openvino-throughput": functools.partial(runtimes.openvino, throughput=True),
        "ncnn": runtimes.ncnn,
        "mnn": runtimes.mnn,
    }
    return steps[engine](work)


def main() -> None:
    arguments = parse()
    package, limitable = ENGINES[arguments.engine]
    try:
        version = importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        print(
            f"error: {package} is not installed; Benchmarks/install-peers installs it",
            file=sys.stderr,
        )
        sys.exit(69)
    limit = arguments.isa if limitable else None
    if limit:
        os.environ |= {"ATEN_CPU_CAPABILITY": limit, "ONEDNN_MAX_CPU_ISA": limit.upper()}
    with tempfile.TemporaryDirectory() as temporary:
        work = Work(
            network=arguments.network,
            batch=arguments.batch,
            threads=arguments.threads // arguments.sessions,
            alone=arguments.sessions == 1,
            memory_format=arguments.memory_format,
            models=arguments.models or Path(temporary),
        )
        prepare = functools.partial(runner, arguments.what, arguments.engine, work)
        rate = images_per_second(prepare, arguments.sessions, arguments.warm, arguments.steps)
    document = {
        "what": arguments.what,
        "network": arguments.network,
        "engine": arguments.engine,
        "version": version,
        "precision": "float32",
        "batch": arguments.batch,
        "threads": arguments.threads,
        "sessions": arguments.sessions,
        "instruction_set": limit,
        "images_per_second": rate,
    }
    if package == "torch":
        document["memory_format"] = arguments.memory_format
    print(json.dumps(document))


if __name__ == "__main__":
    main()
