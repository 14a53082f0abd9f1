"""``--device``; of an ONNX file ``--device cuda``: where onnxruntime's CUDA provider runs its nodes."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from compiler.target.staged import staged
from returnn_ir.errors import TargetError, UserError

if TYPE_CHECKING:
    from compiler.onnx.placement.contract import PlacementContract
    from compiler.program.program import Program

__all__ = ["CUDA", "add_device_options", "placement_told", "require_cuda_options", "tell_placement"]

CUDA = "cuda"


def add_device_options(parser: argparse.ArgumentParser) -> None:
    """What a program runs on."""
    parser.add_argument(
        "--device",
        choices=("cpu", "gpu", "both", CUDA),
        help="what a program for tf runs on (default: both if it is written, else the config's, if there is one here); "
        "of an ONNX file, what it is written to be fast on: cpu (default), or cuda, which also tells which nodes "
        "onnxruntime's CUDA provider leaves to the CPU, and what is copied",
    )
    parser.add_argument(
        "--require-device",
        action="store_true",
        help="with --device cuda: a node on the CPU is an error, unless it is shape arithmetic",
    )


def require_cuda_options(args: argparse.Namespace) -> None:
    """Refuse options that ask for a placement which there is none of.

    Raises:
        UserError: the target is not onnx, or an option needs another.
    """
    if args.device == CUDA and args.target is None:
        raise UserError("--device cuda is about an ONNX file", hint="--target onnx")
    if args.device == CUDA and args.target != "onnx":
        hint = "--device gpu" if args.target == "tf" else "--target onnx"
        raise TargetError(f"target {args.target!r} has no CUDA provider", where="--device", received=CUDA, hint=hint)
    if args.require_device and args.device != CUDA:
        raise UserError("--require-device is about --device cuda", hint="--device cuda --require-device")


@contextmanager
def placement_told(args: argparse.Namespace) -> Iterator[PlacementContract | None]:
    """A contract for what is written meanwhile, None without ``--device cuda``; what it found is printed at the end."""
    if args.device != CUDA:
        yield None
        return
    from compiler.onnx.placement.contract import PlacementContract

    contract = PlacementContract(required=args.require_device)
    try:
        yield contract
    finally:
        _print(args, contract)


def tell_placement(args: argparse.Namespace, program: Program) -> None:
    """The placement of a program that is not written.

    Raises:
        UserError: parameters that do not fit, the split layout, or what the contract refuses.
    """
    from compiler.program.artifacts import read_parameters

    if args.layout == "split":
        raise UserError("--layout split has a placement for each file that is written", hint="-o FOLDER")
    executable: Any = program.executable
    values = read_parameters(program, checkpoint=args.checkpoint, params=args.params)
    with placement_told(args) as contract:
        if contract is not None:
            contract.check({"model.onnx": executable.model(values)})


def _print(args: argparse.Namespace, contract: PlacementContract) -> None:
    from compiler.onnx.placement.report import placement_lines

    several = len(contract.placements) > 1
    for name, placement in contract.placements.items():
        for line in placement_lines(placement, name if several else "", coloured=sys.stdout.isatty()):
            print(line)
    if args.json is not None and contract.placements:
        text = json.dumps({"placement": contract.to_json()}, indent=1)
        with staged(args.json.parent) as part:
            (part / args.json.name).write_text(text + "\n", encoding="utf-8")
