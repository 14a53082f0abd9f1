"""``docs/ops.md``, made from the declarations of the ops: ``make ops``."""

from __future__ import annotations

import re
from pathlib import Path

from returnn_ir.text.op_table import AttrRow, OpRow, op_families

PAGE = Path(__file__).parents[2] / "docs" / "ops.md"

_HEAD = """# Ops of the IR

Made by `make ops` from the declarations in `returnn_ir/ops/`; a test compares. `returnn-opt --ops` prints them, too.

Operands: `x?` may be left out, of `x*` there are any number, of `x+` at least one. Attributes with a default may be
left out in the text. Builder, parser and verifier check the number of operands and the types of attributes. A float
may be written as an integer; true and false are no numbers. Traits (`returnn_ir.ir.op.Trait`) are what passes ask of
an op, and `tail` is what it leaves behind a sequence's end where it is not what the computation gives there.

Precision (`returnn_ir.ir.op.Precision`) says what an op computes in where a training mixes float32 with a type of 16
bits: an `island` in float32 (it adds many terms, or small differences or large numbers matter, or it decides), an op
that may be in `any` type in the low one (products, which become fast by it), and one that is to `follow` in that of its
operands, of several in the wider one. Parameters, constants and draws have nothing to follow: they are float32, and no
reason for others to be. An op that says nothing is an island.
"""


def ops_page() -> str:
    """The whole page."""
    parts = [_HEAD]
    for family, rows in op_families().items():
        parts.append(f"\n## {family}\n\n| op | attributes | traits | precision | meaning |\n|---|---|---|---|---|\n")
        parts.extend(_row(row) for row in rows)
    return "".join(parts)


def _row(row: OpRow) -> str:
    attrs = "<br>".join(map(_attr, row.attrs))
    meaning = re.sub("`+", "`", row.meaning)
    cells = (f"`{row.call}`", attrs, ", ".join(row.traits), row.precision, meaning)
    return "".join(f"| {cell} " if cell else "| " for cell in (c.replace("|", "\\|") for c in cells)) + "|\n"


def _attr(attr: AttrRow) -> str:
    return f"`{attr}`" + (f" {attr.doc}" if attr.doc else "")


if __name__ == "__main__":
    PAGE.write_text(ops_page(), encoding="utf-8")
    print(f"wrote {PAGE}")
