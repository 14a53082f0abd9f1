"""``returnn-opt``: run passes on IR text, and print what becomes of it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from compiler.cli.command import run_command
from compiler.passes.base import Context, Pass, run_pass
from compiler.passes.lowering.legalize import check_fusion
from compiler.passes.registry import describe_passes, parse_passes, pass_text
from compiler.program.pipelines import PIPELINES
from compiler.target.protocol import Accept, Executable, Reject, Target
from returnn_ir.errors import IRError, UserError
from returnn_ir.ir.graph import Graph, Node, Region
from returnn_ir.text.op_table import describe_ops
from returnn_ir.text.parser import ParseError, parse_graph
from returnn_ir.text.printer import print_graph
from returnn_ir.text.verify import verify

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code (2: a user's error)."""
    args = _parser().parse_args(argv)
    return run_command("returnn-opt", lambda: _run_command(args), debug=args.debug)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="returnn-opt",
        description="Run passes on IR text (returnn-compile --print-ir prints it). Without --passes it is only checked "
        "and printed again.",
        epilog="The graph is verified before the first pass and after each. "
        "The result goes to stdout, everything else to stderr.",
    )
    parser.add_argument("file", nargs="?", metavar="file.ir", help="the IR text; - for stdin")
    parser.add_argument(
        "--passes",
        default="",
        metavar="A,B,C",
        help="passes and pipelines in their order; options in braces: fold_constants{max_entries=8}",
    )
    parser.add_argument(
        "--target", choices=("reference", "tf", "onnx"), help="what to compile for (default: reference)"
    )
    parser.add_argument("--opset", type=int, help="ONNX opset (default 21)")
    parser.add_argument("--profile", choices=("portable", "onnxruntime"), help="ONNX operators (default portable)")
    parser.add_argument(
        "--device",
        choices=("cpu", "gpu", "both", "cuda"),
        help="what a program for tf (cpu, gpu, both) or an ONNX file (cpu, cuda) runs on",
    )
    parser.add_argument(
        "--fusion",
        action="append",
        default=[],
        metavar="OP=WHAT",
        help="require, prefer or never fuse a composite, as the config's 'fusion'; may be repeated",
    )
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write the result here instead of to stdout")
    parser.add_argument("--print-each", action="store_true", help="print the graph after each pass that changed it")
    parser.add_argument("--explain", action="store_true", help="tell what the passes decided, and why")
    parser.add_argument("--list", action="store_true", help="list all passes and pipelines")
    parser.add_argument("--ops", action="store_true", help="list all ops: operands, attributes with types, traits")
    parser.add_argument("--debug", action="store_true", help="show a traceback for errors")
    return parser


def _run_command(args: argparse.Namespace) -> int:
    if args.ops:
        print("\n".join(describe_ops()))
        return 0
    return _list() if args.list else _optimize(args)


def _list() -> int:
    print("passes (with the stages they take, and the one they make):")
    for line in describe_passes():
        print(f"  {line}")
    print("pipelines:")
    for name, passes in PIPELINES.items():
        print(f"  {name}: {', '.join(map(pass_text, passes))}")
    return 0


def _optimize(args: argparse.Namespace) -> int:
    if args.file is None:
        raise UserError("no IR text is named", hint="a file, or - for stdin")
    passes = parse_passes(args.passes, PIPELINES) if args.passes.strip() else ()
    context = Context(
        _DeferredTarget(args.target or "reference", opset=args.opset, profile=args.profile, device=args.device),
        _fusion(args.fusion),
    )
    graph = _read(args.file)
    _verify(graph, args.file)
    for pass_ in passes:
        changed = _run(pass_, graph, context)
        if args.print_each:
            print(_after(pass_, graph) if changed else f"# {pass_text(pass_)} changed nothing", file=sys.stderr)
    if args.explain:
        print(context.journal, file=sys.stderr)
    _write(print_graph(graph), args.output)
    return 0


def _fusion(words: Sequence[str]) -> Mapping[str, str]:
    """The config's ``fusion`` from ``OP=WHAT``."""
    for word in words:
        if "=" not in word:
            raise UserError("--fusion takes OP=WHAT", expected=f"{word}=never, or another policy", received=word)
    fusion = dict(word.split("=", 1) for word in words)
    check_fusion(fusion)
    return fusion


def _read(name: str) -> Graph:
    """The graph of a file or, for ``-``, of stdin."""
    try:
        source = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"cannot read {name}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UserError(f"cannot read {name}: it is no text", received=str(error)) from error
    try:
        return parse_graph(source)
    except ParseError as error:
        error.where = f"{_shown(name)}, {error.where}"
        raise


def _shown(name: str) -> str:
    return "stdin" if name == "-" else name


def _verify(graph: Graph, name: str) -> None:
    try:
        verify(graph)
    except IRError as error:
        raise UserError(f"this graph breaks the rules: {error}", where=_shown(name)) from error


def _after(pass_: Pass, graph: Graph) -> str:
    return f"# after {pass_text(pass_)}\n{print_graph(graph).rstrip()}"


def _run(pass_: Pass, graph: Graph, context: Context) -> bool:
    """Run one pass; returns whether it changed anything, the stage included. What it breaks is told like any error."""
    before = graph.stage
    try:
        changed = run_pass(pass_, graph, context)
        verify(graph, after=pass_.name)
    except IRError as error:
        raise UserError(str(error)) from error
    return changed or graph.stage != before


def _write(text: str, path: Path | None) -> None:
    if path is None:
        print(text, end="")
        return
    try:
        path.write_text(text, encoding="ascii")
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from error


class _DeferredTarget:
    """A target whose libraries are imported when a pass asks it something."""

    def __init__(self, name: str, **options: Any) -> None:
        self.name = name
        self._options = options

    @cached_property
    def _target(self) -> Target:
        from compiler.program.program import make_target

        return make_target(self.name, **self._options)

    def accepts(self, node: Node, region: Region) -> Accept | Reject:
        """What the target says."""
        return self._target.accepts(node, region)

    def lower(self, graph: Graph) -> Executable:
        """The target's program."""
        return self._target.lower(graph)


if __name__ == "__main__":
    sys.exit(main())
