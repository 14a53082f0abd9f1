"""Searches the test set of the attention example with TensorFlow and with the single ONNX file, and compares.

Usage: python examples/attention_decode.py examples/out/attention.onnx
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
from rich.console import Console
from rich.table import Table

import compiler
from compiler.program.parameters import checkpoint_parameters
from compiler.target.protocol import Array
from returnn_ir import load
from returnn_ir.config import load_config
from runtime.datasets import BatchLoader, BatchOptions, init_dataset, plan_epoch
from runtime.decoding import Hypothesis, label_error_rate, nbest_lists
from runtime.deployment.session import OnnxSession
from runtime.tasks.run_options import RunOptions
from runtime.tasks.start import find_checkpoint

CONFIG = "examples/attention.py"
LAYER = "output"
TOLERANCE = 1e-4

Lists = list[list[Hypothesis]]


def main() -> int:
    """Print error rates and differences; exit code 1 if hypotheses or scores differ."""
    config = load_config(CONFIG)
    session = OnnxSession(sys.argv[1])
    program = compiler.compile(load(CONFIG, mode="search"), target="tf", mode="search", fetch=[LAYER], losses=False)
    checkpoint = find_checkpoint(config, RunOptions.from_config(config), best=True)
    params = checkpoint_parameters(program, checkpoint)
    output = program.graph.outputs[LAYER]
    runs: dict[str, Callable[[dict[str, Array]], dict[str, Array]]] = {
        "TensorFlow": lambda feed: program.run(feed, params),
        "ONNX": lambda feed: {f"output/{name}": value for name, value in session.run(feed).items()},
    }
    found: dict[str, Lists] = {name: [] for name in runs}
    seconds = dict.fromkeys(runs, 0.0)
    references: list[list[int]] = []
    with init_dataset(config.opt_typed_value("eval"), name="eval") as dataset:
        batches = plan_epoch(dataset, 1, BatchOptions(batch_size=4000))
        with BatchLoader(dataset, batches) as loader:
            for batch in loader:
                feed = {name: value for name, value in batch.feed().items() if name in session.inputs}
                for name, run in runs.items():
                    started = time.monotonic()
                    found[name] += nbest_lists(run(feed), LAYER, output)
                    seconds[name] += time.monotonic() - started
                texts = zip(batch.data["text"], batch.lengths("text"), strict=True)
                references += [labels[:n].tolist() for labels, n in texts]
    table = Table(title=f"{len(references)} lines of scanned digits, beam of {len(found['ONNX'][0])}")
    for heading in ("program", "label error rate", "seconds"):
        table.add_column(heading, justify="left" if heading == "program" else "right")
    for name, lists in found.items():
        rate = label_error_rate((best(hypotheses), right) for hypotheses, right in zip(lists, references, strict=True))
        table.add_row(name, f"{rate:.2%}", f"{seconds[name]:.1f}")
    Console().print(table)
    different, largest = compare(found["TensorFlow"], found["ONNX"])
    Console().print(f"lists of hypotheses that differ: {different}; largest difference of scores: {largest:.2g}")
    return 0 if not different and largest <= TOLERANCE else 1


def best(hypotheses: list[Hypothesis]) -> list[int]:
    """The labels with the best score."""
    labels: list[int] = max(hypotheses, key=_score).value.tolist()
    return labels


def compare(one: Lists, other: Lists) -> tuple[int, float]:
    """How many sequences have other hypotheses or another order of them, and the largest difference of scores."""
    different, largest = 0, 0.0
    for a, b in zip(one, other, strict=True):
        same = [np.array_equal(x.value, y.value) for x, y in zip(a, b, strict=True)]
        different += not all(same)
        largest = max(largest, *(abs(_score(x) - _score(y)) for x, y in zip(a, b, strict=True)))
    return different, largest


def _score(hypothesis: Hypothesis) -> float:
    return hypothesis.score if hypothesis.score is not None else 0.0


if __name__ == "__main__":
    sys.exit(main())
