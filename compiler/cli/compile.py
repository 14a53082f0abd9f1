"""``returnn-compile``: check, print, lower and export the network of a config."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from compiler.cli.assume import add_assumptions, print_assumed, read_assumptions
from compiler.cli.command import MISMATCH, USER_ERROR, run_command
from compiler.cli.placement import CUDA, add_device_options, placement_told, require_cuda_options, tell_placement
from compiler.cli.schedule import ALL, Networks, epoch_number
from compiler.target.staged import staged
from returnn_ir.errors import Origin, ProblemList, UserError
from returnn_ir.ir.mode import Mode

if TYPE_CHECKING:
    from compiler.check import CaseReport
    from compiler.program.program import Program
    from compiler.target.fixed_batch import FixedBatch
    from returnn_ir.config.network_schedule import Stage
    from returnn_ir.construct.construct import Expanded
    from returnn_ir.ir.graph import Graph
    from returnn_ir.network.net import Net

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code (2: a user's error, 1: numbers that differ)."""
    words, overrides = _split_overrides(sys.argv[1:] if argv is None else argv)
    args = _parser().parse_args(words, argparse.Namespace(overrides=overrides))
    args.overrides += [] if args.task is None else ["++task", args.task]
    run = _compile if args.check is None else _check
    return run_command("returnn-compile", lambda: run(args), debug=args.debug)


def _split_overrides(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """The command line without ``++key value``, and these."""
    words, overrides = list(argv), []
    while (at := next((i for i, word in enumerate(words) if word.startswith("++")), None)) is not None:
        overrides += words[at : at + 2]
        del words[at : at + 2]
    return words, overrides


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="returnn-compile",
        description="Compile the network dict of a RETURNN config. Without --target it is only checked.",
        epilog='"++key value" sets an option of the config; --mode search loads it with ++task search, if --task does '
        "not say otherwise.",
    )
    parser.add_argument("nets", nargs="+", metavar="net.py", help="config files; several only with --check")
    parser.add_argument("--target", choices=("reference", "tf", "onnx"), help="what to compile for")
    parser.add_argument("-o", "--output", type=Path, metavar="PATH", help="a folder (tf) or an .onnx file")
    parser.add_argument(
        "--mode",
        choices=("forward", "eval", "train", "search"),
        help="what the network is built for (default: forward; a check alone looks at train, too)",
    )
    parser.add_argument("--task", help="the same as ++task TASK: what the config is loaded for")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--params", type=Path, metavar="REF.npz", help="parameters as param/NAME arrays")
    source.add_argument("--checkpoint", metavar="PREFIX", help="parameters of a TensorFlow checkpoint")
    parser.add_argument(
        "--print-ir",
        nargs="?",
        const="named",
        choices=("layers", "named", "masked", "target"),
        metavar="STAGE",
        help="print the IR of a stage: layers, named (default), masked or target",
    )
    parser.add_argument("--draw", type=Path, metavar="FILE.svg", help="draw the layers and what they read")
    parser.add_argument("--explain", action="store_true", help="tell what was fused, what was not, and why")
    _add_onnx_options(parser)
    parser.add_argument(
        "--epoch",
        type=epoch_number,
        metavar="N|all",
        help="whose network, where it changes (default: the last one's; a check alone looks at all)",
    )
    add_device_options(parser)
    parser.add_argument("--fetch", action="append", metavar="LAYER", help="give this layer's output; may be repeated")
    parser.add_argument(
        "--check",
        nargs="?",
        const="",
        metavar="REF.npz",
        help="compare with recorded numbers (default: beside the net)",
    )
    add_assumptions(parser)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result of --check, or the placement, here")
    parser.add_argument("--debug", action="store_true", help="show a traceback for errors")
    return parser


def _add_onnx_options(parser: argparse.ArgumentParser) -> None:
    """What a file for onnx is like."""
    parser.add_argument(
        "--layout",
        choices=("single", "split"),
        default="single",
        help="ONNX search: one file, or encoder, init, step, finish",
    )
    parser.add_argument("--batch", type=int, metavar="B", help="ONNX with fixed sizes: how many sequences a batch has")
    parser.add_argument(
        "--max-length", type=int, metavar="N", help="... and how many frames the longest one has at most"
    )
    parser.add_argument("--opset", type=int, help="ONNX opset (default 21)")
    parser.add_argument(
        "--profile",
        choices=("portable", "onnxruntime"),
        help="ONNX operators: those of the standard (default), or onnxruntime's fused ones, too",
    )


