"""Questions about onnxruntime's provider: `python -m tests.gpu.probes_check`, a part of `make gpu-check`.

Whether ragged recurrent nodes are right, ties of TopK, what a step of a loop costs, what TF32 and the profile's nodes
for norms and attention do. Needs onnxruntime-gpu, onnx and NumPy.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from tests.gpu.part import Part
from tests.gpu.probes import PROBES
from tests.gpu.provider import preload

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; 1 if models that we write are wrong on the provider."""
    parser = Part.arguments("ask onnxruntime's provider")
    parser.add_argument("--probes", nargs="+", choices=list(PROBES), default=list(PROBES), help="default: all")
    args = parser.parse_args(argv)
    part = Part.of("probes", args)
    preload(part.provider)
    for name in part.each(args.probes):
        with part.kept(name):
            for answer in PROBES[name](part.provider):
                wrong = [f"{answer.question}: {answer.text}"] if answer.ok is False else []
                part.record(f"{answer.question}: {answer.text}", **answer.to_json(), wrong=wrong)
    return part.exit_code()


if __name__ == "__main__":
    sys.exit(main())
