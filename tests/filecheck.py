"""Pass tests as text: a file holds a graph, the passes to run on it, and what the result has to look like.

::

    # RUN: simplify, cse
    # CHECK: <sum> = add(%0, %1)
    # CHECK-NEXT: mul(<sum>, {{.*}})
    # CHECK-NOT: transpose
    # ERROR: takes 2 operands
    # REFUSE: softmax
    # TARGET: onnx
    # FUSION: softmax=never
    # JOURNAL: softmax expanded

``RUN`` is a list of passes and pipelines as :func:`compiler.passes.registry.parse_passes` reads it. ``CHECK`` finds the
next line that contains the text, ``CHECK-NEXT`` must match the line right behind it, ``CHECK-NOT`` may match nowhere
between its neighbours. ``{{...}}`` is a regular expression; ``<name>`` is a value, whichever it is where the name comes
first, and the same one from there on. ``ERROR`` says that the passes must fail with this text, several of them with all
of it. The target takes all ops but those that ``REFUSE`` names; ``TARGET`` asks a real one instead, with
options as ``profile=onnxruntime``. ``FUSION`` is the config key, ``JOURNAL`` a line of the journal. The graph is
verified before and after every pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from compiler.passes.base import Context, Pass, run_pass
from compiler.passes.registry import parse_passes
from compiler.program.pipelines import PIPELINES
from compiler.program.program import make_target
from compiler.target.protocol import Accept, Executable, Reject, Target
from returnn_ir.errors import IRError, UserError
from returnn_ir.ir.graph import Graph, Node, Region
from returnn_ir.text.parser import parse_graph
from returnn_ir.text.printer import print_graph
from returnn_ir.text.verify import verify

__all__ = ["RefusingTarget", "check_file", "passes_of", "run_truthfully"]

_VALUE = re.compile(r"<[a-z]\w*>")
_DIRECTIVE = re.compile(r"#\s*(RUN|CHECK|CHECK-NEXT|CHECK-NOT|ERROR|REFUSE|TARGET|FUSION|JOURNAL):\s*(.*?)\s*$")


@dataclass(frozen=True)
class RefusingTarget:
    """Accepts all ops but some."""

    refused: tuple[str, ...] = ()
    name: str = "test"

    def accepts(self, node: Node, region: Region) -> Accept | Reject:
        return Reject("it was told to") if node.op.name in self.refused else Accept()

    def lower(self, graph: Graph) -> Executable:
        raise NotImplementedError("pass tests run nothing")


def _target(name: str, *options: str) -> Target:
    given: dict[str, str] = dict(option.split("=") for option in options)
    return make_target(name, profile=given.get("profile"), device=given.get("device"))


def check_file(path: Path) -> None:
    """Run one test file; an AssertionError shows the text that came out."""
    source = path.read_text(encoding="ascii")
    directives = list(_directives(source))
    passes = passes_of(source)
    refused = tuple(name.strip() for key, text in directives if key == "REFUSE" for name in text.split(","))
    targets = [_target(*text.split()) for key, text in directives if key == "TARGET"]
    fusion = dict(text.split("=") for key, text in directives if key == "FUSION")
    context = Context(targets[0] if targets else RefusingTarget(refused), fusion)
    expected_errors = [text for key, text in directives if key == "ERROR"]
    try:
        graph = parse_graph(source)
        verify(graph)
        for pass_ in passes:
            run_truthfully(pass_, graph, context)
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


def passes_of(source: str) -> list[Pass]:
    """The passes that a test file runs."""
    return [pass_ for key, text in _directives(source) if key == "RUN" for pass_ in parse_passes(text, PIPELINES)]


def run_truthfully(pass_: Pass, graph: Graph, context: Context) -> None:
    """Run one pass; what it says about having changed something is true. A new stage alone may count as a change."""
    before = _body(graph)
    changed = run_pass(pass_, graph, context)
    verify(graph, after=pass_.name)
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
    values: dict[str, str] = {}
    for key, wanted in checks:
        if key == "CHECK-NOT":
            forbidden.append(wanted)
            continue
        pattern = _pattern(wanted, values)
        candidates = range(position, min(position + 1, len(lines)) if key == "CHECK-NEXT" else len(lines))
        at, found = next(((i, m) for i in candidates if (m := pattern.search(lines[i]))), (None, None))
        assert at is not None and found is not None, (
            f"{key}: {wanted!r} not found from line {position + 1}, with {values}, of\n{text}"
        )
        _forbid(lines[position:at], forbidden, values, text)
        forbidden = []
        values.update(found.groupdict())
        position = at + 1
    _forbid(lines[position:], forbidden, values, text)


def _pattern(wanted: str, values: Mapping[str, str]) -> re.Pattern[str]:
    """The text as a regular expression; a name of a value is that value, or any if it is new."""
    seen: set[str] = set()

    def part(text: str) -> str:
        if text.startswith("{{"):
            return text[2:-2]
        if not _VALUE.fullmatch(text):
            return re.escape(text)
        name = text[1:-1]
        if name in values:
            return rf"{values[name]}\b"
        if name in seen:
            return rf"(?P={name})\b"
        seen.add(name)
        return rf"(?P<{name}>%\d+)\b"

    return re.compile("".join(map(part, re.split(r"(\{\{.*?\}\}|<[a-z]\w*>)", wanted))))


def _forbid(lines: Sequence[str], forbidden: Sequence[str], values: Mapping[str, str], text: str) -> None:
    for wanted in forbidden:
        found = [line for line in lines if _pattern(wanted, values).search(line)]
        assert not found, f"CHECK-NOT: {wanted!r} found in {found[0]!r}, with {values}, of\n{text}"