def _check(args: argparse.Namespace) -> int:
    from compiler.check import check_case
    from compiler.check.table import print_reports

    nets = [Path(n) for n in args.nets]
    if args.check.endswith(".py"):  # "--check a.py": the word belongs to the nets
        nets, args.check = [*nets, Path(args.check)], ""
    if args.check and len(nets) > 1:
        raise UserError("--check REF.npz takes one net", hint="with several nets, each has its .npz beside it")
    if args.epoch is not None:
        raise UserError("--check compares the network that was recorded", hint="leave --epoch away")
    if args.mode is not None:
        raise UserError("--check compares in the mode that was recorded", hint="leave --mode away")
    if args.require_device:
        raise UserError("--check compares numbers, not where nodes run", hint="leave --require-device away")
    require_cuda_options(args)
    reference = Path(args.check) if args.check else None
    assume = read_assumptions(args)
    target = args.target or "reference"
    if args.debug:
        logging.getLogger("compiler.check").setLevel(logging.DEBUG)
        logging.basicConfig()
    reports: list[CaseReport] = []
    for net in nets:
        options = {"overrides": args.overrides, "device": args.device, "profile": args.profile, "assume": assume}
        reports.append(check_case(net, target, reference, **options, placed=args.device == CUDA))
        if args.json is not None:  # after every net: what is known stays, whatever happens to the process
            _write_reports(args.json, reports)
    print_reports(reports)
    print_assumed(one for report in reports for one in report.assumed)
    if all(r.ok for r in reports):
        return 0
    only_refused = all(r.ok or r.refused for r in reports)
    return USER_ERROR if only_refused else MISMATCH


def _write_reports(path: Path, reports: list[CaseReport]) -> None:
    text = json.dumps({"cases": [r.to_json() for r in reports]}, indent=1)
    with staged(path.parent) as part:
        (part / path.name).write_text(text + "\n", encoding="utf-8")


def _compile(args: argparse.Namespace) -> int:
    if len(args.nets) > 1:
        raise UserError("several nets are only checked together", hint="--check")
    if args.assume_files and args.output is not None:
        raise UserError("--assume-files is for a check: nothing is written of it", hint="--map-path OLD=NEW")
    require_cuda_options(args)
    given, args.mode = args.mode, args.mode or "forward"
    assume = read_assumptions(args)
    networks = Networks.load(args.nets[0], args.overrides, args.mode, args.epoch, args.checkpoint, assume)
    try:
        return _compile_one(args, networks, given)
    finally:
        print_assumed(networks.config.assumed)


def _compile_one(args: argparse.Namespace, networks: Networks, given: str | None) -> int:
    """Do what the command line asks for with a config that is loaded."""
    for wanted in ("target", "print_ir", "draw", "explain"):
        if getattr(args, wanted):
            networks.require_one(f"--{wanted.replace('_', '-')}")
    net = networks.net()
    if args.print_ir == "layers":
        from returnn_ir.network.show import show_layers

        print(show_layers(net))
        return 0
    if args.draw is not None:
        from returnn_ir.network.draw import draw_network

        args.draw.write_text(draw_network(net), encoding="utf-8")
        print(f"wrote {args.draw}")
    _fixed(args)
    if args.target is None:
        return _check_only(args, networks, given)
    if args.checkpoint is not None:
        _require_plain_loading(net)
    program = _program(args, net)
    if args.explain:
        print(program.journal)
    if args.output is not None:
        from compiler.program.artifacts import write_artifact

        options = {"checkpoint": args.checkpoint, "params": args.params, "layout": args.layout}
        with placement_told(args) as contract:
            written = write_artifact(program, net, args.output, **options, contract=contract)
        for line in (*written, *_notes(networks, net, [program.graph])):
            print(line)
    elif args.target != "reference":
        from compiler.analysis.inference_inputs import require_inference_inputs

        require_inference_inputs(program.graph, net)
        if args.device == CUDA:
            tell_placement(args, program)
    return 0


def _fixed(args: argparse.Namespace) -> FixedBatch | None:
    """The sizes of a batch, if the file is to have them.

    Raises:
        UserError: one of the two is missing, or nothing is written that could have them.
    """
    given = {"--batch": args.batch, "--max-length": args.max_length}
    if all(size is None for size in given.values()):
        return None
    for option, size in given.items():
        if size is None:
            other = next(o for o in given if o != option)
            raise UserError(f"{other} alone fixes no sizes", hint=f"{option}, too")
    if args.target != "onnx" or args.output is None:
        raise UserError("--batch and --max-length are for an ONNX file", hint="--target onnx -o PATH")
    from compiler.target.fixed_batch import FixedBatch

    return FixedBatch(args.batch, args.max_length)


def _require_plain_loading(net: Net) -> None:
    """Refuse layers that say how they take a checkpoint's values; these are taken as they are."""
    from returnn_ir.network.option_table import OptionVerdict, refused_options

    verdicts = (OptionVerdict.LOADING, OptionVerdict.EXPORT)
    problems = [p for layer in net.all_layers() for p in refused_options(layer, net.config, *verdicts)]
    if problems:
        raise ProblemList(problems)


