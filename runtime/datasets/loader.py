"""Loading batches in the background, and how long the consumer waited for them."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from types import TracebackType
from typing import Self

import numpy.typing as npt

from runtime.datasets.base import Dataset
from runtime.datasets.batch import Batch, PieceReader
from runtime.datasets.pieces import BatchPlan

__all__ = ["BatchLoader"]


class BatchLoader:
    """Reads and pads batches in a thread, a few ahead of the consumer.

    Iterate once, inside a ``with`` block; leaving it stops the thread, whatever the reason. An exception of the thread
    is raised in the consumer, behind the batches before it, with a note that names the batch.
    """

    def __init__(
        self,
        dataset: Dataset,
        batches: Iterable[BatchPlan],
        *,
        keys: Collection[str] | None = None,
        dtypes: Mapping[str, npt.DTypeLike] | None = None,
        max_ahead: int = 8,
    ) -> None:
        """Nothing is read before the first batch is asked for, or the ``with`` block entered.

        Args:
            dataset: its epoch must have been started, and no other may be while the loader runs.
            batches: see ``plan_epoch``; consumed in the thread.
            keys: to read (default: all).
            dtypes: to convert to, per key.
            max_ahead: batches that are kept ready.
        """
        self._dataset = dataset
        self._batches = batches
        self._keys = keys
        self._dtypes = dtypes
        self._max_ahead = max_ahead
        self._ready: deque[Batch] = deque()
        self._changed = threading.Condition()
        self._finished = False
        self._stop = False
        self._error: BaseException | None = None
        self._thread: threading.Thread | None = None
        self._started_at: float | None = None
        self._ended_at: float | None = None
        self._waited = 0.0

    @property
    def wait_seconds(self) -> float:
        """Time that the consumer waited for batches."""
        return self._waited

    @property
    def elapsed_seconds(self) -> float:
        """Time from the start to the last batch, or until now."""
        if self._started_at is None:
            return 0.0
        return (self._ended_at or time.perf_counter()) - self._started_at

    @property
    def computing_share(self) -> float:
        """Share of the elapsed time in which the consumer did not wait, 0 to 1."""
        elapsed = self.elapsed_seconds
        return 1.0 if elapsed <= 0 else max(0.0, 1.0 - self._waited / elapsed)

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[Batch]:
        if self._stop:
            raise RuntimeError("a BatchLoader is for one iteration; make a new one")
        self._start()
        try:
            while (batch := self._next()) is not None:
                yield batch
        finally:
            self.close()

    def close(self) -> None:
        """Stop the thread and wait for its end; batches that are ready are dropped."""
        with self._changed:
            self._stop = True
            self._ready.clear()
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()
        if self._ended_at is None and self._started_at is not None:
            self._ended_at = time.perf_counter()

    def _start(self) -> None:
        if self._thread is None:
            self._started_at = time.perf_counter()
            name = f"load {self._dataset.options.name or 'dataset'}"
            self._thread = threading.Thread(target=self._run, name=name, daemon=True)
            self._thread.start()

    def _next(self) -> Batch | None:
        """The next batch; None behind the last one."""
        begin = time.perf_counter()
        with self._changed:
            self._changed.wait_for(lambda: self._ready or self._finished or self._stop)
            self._waited += time.perf_counter() - begin
            if self._ready:
                batch = self._ready.popleft()
                self._changed.notify_all()
                return batch
            if self._error is not None:
                raise self._error
        return None

    def _run(self) -> None:
        """The thread: read until the end, an error, or until told to stop."""
        number = 0
        try:
            reader = PieceReader(self._dataset, self._keys)
            for plan in self._batches:
                number += 1
                if self._stop:
                    break
                batch = reader.load(plan, self._dtypes)
                with self._changed:
                    self._changed.wait_for(lambda: self._stop or len(self._ready) < self._max_ahead)
                    if self._stop:
                        break
                    self._ready.append(batch)
                    self._changed.notify_all()
        except BaseException as error:  # anything that ends the thread must reach the consumer
            error.add_note(f"while loading batch {number} of {self._dataset.options.where}")
            self._error = error
        finally:
            with self._changed:
                self._finished = True
                self._changed.notify_all()
