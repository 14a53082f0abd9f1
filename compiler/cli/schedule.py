"""``--epoch``: whose network a command line is about, and the check of the other networks that a training has."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from returnn_ir.errors import UserError

if TYPE_CHECKING:
    from returnn_ir.config import Assumptions, Config
    from returnn_ir.config.network_schedule import NetworkSchedule, Stage
    from returnn_ir.construct.construct import Expanded
    from returnn_ir.network.net import Net

__all__ = ["ALL", "Networks", "epoch_number"]

ALL = "all"
_SHOWN = 8


def epoch_number(text: str) -> int | str:
    """The value of ``--epoch``: a number from 1 on, or ``all``."""
    if text == ALL:
        return text
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"an epoch is a number from 1 on, or 'all', not {text!r}")
    return int(text)


@dataclass(frozen=True)
class Networks:
    """The networks of a config's training.

    Attributes:
        epoch: the one that a command line is about.
        asked: what ``--epoch`` says; None: nothing.
    """

    config: Config
    schedule: NetworkSchedule
    epoch: int
    asked: int | str | None

    @staticmethod
    def load(
        path: str,
        overrides: Sequence[str],
        mode: str,
        asked: int | str | None,
        checkpoint: str | None,
        assume: Assumptions,
    ) -> Networks:
        """Load a config; the network is that of ``--epoch``, else that of the checkpoint, else the last one.

        Raises:
            UserError: everything that is wrong with the file.
        """
        from returnn_ir.config import load_config_for
        from returnn_ir.config.network_schedule import NetworkSchedule

        config = load_config_for(path, overrides, mode, assume=assume)
        schedule = NetworkSchedule.from_config(config)
        epoch = asked if isinstance(asked, int) else _epoch_of(checkpoint) or schedule.final_epoch
        return Networks(config, schedule, epoch, asked)

    def net(self, stage: Stage | None = None) -> Net:
        """The parsed network, or that of another stage.

        Raises:
            UserError: everything that is wrong with it.
        """
        from returnn_ir.network.net import parse_network

        stage = stage or self.schedule.stage(self.epoch)
        return parse_network(stage.network, stage.config(self.config))

    @cached_property
    def distinct(self) -> list[tuple[int, Stage]]:
        """All that are different, each with the first epoch that has it.

        Raises:
            UserError: what is wrong beside their layers.
        """
        last = self.config.int("num_epochs", 5) if callable(self.config.get("get_network")) else 0
        return self.schedule.distinct_stages(max(last, self.schedule.final_epoch) if last else None)

    def require_one(self, what: str) -> None:
        """Refuse ``--epoch all`` where one network is wanted.

        Raises:
            UserError: it is given.
        """
        if self.asked == ALL:
            epochs = [str(epoch) for epoch, _ in self.distinct]
            more = f" ... ({len(epochs)} networks)" if len(epochs) > _SHOWN else ""
            raise UserError(
                f"--epoch all is for a check alone, {what} is about one network",
                expected=f"--epoch N; another network begins in epoch {', '.join(epochs[:_SHOWN])}{more}",
            )

    def check_others(self, build: Callable[[Net], Expanded]) -> tuple[list[str], list[tuple[int, UserError]]]:
        """Build the other networks; of those that are built alike (``Stage.build_key``) the first one.

        Returns:
            A line about each, and what is wrong with them, with their epochs.
        """
        from returnn_ir.config.epoch_networks import same_network

        own = self.schedule.stage(self.epoch).built_from
        lines: list[str] = []
        problems: list[tuple[int, UserError]] = []
        built: dict[int, str] = {}
        for epoch, stage in self.distinct:
            if same_network(stage.built_from, own):
                continue
            alike = stage.build_key
            try:
                net = self.net(stage)
                if alike not in built:
                    built[alike] = "not built"  # and not again, if it cannot be
                    count = sum(param.size for param in build(net).params.values())
                    built[alike] = f"{len(net.all_layers())} layers, {count:,} parameters"
                lines.append(f"epoch {epoch}: {built[alike]}")
            except UserError as error:
                problems.append((epoch, error))
        return lines, problems


def _epoch_of(checkpoint: str | None) -> int | None:
    """The epoch in a checkpoint's name: ``net.010``, ``net.pretrain.003``."""
    found = re.search(r"\.(\d{3,})$", checkpoint or "")
    return int(found[1]) or None if found else None
