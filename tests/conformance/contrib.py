"""Which golden cases have onnxruntime's own ops in their files, where the profile may have them.

``python -m tests.conformance.contrib`` writes the list anew; the conformance tests compare it with each file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from compiler.check import check_case
from tests.conformance.gaps import GOLDEN, all_cases, gap

__all__ = ["BY_DEVICE", "DEVICE", "PROFILE", "contrib_cases"]

#: What takes the most of them; the files run on the CPU provider, too.
PROFILE, DEVICE = "onnxruntime", "cuda"

#: Cases without such ops whose files for CUDA are others than those for CPUs: they have angles or extremes of integers.
BY_DEVICE = frozenset(
    (
        "alignment/edit_distance_table",
        "alignment/own_completions_blank",
        "combine_eval/own_eval_more",
        "combine_eval/own_eval_zoo",
        "losses/ctc_beam_error",
        "losses/own_ctc_options",
        "reduce_norm/own_reduce_out_more",
        "shape/dims_same_features",
        "signal/own_complex_math",
    )
)

_LIST = Path(__file__).with_name("contrib.json")


@cache
def contrib_cases() -> Mapping[str, tuple[str, ...]]:
    """The names of the ops by case, of the cases that have some."""
    return {case: tuple(ops) for case, ops in json.loads(_LIST.read_text(encoding="utf-8")).items()}


def _write() -> None:
    found: dict[str, list[str]] = {}
    for case in all_cases():
        if gap(case, "onnx") is None:
            found[case] = list(check_case(GOLDEN / f"{case}.py", "onnx", profile=PROFILE, device=DEVICE).contrib)
    lines = [f"{json.dumps(case)}: {json.dumps(ops)}" for case, ops in found.items() if ops]
    _LIST.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    print(f"wrote {_LIST}: {len(lines)} of {len(found)} cases")


if __name__ == "__main__":
    _write()
