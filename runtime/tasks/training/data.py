"""The datasets of a training, of which an epoch's ``#config`` may give others."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from types import TracebackType
from typing import Self

from returnn_ir.config.epoch_networks import same_network
from returnn_ir.config.network_values import copied
from runtime.datasets import Dataset
from runtime.tasks.setup import Setup

__all__ = ["TrainingData"]


class TrainingData:
    """Open datasets; those that are described in another way than before are made anew.

    Attributes:
        evaluated: the datasets to evaluate on, by name.
    """

    def __init__(self) -> None:
        self.evaluated: dict[str, Dataset] = {}
        self._train: Dataset | None = None
        self._opened: dict[str, tuple[object, Dataset]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        with ExitStack() as closing:
            for _, dataset in self._opened.values():
                closing.callback(dataset.close)

    @property
    def train(self) -> Dataset:
        """The dataset to train on."""
        if self._train is None:
            raise ValueError("no dataset was opened")
        return self._train

    def update(self, setup: Setup) -> bool:
        """Open what the options of an epoch describe; says whether anything is another dataset than before.

        Raises:
            UserError: a dataset that cannot be opened.
        """
        options, before = setup.options, [dataset for _, dataset in self._opened.values()]
        data = options.train
        train = partial(setup.dataset, "train", data, seq_ordering=options.batching)
        self._train = self._open("train", setup.described("train", data), train)
        self.evaluated = {
            name: self._open(f"eval {name}", setup.described(name, data), partial(setup.eval_dataset, name, data))
            for name, data in options.eval_datasets.items()
        }
        now = [self._train, *self.evaluated.values()]
        for name in [name for name, (_, dataset) in self._opened.items() if not any(dataset is d for d in now)]:
            self._opened.pop(name)[1].close()
        return len(before) != len(now) or any(a is not b for a, b in zip(before, now, strict=True))

    def _open(self, name: str, description: object, make: Callable[[], Dataset]) -> Dataset:
        there = self._opened.get(name)
        if there is not None and same_network(there[0], description):
            return there[1]
        dataset = make()
        if there is not None:
            there[1].close()
        self._opened[name] = copied(description), dataset
        return dataset
