"""Background loading."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterator

import pytest

from returnn_ir.errors import DataError
from runtime.datasets import BatchLoader, BatchPlan, Piece, SeqInfo, Sequence, StaticDataset, StaticOptions


class Numbers(StaticDataset):
    """20 sequences of one frame; reads are counted, and fail for one index."""

    def __init__(self, bad: int | None = None) -> None:
        super().__init__(StaticOptions(data=[{"data": [i]} for i in range(20)], name="train"))
        self.bad = bad
        self.num_read = 0

    def get_seq(self, index: int, keys: Collection[str] | None = None) -> Sequence:
        self.num_read += 1
        if index == self.bad:
            raise DataError("broken sequence", where="a.hdf")
        return super().get_seq(index, keys)


def plan(*indices: int) -> BatchPlan:
    return BatchPlan(tuple(Piece(SeqInfo(index, {}), {}) for index in indices))


def pairs() -> list[BatchPlan]:
    return [plan(i, i + 1) for i in range(0, 20, 2)]


def num_threads() -> int:
    return sum(thread.name == "load train" for thread in threading.enumerate())


def test_all_batches_in_order() -> None:
    with BatchLoader(Numbers(), pairs(), max_ahead=2) as loader:
        assert [batch.data["data"].tolist() for batch in loader] == [[[i], [i + 1]] for i in range(0, 20, 2)]
    assert num_threads() == 0
    assert 0 <= loader.computing_share <= 1
    assert 0 <= loader.wait_seconds <= loader.elapsed_seconds


def test_an_error_comes_behind_the_batches_before_it_with_its_origin() -> None:
    seen = []
    with pytest.raises(DataError, match="broken sequence") as caught, BatchLoader(Numbers(bad=5), pairs()) as loader:
        for batch in loader:
            seen.append(batch.indices.tolist())
    assert seen == [[0, 1], [2, 3]]
    assert caught.value.__notes__ == ["while loading batch 3 of dataset 'train'"]
    assert "get_seq" in [entry.name for entry in caught.traceback]
    assert num_threads() == 0


def test_an_error_in_the_order_of_batches() -> None:
    def failing() -> Iterator[BatchPlan]:
        yield plan(0)
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"), BatchLoader(Numbers(), failing()) as loader:
        for _ in loader:
            pass


def test_leaving_early_stops_the_thread() -> None:
    dataset = Numbers()
    with BatchLoader(dataset, pairs(), max_ahead=1) as loader:
        for _ in loader:
            break
    assert num_threads() == 0
    assert dataset.num_read <= 6  # one batch taken, one ready, one being loaded


def test_an_error_of_the_consumer_stops_the_thread() -> None:
    with pytest.raises(KeyError), BatchLoader(Numbers(), pairs(), max_ahead=1) as loader:
        next(iter(loader))
        raise KeyError
    assert num_threads() == 0


def test_a_slow_consumer_does_not_wait_and_a_slow_dataset_is_waited_for() -> None:
    def slow() -> Iterator[BatchPlan]:
        for batch in pairs()[:3]:
            time.sleep(0.05)
            yield batch

    with BatchLoader(Numbers(), slow()) as waiting:
        assert len(list(waiting)) == 3
    assert waiting.computing_share < 0.5

    with BatchLoader(Numbers(), pairs()) as busy:
        for _ in busy:
            time.sleep(0.02)
    assert busy.computing_share > 0.5


def test_without_with_block() -> None:
    assert len(list(BatchLoader(Numbers(), pairs()))) == 10
    assert num_threads() == 0


def test_a_second_iteration_is_refused() -> None:
    with BatchLoader(Numbers(), pairs()) as loader:
        list(loader)
        with pytest.raises(RuntimeError, match="a BatchLoader is for one iteration"):
            list(loader)
