"""The run loop of all tasks: a dataset once through, a step on each batch, and somebody who takes the results.

What is done with a batch is handed in; what every task needs around it is here: batches that are loaded ahead,
progress, the feed, what stops a run, and the end of the loader whichever way the loop is left.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from compiler.program.program import Program
from compiler.target.protocol import Array
from returnn_ir.errors import DataError
from returnn_ir.ir.graph import Graph
from runtime.datasets import Batch, BatchLoader, BatchOptions, Dataset, EpochPlanner, plan_epoch
from runtime.datasets.ordering import IntArray
from runtime.tasks.feeding import checked_feed
from runtime.tasks.log import hms, log
from runtime.tasks.progress import progress

__all__ = ["EpochSummary", "RunStep", "TakeResults", "run_epoch"]

#: A feed by input name to results by fetch name, the program's checks among them: a step of ``runtime.model``, or
#: ``Program.run`` with parameters.
RunStep = Callable[[Mapping[str, Array]], Mapping[str, Array]]
#: Takes the results of a batch; returns what the progress shows.
TakeResults = Callable[[Batch, Mapping[str, Array]], str]

_SHOWN_TAGS = 5


@dataclass(frozen=True)
class EpochSummary:
    """What one pass was.

    Attributes:
        steps: the number of batches.
        num_seqs: the sequences in them.
        computing_share: the share of the time in which nobody waited for data, 0 to 1.
    """

    steps: int
    num_seqs: int
    seconds: float
    computing_share: float


def run_epoch(
    title: str,
    program: Program,
    step: RunStep,
    take: TakeResults,
    *,
    dataset: Dataset,
    epoch: int,
    batch_options: BatchOptions,
    order: IntArray | None = None,
    planner: EpochPlanner | None = None,
    keys: Collection[str] = (),
    log_every: float = 10.0,
    stop_on_nonfinite: bool = True,
) -> EpochSummary:
    """Run a step on each batch of a dataset.

    Args:
        title: what is running, for progress and messages: ``train epoch 3``.
        program: what ``step`` runs; says which data are read, and what is checked.
        take: called with each batch and its results, in order.
        dataset: stays open.
        epoch: of the dataset, from 1, which is started.
        batch_options: how batches are made.
        order: instead of the epoch's own, where the dataset has random access; by corpus index.
        planner: of a run of several epochs.
        keys: data that ``take`` wants of a batch beside what the program reads; those that the dataset has.
        log_every: seconds between lines about the progress.
        stop_on_nonfinite: refuse a score that is not finite.

    Raises:
        DataError: data that the program cannot take, a check of the program that does not hold, or such a score; with
            the batch. Whatever else ``step`` and ``take`` raise.
    """
    started = time.monotonic()
    used = {name.partition("/")[0] for name in program.input_names()} & set(dataset.specs)
    if planner is not None and order is None:
        batches = planner.plan(dataset, epoch, batch_options, keys=used)
    else:
        batches = plan_epoch(dataset, epoch, batch_options, keys=used, order=order)
    loaded = used | set(keys) & set(dataset.specs)
    loader = BatchLoader(dataset, batches, keys=loaded, enforce_min_len1=batch_options.enforce_min_len1)
    total = dataset.epoch_size(epoch) if order is None else len(order)
    steps = num_seqs = 0
    with loader, progress(title, total, log_every) as bar:
        for batch in loader:
            results = step(checked_feed(batch, program, steps, title))
            _guard(title, program.graph, batch, results, stop_on_nonfinite=stop_on_nonfinite)
            status = take(batch, results)
            steps += 1
            num_seqs += batch.new_seqs
            bar.advance(batch.new_seqs, status)
    done = EpochSummary(steps, num_seqs, time.monotonic() - started, loader.computing_share)
    share = f"{done.computing_share:.1%} computing time"
    log(f"{title}, finished after {steps} steps, {hms(done.seconds)} elapsed ({share})")
    return done


def _guard(title: str, graph: Graph, batch: Batch, results: Mapping[str, Array], *, stop_on_nonfinite: bool) -> None:
    """A failed check or a score that is not finite stops the run with the batch named."""
    tags = ", ".join(batch.seq_tags[:_SHOWN_TAGS])
    for index, (message, _) in enumerate(graph.checks):
        if not results[f"check/{index}"].all():
            raise DataError(message, where=title, received=f"batch of {tags}")
    score = results.get("objective")
    if score is not None and not math.isfinite(float(score)) and stop_on_nonfinite:
        raise DataError(
            f"the score is {float(score)}",
            where=title,
            received=f"batch with sequences {tags}{' ...' if len(batch.seq_tags) > _SHOWN_TAGS else ''}",
            hint="a lower learning rate or gradient_clip; checkpoints of earlier epochs are kept",
        )
