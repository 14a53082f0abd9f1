"""The tool of the text tests: what it takes, and that it notices what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.filecheck import check_file

GRAPH = """graph named forward {
  dim F static 3
  %0 = param() {name="a", dtype="float32", dims=[F]} : float32[F]
  %1 = param() {name="b", dtype="float32", dims=[F]} : float32[F]
  %2 = tanh(%0) : float32[F]
  %3 = tanh(%1) : float32[F]
  %4 = sub(%3, %2) : float32[F]
  output "a" = %4 axes [F]
}
"""


def _check(folder: Path, *directives: str) -> None:
    path = folder / "test.ir"
    path.write_text("".join(f"# {line}\n" for line in directives) + GRAPH, encoding="ascii")
    check_file(path)


def test_names_stand_for_values(tmp_path: Path) -> None:
    _check(tmp_path, "RUN: cse", "CHECK: <x> = tanh(%0)", "CHECK-NEXT: <y> = tanh(%1)", "CHECK: sub(<y>, <x>)")


@pytest.mark.parametrize(
    "directives",
    [
        ("CHECK: <x> = tanh(%0)", "CHECK: sub(<x>, {{.*}})"),
        ("CHECK: sub(<x>, <x>)",),
        ("CHECK: <x> = tanh(%0)", "CHECK-NEXT: sub"),
        ("CHECK: <x> = tanh(%0)", "CHECK-NOT: {{.*}}, <x>)", "CHECK: output"),
        ("CHECK: mul",),
        ("JOURNAL: fused",),
        ("ERROR: takes 2 operands",),
    ],
    ids=["other value", "two values", "not next", "forbidden", "not there", "no journal", "no error"],
)
def test_what_is_wrong_is_noticed(tmp_path: Path, directives: tuple[str, ...]) -> None:
    with pytest.raises(AssertionError):
        _check(tmp_path, "RUN: cse", *directives)
