"""What a config says of how datasets are cut, for those that say nothing themselves; by RETURNN's rules for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from returnn_ir.config import Config
from returnn_ir.config.read import read_config
from returnn_ir.errors import ConfigError
from returnn_ir.options import Range
from runtime.datasets.batch_options import BatchSize
from runtime.datasets.chunking import Chunking, Chunks, Context, ContextWindow, MinChunkSize

__all__ = ["DatasetDefaults"]

#: Those that RETURNN makes with other defaults than a training's; further ``eval_datasets`` have none at all.
_EVALUATED = ("dev", "eval")
_SINGLE_FRAMES = 1


@dataclass(frozen=True, kw_only=True)
class _Keys:
    """The config's options for how sequences are cut.

    Attributes:
        chunk_eval: ``chunking`` is for dev and eval, too.
        on_size_limit: what happens with sequences of dev and eval that are longer than ``batch_size``.
    """

    batch_size: BatchSize = 1
    chunking: Chunking = None
    chunking_variance: Annotated[float, Range(0)] = 0.0
    min_chunk_size: MinChunkSize = 0
    context_window: ContextWindow = field(default_factory=Context)
    window: Annotated[int, Range(0)] = 0
    chunk_eval: bool = False
    on_size_limit: Literal["ignore", "chunk"] = "ignore"


@dataclass(frozen=True)
class DatasetDefaults:
    """Options that datasets take over from the config.

    Attributes:
        all: for ``train``, ``dev`` and ``eval``, unless they are functions.
        train_chunking: for ``train``, unless it is a function.
        eval_chunking: for ``dev`` and ``eval``.
    """

    all: Mapping[str, Any] = field(default_factory=dict)
    train_chunking: Any = None
    eval_chunking: Any = None

    @staticmethod
    def from_config(config: Config) -> DatasetDefaults:
        """Read the options; a UserError tells everything that is wrong."""
        keys = read_config(_Keys, config)
        found = {
            "chunking_variance": keys.chunking_variance,
            "min_chunk_size": keys.min_chunk_size,
            "context_window": keys.context_window if keys.context_window.frames else None,
            "window": keys.window if keys.window > 1 else None,
        }
        given = {name: value for name, value in found.items() if value}
        return DatasetDefaults(given, keys.chunking, _eval_chunking(keys, config))

    def of(self, name: str, data: object, *, anew: bool = False) -> Mapping[str, Any]:
        """The defaults of one dataset.

        Args:
            name: ``train``, or that of an evaluation dataset.
            data: what the config says of it: functions are expected to say everything themselves, and a dict with
                None as its chunking gets, as in RETURNN, that of the training data.
            anew: the dataset is given in ``#config``, where all kinds of datasets have the same defaults.
        """
        if not anew and name != "train" and name not in _EVALUATED:
            return {}
        silent = isinstance(data, Mapping) and "chunking" in data and data["chunking"] is None
        chunking = self.train_chunking if name == "train" or silent else self.eval_chunking
        if anew or not callable(data):
            return {**self.all, "chunking": chunking}
        return {} if name == "train" else {"chunking": chunking}

    def left_out(self, name: str, data: object) -> list[str]:
        """Options of the config that this dataset does not take over, although others do."""
        taken, asked = self.of(name, data), dict(self.all)
        if not any(map(any, self.all.get("context_window", Context()).frames.values())):
            asked.pop("context_window", None)
        if name == "train" and self.train_chunking is not None:
            asked["chunking"] = self.train_chunking
        return [key for key in asked if key not in taken]


def _eval_chunking(keys: _Keys, config: Config) -> Any:
    """No chunks, but for three keys, of which the first one decides."""
    if keys.on_size_limit == "chunk":
        size = keys.batch_size
        if isinstance(size, Mapping) or int(size) != size:
            raise ConfigError(
                "on_size_limit = 'chunk' cuts by batch_size, which is no whole number",
                where=config.origin(None, "on_size_limit"),
                expected="batch_size = a whole number",
                received=str(size),
            )
        return Chunks(int(size), int(size)) if "batch_size" in config else None
    if str(config.get("chunking")).strip() == str(_SINGLE_FRAMES):
        return Chunks(_SINGLE_FRAMES, _SINGLE_FRAMES)
    return keys.chunking if keys.chunk_eval else None
