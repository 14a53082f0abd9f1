"""What a network dict says beside its layers: the names with ``#`` in front."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from returnn_ir.config.key import Verdict
from returnn_ir.config.keys import KEYS, NETWORK_KEYS, TABLE
from returnn_ir.config.options import Config
from returnn_ir.errors import ConfigError, Origin, UserError, did_you_mean
from returnn_ir.options import Described, ZeroOrMore, described, fits, shown, wrong_value

__all__ = ["BUILT", "CopyMode", "NetworkNames", "read_names"]

#: ``subset``: block by block; ``ifpossible``: if the shape is the same; ``reset``: nothing is copied.
CopyMode = Literal["subset", "ifpossible", "reset"]
"""How parameters get into a network that changed."""

_DATASETS = ("train", "dev", "eval", "eval_datasets")
_EPOCH = ("batch_size", "max_seqs", "max_seq_length", "inc_seq_length", "seq_drop", "seq_drop_freq", "chunking")
#: What only a dataset that is made anew looks at.
_OF_DATASETS = ("window", "context_window", "min_chunk_size", "chunking_variance", "batching")
_BUILDERS = ("returnn_ir.construct.", "returnn_ir.config.extern_data", "compiler.", "runtime.optimizers.")
BUILT = frozenset(
    {key.name for key in TABLE["The optimizer"] if key.verdict is not Verdict.NO_EFFECT}
    | {key.name for key in KEYS.values() if key.reader.startswith(_BUILDERS)}
    | {"search_train_network_layers"}
)
"""What the optimizer or the layers read when they are built, which is whenever the network changes."""

_EFFECTIVE = frozenset({"learning_rate", *_DATASETS, *_EPOCH, *_OF_DATASETS, *BUILT})

_HINTS: Mapping[str, Any] = {
    "#config": Annotated[dict[str, Any], Described("a dict of options of the config")],
    "#copy_param_mode": CopyMode | None,
    "#trainable": bool,
    "#finish_all_data": bool,
}


@dataclass(frozen=True)
class NetworkNames:
    """The values of these names.

    Attributes:
        given: by name, ``#`` included.
    """

    given: Mapping[str, Any] = field(default_factory=dict)

    @property
    def overlay(self) -> Mapping[str, Any]:
        """Options of the config, with the values that they have with this network."""
        overlay: Mapping[str, Any] = self.given.get("#config", {})
        return overlay

    @property
    def trainable(self) -> bool:
        """Whether parameters are trained at all."""
        return bool(self.given.get("#trainable", True))

    def copy_mode(self, default: CopyMode | None) -> CopyMode | None:
        """How parameters get into this network."""
        mode: CopyMode | None = self.given.get("#copy_param_mode", default)
        return mode


def read_names(network: Mapping[Any, Any], config: Config, *, pretrains: bool) -> tuple[NetworkNames, list[UserError]]:
    """The ``#`` names of a network dict, and what is wrong with them.

    Args:
        pretrains: whether the config pretrains, where learning rates are under control only if it says so.
    """
    given = {name: value for name, value in network.items() if isinstance(name, str) and name.startswith("#")}
    problems: list[UserError] = []
    for name, value in given.items():
        hint = did_you_mean(name, NETWORK_KEYS) if name not in NETWORK_KEYS else None
        if hint is not None:  # other names are remarks
            problems.append(ConfigError(f"a network has no {name!r}", where=_place(config, name), hint=hint))
        elif name in _HINTS and not fits(value, _HINTS[name]):
            problems.append(wrong_value(name, value, _HINTS[name], _place(config, name)))
        elif name == "#config":
            problems.extend(_overlay_problems(value, config, pretrains=pretrains))
    return NetworkNames(given), problems


def _overlay_problems(overlay: Mapping[str, object], config: Config, *, pretrains: bool) -> list[UserError]:
    problems: list[UserError] = []
    for key, value in overlay.items():
        where = _place(config, "#config", key)
        if key not in _EFFECTIVE:
            problems.append(_without_effect(key, value, config, where))
        elif key == "learning_rate":
            problems.extend(_rate_problems(value, config, where, pretrains=pretrains))
        elif not config.is_typed(key):
            problems.append(_not_there(key, value, config, where))
        elif key in _OF_DATASETS and not any(name in overlay for name in _DATASETS):
            problems.append(
                ConfigError(
                    f"{key!r} in '#config' has no effect: only a dataset that is made anew looks at it",
                    where=where,
                    expected=f"one of {', '.join(_DATASETS)} beside it",
                    received=shown(value),
                    hint=f"set {key!r} in the config, or give the training data in '#config', too",
                )
            )
    return problems


def _without_effect(key: str, value: object, config: Config, where: Origin) -> UserError:
    own = "variables of the config's own do not change with the network" if key in config else "there is no such option"
    return ConfigError(
        f"{key!r} in '#config' has no effect: {'it is read when a training starts' if key in KEYS else own}",
        where=where,
        expected="learning_rate, datasets, limits of batches, or what layers and the optimizer read",
        received=shown(value),
        hint=did_you_mean(key, _EFFECTIVE) if key not in {*KEYS, *config} else "leave it out",
    )


def _not_there(key: str, value: object, config: Config, where: Origin) -> UserError:
    text = "only as a text" if key in config else "not at all"
    return ConfigError(
        f"'#config' can only change what the config has, and it has {key!r} {text}",
        where=where,
        received=shown(value),
        hint=f"`{key} = ...` in the config, the value of the other epochs",
    )


def _rate_problems(value: object, config: Config, where: Origin, *, pretrains: bool) -> list[UserError]:
    if not fits(value, ZeroOrMore):
        return [
            ConfigError(
                "the learning rate in '#config' is no number",
                where=where,
                expected=described(ZeroOrMore),
                received=shown(value),
            )
        ]
    if pretrains and not config.is_true("use_learning_rate_control_always"):
        return [
            ConfigError(
                "'#config' cannot set the learning rate: a pretraining has its own",
                where=where,
                received=shown(value),
                hint="use_learning_rate_control_always = True",
            )
        ]
    return []


def _place(config: Config, name: str, key: str | None = None) -> Origin:
    found = config.origin(name, key)
    return Origin(key=name if key is None else f"{name}.{key}", file=found.file, line=found.line)
