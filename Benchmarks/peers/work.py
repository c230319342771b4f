"""What is timed, and how: the medians of steps, in one session or in several side by side."""

from __future__ import annotations

import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import connection
from multiprocessing.queues import SimpleQueue
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Barrier, Lock
from pathlib import Path

# The side of the images that each network takes.
SIDES = {f"resnet{depth}": 32 for depth in (20, 32, 44, 56, 110)}
SIDES |= {f"resnet{depth}": 224 for depth in (18, 34, 50, 101, 152)}


@dataclass(frozen=True)
class Work:
    """A network that runs on batches of random images, and the settings of one session."""

    network: str
    batch: int
    threads: int
    alone: bool  # No other session runs beside it.
    memory_format: str
    models: Path

    @property
    def classes(self) -> int:
        return 10 if SIDES[self.network] == 32 else 1000

    @property
    def shape(self) -> tuple[int, int, int, int]:
        return (self.batch, 3, SIDES[self.network], SIDES[self.network])


@dataclass(frozen=True)
class Runner:
    """A step that is ready to run, and how many images it takes."""

    step: Callable[[], object]
    images: int


def seconds(step: Callable[[], object]) -> float:
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


def warm_up(step: Callable[[], object], count: int) -> None:
    """Runs steps until `count` in a row are no faster, by a thirtieth, than all before them."""
    best, since = float("inf"), 0
    while since < count:
        duration = seconds(step)
        since = 0 if duration < best * 29 / 30 else since + 1
        best = min(best, duration)


def images_per_second(prepare: Callable[[], Runner], sessions: int, warm: int, steps: int) -> float:
    """What so many sessions reach together, each a process of its own.

    They are prepared one after another, then run at the same time until each has done its steps.
    """
    context = multiprocessing.get_context("fork")
    turn, ready = context.Lock(), context.Barrier(sessions)
    finished: Synchronized[int] = context.Value("i", 0)
    rates: SimpleQueue[float] = context.SimpleQueue()
    arguments = (prepare, warm, steps, turn, ready, finished, rates)
    processes = [context.Process(target=session, args=arguments) for _ in range(sessions)]
    for process in processes:
        process.start()
    alive = processes
    while alive:
        connection.wait([process.sentinel for process in alive])
        if any(process.exitcode for process in processes):
            for process in processes:
                process.terminate()
            sys.exit(69)
        alive = [process for process in alive if process.is_alive()]
    return sum(rates.get() for _ in processes)


def session(
    prepare: Callable[[], Runner],
    warm: int,
    steps: int,
    turn: Lock,
    ready: Barrier,
    finished: Synchronized[int],
    rates: SimpleQueue[float],
) -> None:
    os.dup2(2, 1)  # The document alone goes to standard output; engines print there too.
    try:
        with turn:
            runner = prepare()
        warm_up(runner.step, warm)
    except Exception as error:
        sys.exit(f"error: {type(error).__name__}: " + " ".join(str(error).split()))
    ready.wait()
    times: list[float] = []
    while finished.value < ready.parties:
        times.append(seconds(runner.step))
        if len(times) == steps:
            with finished.get_lock():
                finished.value += 1
    rates.put(runner.images / statistics.median(times))
