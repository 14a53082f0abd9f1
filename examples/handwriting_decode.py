"""Decodes the test set of the handwriting example with TensorFlow and with onnxruntime, and compares.

python examples/handwriting_decode.py examples/out/handwriting.onnx
"""

from __future__ import annotations

import sys

from rich.console import Console
from rich.table import Table

import compiler
from returnn_ir import load
from returnn_ir.config import load_config
from runtime.datasets import BatchLimits, BatchLoader, init_dataset, make_batches
from runtime.decoding import greedy_ctc, label_error_rate
from runtime.deployment.session import OnnxSession
from runtime.tasks.forward import read_params
from runtime.tasks.train import Engine

CONFIG = "examples/handwriting.py"


def main() -> int:
    """Print both label error rates; exit code 1 if the hypotheses differ."""
    config = load_config(CONFIG)
    session = OnnxSession(sys.argv[1])
    program = compiler.compile(load(CONFIG), target="tf", mode="forward", fetch=["output"])
    params = read_params(Engine(config).checkpoint(best=True), program)
    dataset = init_dataset(config["eval"], name="eval")
    batches = make_batches(dataset, dataset.init_epoch(1), BatchLimits(batch_size=4000))
    references: list[list[int]] = []
    by_tf: list[list[int]] = []
    by_onnx: list[list[int]] = []
    with BatchLoader(dataset, batches) as loader:
        for batch in loader:
            feed = batch.feed()
            lines = [d[:n] for d, n in zip(batch.data["data"], batch.lengths("data"), strict=True)]
            by_onnx += [greedy_ctc(p) for p in session.run_sequences(lines)]
            results = program.run(feed, params)
            posteriors, lengths = results["output/output"], results["output/output/size0"]
            by_tf += [greedy_ctc(posteriors[:n, i]) for i, n in enumerate(lengths)]
            classes = zip(batch.data["classes"], batch.lengths("classes"), strict=True)
            references += [labels[:n].tolist() for labels, n in classes]
    table = Table(title=f"{len(references)} lines of scanned digits")
    table.add_column("program")
    table.add_column("label error rate", justify="right")
    for name, hypotheses in (("TensorFlow", by_tf), ("ONNX", by_onnx)):
        table.add_row(name, f"{label_error_rate(zip(hypotheses, references, strict=True)):.2%}")
    Console().print(table)
    return 0 if by_tf == by_onnx else 1


if __name__ == "__main__":
    sys.exit(main())
