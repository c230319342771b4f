"""What Benchmarks/speed-table and Benchmarks/busy share: their programs, and files of series.

A series is one run of all works, one after another. It adds one line for each program and work to
its file; the lines of one series have the same date.
"""

from __future__ import annotations

import argparse
import csv
import os
import platform
import shlex
import statistics
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

from peers.arguments import Parser, positive

ROOT = Path(__file__).resolve().parent.parent
COLUMNS = "date commit cpu instruction_set work program version precision median least most rounds"


def fail(status: int, message: str) -> NoReturn:
    print(f"error: {message}", file=sys.stderr)
    sys.exit(status)


def parser(name: str, description: str | None) -> Parser:
    """A parser with the options of both scripts."""
    parser = Parser(name, description)
    parser.add_argument("--rounds", type=positive, default=5, help="turns of each program (5)")
    parser.add_argument("--series", type=Path, metavar="FILE", help="append the results to a CSV")
    parser.add_argument("--isa", choices=("avx2",), help="no later instructions, where possible")
    parser.add_argument(
        "--threads", type=positive, default=os.cpu_count(), help="threads of each (one a core)"
    )
    parser.add_argument(
        "--peers",
        type=Path,
        default=ROOT / ".build/benchmark-peers",
        metavar="FOLDER",
        help="where Benchmarks/install-peers put them (.build/benchmark-peers)",
    )
    parser.add_argument("--commit", help="of the program, if RESNET_PROGRAM is not this folder's")
    parser.add_argument("--date", help=argparse.SUPPRESS)
    return parser


class Series:
    """The programs of one series, and where its results go."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments
        self.date = arguments.date or datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.program = os.environ.get("RESNET_PROGRAM", str(ROOT / ".build/release/resnet"))
        self.python = arguments.peers / "bin/python"
        if not os.access(self.program, os.X_OK):
            fail(69, f"there is no program {self.program}; scripts/resnet --version builds it")
        if not self.python.exists():
            fail(69, f"there are no peers in {arguments.peers}; run Benchmarks/install-peers")
        self.version = output(self.program, "--version")
        git = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--exclude=*"]
        self.commit = arguments.commit or output(*git)
        if arguments.isa:
            os.environ["RESNET_ISA"] = arguments.isa

    def ours(self, work: str) -> str:
        """The project's command for a work such as `train resnet20 --batch 128`."""
        return f"{shlex.quote(self.program)} bench {work} --threads {self.arguments.threads} --json"

    def peer(self, work: str, options: str) -> str:
        command = [str(self.python), str(ROOT / "Benchmarks/peers")]
        limit = f" --isa {self.arguments.isa}" if self.arguments.isa else ""
        threads = f" --threads {self.arguments.threads}"
        return f"{shlex.join(command)} {work}{threads}{limit} --engine {options}"

    def append(self, work: str, document: dict[str, Any], figures: Sequence[float]) -> None:
        """Adds the line of the program that printed the document."""
        path = self.arguments.series
        if path is None:
            return
        line = {
            "date": self.date,
            "commit": self.commit,
            "cpu": f"{self.arguments.threads} threads of {cpu()}",
            # A peer that was not limited may have used any.
            "instruction_set": document["instruction_set"] or "any",
            "work": work,
            "program": program(document),
            "version": document.get("version", self.version),
            "precision": document.get("precision", "float32"),
            "median": f"{statistics.median(figures):.6g}",
            "least": f"{min(figures):.6g}",
            "most": f"{max(figures):.6g}",
            "rounds": len(figures),
        }
        new = not path.exists()
        with path.open("a", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS.split(), lineterminator="\n")
            if new:
                writer.writeheader()
            writer.writerow(line)


def program(document: dict[str, Any]) -> str:
    """The name of a peer with its settings, or `resnet`."""
    words = [document.get("engine", "resnet")]
    if "memory_format" in document:
        words.append(document["memory_format"].replace("-", " "))
    if document.get("sessions", 1) > 1:
        words.append(f"{document['sessions']} sessions")
    return ", ".join(words)


def cpu() -> str:
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def output(*command: str) -> str:
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        fail(69, f"{shlex.join(command)}: {result.stderr.strip()}")
    return result.stdout.strip()
