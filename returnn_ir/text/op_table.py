"""All ops as they are declared, for people: ``returnn-opt --ops`` and ``docs/ops.md`` show these rows."""

from __future__ import annotations

import inspect
import textwrap
from dataclasses import dataclass

from returnn_ir.ir.op import OpSpec, Precision, Tail, Trait, all_ops
from returnn_ir.ir.signature import Attr, type_text
from returnn_ir.options import DType
from returnn_ir.text.printer import print_value

__all__ = ["AttrRow", "OpRow", "describe_ops", "op_families"]

_WIDTH = 120
#: Stands for a space at which no line ends.
_UNBROKEN = "\xa0"


@dataclass(frozen=True)
class AttrRow:
    """One attribute.

    Attributes:
        default: as the IR's text has it; None where it has to be given.
    """

    name: str
    type: str
    default: str | None
    doc: str

    def __str__(self) -> str:
        return f"{self.name}: {self.type}" + (f" = {self.default}" if self.default is not None else "")


@dataclass(frozen=True)
class OpRow:
    """One op.

    Attributes:
        operands: as declared, with marks.
        traits: what passes ask of it, what it leaves behind a sequence's end included.
        precision: what it computes in where a training mixes float32 with 16 bits.
        meaning: the first paragraph of what its function says, if it says something.
    """

    name: str
    operands: tuple[str, ...]
    attrs: tuple[AttrRow, ...]
    traits: tuple[str, ...]
    precision: str
    meaning: str

    @property
    def call(self) -> str:
        """The op with its operands."""
        return f"{self.name}({', '.join(self.operands)})"


def op_families() -> dict[str, list[OpRow]]:
    """The ops by the module that defines them, primitives before composites."""
    families: dict[str, list[OpRow]] = {}
    for op in all_ops():
        families.setdefault(_family(op), []).append(_row(op))
    return {name: families[name] for name in sorted(families, key=lambda name: ("/" in name, name))}


def describe_ops() -> list[str]:
    """Lines for a terminal: families, and in each its ops nearly as the IR's text has them."""
    lines: list[str] = []
    for family, rows in op_families().items():
        lines.append(f"{family}:")
        for row in rows:
            lines += _wrapped(row)
    return lines


def _wrapped(row: OpRow) -> list[str]:
    """One op, with line breaks between attributes only."""
    attrs = ", ".join(_unbroken(str(attr)) for attr in row.attrs)
    island = row.precision == Precision.ISLAND.value
    notes = [*row.traits, *([] if island else [f"precision {row.precision}"])]
    comment = _unbroken(f"# {', '.join(notes)}")
    text = _unbroken(row.call) + (f" {{{attrs}}}" if attrs else "") + (f"  {comment}" if notes else "")
    lines = textwrap.wrap(text, _WIDTH, initial_indent="  ", subsequent_indent=" " * 6, break_on_hyphens=False)
    return [line.replace(_UNBROKEN, " ") for line in lines]


def _unbroken(text: str) -> str:
    return text.replace(" ", _UNBROKEN)


def _family(op: OpSpec) -> str:
    module = (op.body or op.infer).__module__
    return module.removeprefix("returnn_ir.ops.").replace(".", "/")


def _row(op: OpSpec) -> OpRow:
    traits = [trait.value for trait in Trait if op.has(trait)]
    if op.tail is not Tail.COMPUTED:
        traits.append(f"tail {op.tail.value}")
    attrs = tuple(_attr(name, attr) for name, attr in op.attrs.items())
    says = inspect.getdoc(op.body or op.infer) or ""
    return OpRow(
        op.name, op.operands, attrs, tuple(traits), op.precision.value, " ".join(says.split("\n\n")[0].split())
    )


def _attr(name: str, attr: Attr) -> AttrRow:
    kind = "element type" if attr.type == DType else type_text(attr.type)
    return AttrRow(name, kind, None if attr.required else print_value(attr.default), attr.doc)
