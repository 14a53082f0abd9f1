"""Decodes the test set of the handwriting example with TensorFlow and with onnxruntime, and compares.

python examples/handwriting_decode.py examples/out/handwriting.onnx
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import partial

from rich.console import Console
from rich.table import Table

import compiler
from compiler.program.parameters import checkpoint_parameters
from compiler.target.protocol import Array
from returnn_ir import load
from returnn_ir.config import load_config
from runtime.datasets import Batch, BatchOptions, init_dataset
from runtime.decoding import greedy_ctc, label_error_rate
from runtime.deployment.session import OnnxSession
from runtime.tasks.epoch import run_epoch
from runtime.tasks.run_options import RunOptions
from runtime.tasks.start import find_checkpoint

CONFIG = "examples/handwriting.py"


def main() -> int:
    """Print both label error rates; exit code 1 if the hypotheses differ."""
    config = load_config(CONFIG)
    session = OnnxSession(sys.argv[1])
    program = compiler.compile(load(CONFIG), target="tf", mode="forward", fetch=["output"])
    checkpoint = find_checkpoint(config, RunOptions.from_config(config), best=True)
    params = checkpoint_parameters(program, checkpoint)
    references: list[list[int]] = []
    by_tf: list[list[int]] = []
    by_onnx: list[list[int]] = []

    def take(batch: Batch, results: Mapping[str, Array]) -> str:
        lines = [d[:n] for d, n in zip(batch.data["data"], batch.lengths("data"), strict=True)]
        by_onnx.extend(greedy_ctc(p) for p in session.run_sequences(lines))
        posteriors, lengths = results["output/output"], results["output/output/size0"]
        by_tf.extend(greedy_ctc(posteriors[:n, i]) for i, n in enumerate(lengths))
        classes = zip(batch.data["classes"], batch.lengths("classes"), strict=True)
        references.extend(labels[:n].tolist() for labels, n in classes)
        return ""

    with init_dataset(config["eval"], name="eval") as dataset:
        run_epoch(
            "decode", program, partial(program.run, params=params), take,
            dataset=dataset, epoch=1, batch_options=BatchOptions(batch_size=4000), keys=["classes"],
        )  # fmt: skip
    table = Table(title=f"{len(references)} lines of scanned digits")
    table.add_column("program")
    table.add_column("label error rate", justify="right")
    for name, hypotheses in (("TensorFlow", by_tf), ("ONNX", by_onnx)):
        table.add_row(name, f"{label_error_rate(zip(hypotheses, references, strict=True)):.2%}")
    Console().print(table)
    return 0 if by_tf == by_onnx else 1


if __name__ == "__main__":
    sys.exit(main())