def _check_only(args: argparse.Namespace, networks: Networks, mode: str | None) -> int:
    """Parse, infer, expand a search, verify; with --print-ir or --explain lowered for the reference target.

    Args:
        mode: of the command line; None: also what a training builds, which has losses and targets.
    """
    if args.output is not None:
        raise UserError("-o needs a target", hint="--target onnx")
    net = networks.net()
    if args.print_ir is not None or args.explain:
        args.target = "reference"
        program = _program(args, net)
        if args.explain:
            print(program.journal)
        return 0
    problems: list[tuple[int, UserError]] = []
    built: list[Expanded] = []
    try:
        built = _built(net, args, _modes(net, args, mode))
    except UserError as error:
        problems.append((networks.epoch, error))
    lines: list[str] = []
    if args.epoch == ALL or (args.epoch is None and mode in (None, "train")):
        lines, others = networks.check_others(lambda other: _built_other(other, args, mode))
        problems += others
    if problems:
        from returnn_ir.config.network_schedule import problems_by_epoch

        raise ProblemList(problems_by_epoch(problems, first=networks.epoch))
    _print_check(args, networks, net, built, lines)
    return 0


def _print_check(
    args: argparse.Namespace, networks: Networks, net: Net, built: Sequence[Expanded], others: Sequence[str]
) -> None:
    count = sum(p.size for p in built[0].params.values())
    outputs = ", ".join(f"{name} {o.value.type}" for name, o in built[0].graph.outputs.items())
    print(f"{args.nets[0]}: {len(net.all_layers())} layers, {count:,} parameters; outputs: {outputs}")
    if args.epoch == ALL:
        for line in others:
            print(f"  {line}")
    elif others:
        print(f"  also fine: {len(others)} other networks of its training (--epoch all lists them)")
    stages = [stage for _, stage in networks.distinct] if args.epoch in (None, ALL) else []
    for line in _notes(networks, net, [made.graph for made in built], stages):
        print(line)


def _modes(net: Net, args: argparse.Namespace, mode: str | None) -> tuple[str, ...]:
    """What a check builds: the mode that is asked for, or without one, what a training has, too."""
    return (args.mode, "train") if mode is None and _trains(net) else (args.mode,)


def _trains(net: Net) -> bool:
    from returnn_ir.construct.attach_losses import has_loss

    return any(has_loss(layer.options, Mode.TRAIN) for layer in net.all_layers())


def _built_other(net: Net, args: argparse.Namespace, mode: str | None) -> Expanded:
    """A network of another epoch, which is there to be trained."""
    from compiler.program.named import check_named

    mode = mode or ("train" if _trains(net) else args.mode)
    return check_named(net, mode, losses=_wants_losses(mode))


def _built(net: Net, args: argparse.Namespace, modes: Sequence[str]) -> list[Expanded]:
    """The network in each mode.

    Raises:
        ProblemList: what is wrong with it in any of them.
    """
    from compiler.program.named import build_named

    built: list[Expanded] = []
    problems: list[UserError] = []
    for mode in modes:
        try:
            built.append(build_named(net, mode, args.fetch, losses=_wants_losses(mode)))
        except UserError as error:
            problems.append(error)
    if problems:
        raise problems[0] if len(problems) == 1 else ProblemList(problems)
    return built


def _wants_losses(mode: str) -> bool:
    """Who searches does not know the targets."""
    return mode != Mode.SEARCH


def _notes(networks: Networks, net: Net, graphs: Sequence[Graph], stages: Sequence[Stage] = ()) -> list[str]:
    """What there is to say of a net that is fine: of its layers, of keys that a training lacks, of misspelt ones."""
    from returnn_ir.config import misspelt_keys, refused_by_training
    from returnn_ir.network.option_table import refused_in_run

    lines = list(dict.fromkeys(f"note: {note}" for graph in graphs for note in graph.notes))
    options = {f"{p.where.layer}.{p.where.key}" for p in refused_in_run(net) if isinstance(p.where, Origin)}
    refused = [*refused_by_training(networks.config, stages), *sorted(options)]
    if refused:
        lines.append(f"note: a training with this config is refused: {', '.join(refused)} (returnn-run says why)")
    return lines + [f"warning: {warning}" for warning in misspelt_keys(networks.config)]


def _program(args: argparse.Namespace, net: Net) -> Program:
    from compiler.program.program import compile_net
    from returnn_ir.text.printer import print_graph

    def show(stage: str, graph: Graph) -> None:
        if stage == args.print_ir:
            print(print_graph(graph))

    return compile_net(
        net,
        target=args.target,
        mode=args.mode,
        fetch=args.fetch,
        losses=_wants_losses(args.mode),
        opset=args.opset,
        fixed=_fixed(args),
        profile=args.profile,
        device=_device(args),
        print_stage=show,
    )


def _device(args: argparse.Namespace) -> str | None:
    """What is written is taken to other machines, whatever the config trains on."""
    written = args.output is not None and args.target == "tf"
    device: str | None = args.device or ("both" if written else None)
    return device
