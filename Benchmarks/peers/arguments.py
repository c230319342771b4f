"""What the command lines of the benchmarks share."""

from __future__ import annotations

import argparse
from typing import NoReturn


class Parser(argparse.ArgumentParser):
    """Shows the text it is given as it is; a wrong usage is one line and exit status 64."""

    def __init__(self, program: str, description: str | None) -> None:
        style = argparse.RawDescriptionHelpFormatter
        super().__init__(program, description=description, formatter_class=style)

    def error(self, message: str) -> NoReturn:
        self.exit(64, f"error: {message}; {self.prog} --help lists what there is\n")


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not positive")
    return number
