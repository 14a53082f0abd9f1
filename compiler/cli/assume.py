"""``--assume-files``, ``--map-path``, ``--module``: what a config finds instead of what is on its author's machine."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from returnn_ir.config import Assumed, Assumptions

__all__ = ["add_assumptions", "print_assumed", "read_assumptions"]


def add_assumptions(parser: argparse.ArgumentParser) -> None:
    """Adds the options."""
    parser.add_argument(
        "--assume-files",
        action="store_true",
        help="take paths that the config names, and that do not exist, for given; what was assumed is listed",
    )
    parser.add_argument(
        "--map-path",
        action="append",
        default=[],
        metavar="OLD=NEW",
        help="where a folder or file of the config is now, or a checkout for returnn.import_; may be repeated",
    )
    parser.add_argument(
        "--module",
        action="append",
        default=[],
        metavar="NAME=FILE",
        help="the file of a module that the config imports; may be repeated",
    )


def read_assumptions(args: argparse.Namespace) -> Assumptions:
    """What the options say.

    Raises:
        ConfigError: it cannot be read, or a file is not there.
    """
    from returnn_ir.config import Assumptions

    return Assumptions.of_words(args.assume_files, args.map_path, args.module)


def print_assumed(assumed: Iterable[Assumed]) -> None:
    """Lists to stderr what was taken for given; nothing if nothing was."""
    lines = dict.fromkeys(f"  {one}" for one in assumed)
    if lines:
        print("taken for given:", *lines, sep="\n", file=sys.stderr)
