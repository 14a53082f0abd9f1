"""``extern_data`` and its old spelling ``num_inputs``/``num_outputs``, brought into one form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from returnn_ir.config.data_options import DataOptions, read_data_options
from returnn_ir.config.read import read_config
from returnn_ir.errors import ConfigError, ProblemList, UserError
from returnn_ir.options import MAX_AXES, Count

if TYPE_CHECKING:
    from returnn_ir.config.options import Config

__all__ = ["extern_data_spec"]


@dataclass(frozen=True, kw_only=True)
class _Keys:
    """The config's old options about its inputs, and their names.

    Attributes:
        num_inputs: the size of the default input.
        num_outputs: that of the target; a dict: the sizes by data key, or what is known of it.
        sparse_input: the default input is labels.
    """

    default_input: str = "data"
    target: str = "classes"
    num_inputs: Count = 0
    num_outputs: Count | dict[str, Any] | Sequence[Any] | None = None
    sparse_input: bool = False


def extern_data_spec(config: Config) -> dict[str, DataOptions]:
    """RETURNN's ``extern_data`` options by data key, ``available_for_inference`` filled in.

    The old pair ``(dim, ndim)`` counts axes without the batch: 1 is a sequence of labels, 2 a sequence of vectors.
    ``num_inputs`` is the dim that the network sees: a config with ``window`` states it window included.

    Raises:
        ConfigError: nothing declares the inputs.
        ProblemList: everything that is wrong with what does.
    """
    keys = read_config(_Keys, config)
    input_key = keys.default_input
    problems: list[UserError] = []
    found: dict[str, DataOptions] = {}
    option, declared = _declared(config, keys)
    for key, value in declared.items():
        try:
            raw = _one(config, option, key, value)
        except ConfigError as error:
            problems.append(error)
            continue
        raw.setdefault("available_for_inference", key == input_key)
        options, wrong = read_data_options(raw, partial(config.place, option, key))
        problems.extend(wrong)
        if options is not None:
            found[key] = options
    if problems:
        raise ProblemList(problems)
    return found


def _declared(config: Config, keys: _Keys) -> tuple[str, dict[Any, object]]:
    """The option that says what the inputs are, and what it says by data key."""
    if "extern_data" not in config:
        return "num_outputs", _from_old_options(config, keys)
    declared = config["extern_data"]
    if not isinstance(declared, dict):
        raise ProblemList([_error(config, "extern_data", "a dict of data keys", declared)])
    return "extern_data", declared


def _from_old_options(config: Config, keys: _Keys) -> dict[str, object]:
    by_key = keys.num_outputs if isinstance(keys.num_outputs, dict) else {keys.target: keys.num_outputs}
    declared = {
        k: (v, 2 if k == "data" else 1) if isinstance(v, int) else v for k, v in by_key.items() if v is not None
    }
    num_inputs = keys.num_inputs
    if "data" in declared:
        num_inputs = _dim(_one(config, "num_outputs", "data", declared["data"]))
    if not declared or not num_inputs:
        raise ConfigError(
            "the config does not say what its inputs are",
            where=str(config.path),
            expected="extern_data, or num_inputs and num_outputs",
            hint='extern_data = {"data": {"dim": 40}, "classes": {"dim": 10, "sparse": True}}',
        )
    declared.setdefault(keys.default_input, (num_inputs, 1 if keys.sparse_input else 2))
    return declared


def _one(config: Config, option: str, key: object, value: object) -> dict[Any, Any]:
    """The options of a data key, of which the old spelling says only what follows from two numbers."""
    if not isinstance(key, str) or not key:
        raise _error(config, option, "a name as data key", key)
    if isinstance(value, dict):
        return dict(value)
    match value:
        case (int(dim), int(ndim)) | [int(dim), int(ndim)] if 1 <= ndim < MAX_AXES:
            if ndim == 1:
                return {"dim": dim, "shape": (None,), "sparse": True}
            return {"dim": dim, "shape": (None,) * (ndim - 1) + (dim,)}
        case _:
            raise _error(
                config, option, f"for {key!r} a dict of options, or (dim, number of axes without batch)", value
            )


def _dim(options: dict[str, Any]) -> int:
    shape = options.get("shape")
    dim = options.get("dim", shape[-1] if isinstance(shape, (list, tuple)) and shape else 0)
    return dim if isinstance(dim, int) else 0


def _error(config: Config, option: str, expected: str, received: object) -> ConfigError:
    return ConfigError(
        f"{option} has the wrong form", where=config.origin(None, option), expected=expected, received=repr(received)
    )
