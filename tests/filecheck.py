"""Pass tests as text: a file holds a graph, the passes to run on it, and what the result has to look like.

::

    # RUN: simplify, cse
    # CHECK: %4 = add(%0, %1)
    # CHECK-NEXT: %5 = mul
    # CHECK-NOT: transpose
    # ERROR: takes 2 operands
    # REFUSE: softmax
    # FUSION: softmax=never
    # JOURNAL: softmax expanded

``CHECK`` finds the next line that contains the text (``{{...}}`` is a regular expression), ``CHECK-NEXT`` must match
the line right behind it, ``CHECK-NOT`` may match nowhere between its neighbours. ``ERROR`` says that the passes must
fail with this text, several of them with all of it. ``REFUSE`` names ops that the target refuses, ``FUSION`` is the
config key, ``JOURNAL`` a line of the journal. The graph is verified before and after every pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from compiler.passes.base import Context, Pass, run_pass
from compiler.passes.check_labels import KnownLabels
from compiler.program.pipelines import LOWER
from compiler.target.protocol import Accept, Executable, Reject
from returnn_ir.errors import IRError, UserError
from returnn_ir.ir.graph import Graph, Node
from returnn_ir.text.parser import parse_graph
from returnn_ir.text.printer import print_graph
from returnn_ir.text.verify import verify

__all__ = ["PASSES", "RefusingTarget", "check_file"]

PASSES: dict[str, Pass] = {pass_.name: pass_ for pass_ in (KnownLabels(), *LOWER)}
_DIRECTIVE = re.compile(r"#\s*(RUN|CHECK|CHECK-NEXT|CHECK-NOT|ERROR|REFUSE|FUSION|JOURNAL):\s*(.*?)\s*$")


@dataclass(frozen=True)
class RefusingTarget:
    """Accepts all ops but some."""

    refused: tuple[str, ...] = ()
    name: str = "test"

    def accepts(self, node: Node) -> Accept | Reject:
        return Reject("it was told to") if node.op.name in self.refused else Accept()

    def lower(self, graph: Graph) -> Executable:
        raise NotImplementedError("pass tests run nothing")


def check_file(path: Path) -> None:
    """Run one test file; an AssertionError shows the text that came out."""
    source = path.read_text(encoding="ascii")
    directives = list(_directives(source))
    passes = [PASSES[name.strip()] for key, text in directives if key == "RUN" for name in text.split(",")]
    refused = tuple(name.strip() for key, text in directives if key == "REFUSE" for name in text.split(","))
    fusion = dict(text.split("=") for key, text in directives if key == "FUSION")
    context = Context(RefusingTarget(refused), fusion)
    expected_errors = [text for key, text in directives if key == "ERROR"]
    try:
        graph = parse_graph(source)
        verify(graph)
        for pass_ in passes:
            _run(pass_, graph, context)
    except (IRError, UserError) as error:
        if not expected_errors:
            raise
        for expected in expected_errors:
            assert expected in str(error), f"expected {expected!r} in:\n{error}"
        return
    assert not expected_errors, f"no error came, expected {expected_errors[0]!r}"
    text = print_graph(graph)
    assert print_graph(parse_graph(text)) == text
    _match(text, [(k, t) for k, t in directives if k.startswith("CHECK")])
    for key, wanted in directives:
        if key == "JOURNAL":
            assert wanted in str(context.journal), f"no {wanted!r} in the journal:\n{context.journal}"


def _run(pass_: Pass, graph: Graph, context: Context) -> None:
    """Run one pass; what it says about having changed something is true. A new stage alone may count as a change."""
    before = _body(graph)
    changed = run_pass(pass_, graph, context)
    verify(graph)
    differs = _body(graph) != before
    true = changed is differs or (changed is True and pass_.ensures is not None)
    assert true, f"{pass_.name} returns {changed} for\n{before}\nthat became\n{_body(graph)}"


def _body(graph: Graph) -> str:
    """The graph as text without its first line, which has the stage."""
    return print_graph(graph).partition("\n")[2]


def _directives(source: str) -> Iterator[tuple[str, str]]:
    for line in source.splitlines():
        match = _DIRECTIVE.match(line.strip())
        if match:
            yield match.group(1), match.group(2)


def _match(text: str, checks: list[tuple[str, str]]) -> None:
    lines = text.splitlines()
    position = 0
    forbidden: list[str] = []
    for key, wanted in checks:
        pattern = _pattern(wanted)
        if key == "CHECK-NOT":
            forbidden.append(wanted)
            continue
        candidates = range(position, min(position + 1, len(lines)) if key == "CHECK-NEXT" else len(lines))
        at = next((i for i in candidates if pattern.search(lines[i])), None)
        assert at is not None, f"{key}: {wanted!r} not found from line {position + 1} of\n{text}"
        _forbid(lines[position:at], forbidden, text)
        forbidden = []
        position = at + 1
    _forbid(lines[position:], forbidden, text)


def _pattern(wanted: str) -> re.Pattern[str]:
    parts = re.split(r"(\{\{.*?\}\})", wanted)
    return re.compile("".join(p[2:-2] if p.startswith("{{") else re.escape(p) for p in parts))


def _forbid(lines: list[str], forbidden: list[str], text: str) -> None:
    for wanted in forbidden:
        found = [line for line in lines if _pattern(wanted).search(line)]
        assert not found, f"CHECK-NOT: {wanted!r} found in {found[0]!r} of\n{text}"
