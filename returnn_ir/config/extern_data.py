"""``extern_data`` and its old spelling ``num_inputs``/``num_outputs``, brought into one form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from returnn_ir.errors import ConfigError

if TYPE_CHECKING:
    from returnn_ir.config.options import Config

__all__ = ["extern_data_spec"]


def extern_data_spec(config: Config) -> dict[str, dict[str, Any]]:
    """RETURNN's ``extern_data`` options by data key, ``available_for_inference`` filled in.

    The old pair ``(dim, ndim)`` counts axes without the batch: 1 is a sequence of labels, 2 a sequence of vectors.
    ``num_inputs`` is the dim that the network sees: a config with ``window`` states it window included.

    Raises:
        ConfigError: nothing declares the inputs, or a declaration has the wrong form.
    """
    input_key = config.value("default_input", "data")
    if "extern_data" in config:
        option = "extern_data"
        declared = config["extern_data"]
        if not isinstance(declared, dict):
            raise _error(config, option, "a dict of data keys", declared)
    else:
        option = "num_outputs"
        declared = _from_old_options(config, input_key)
    spec = {key: _one(config, option, key, value) for key, value in declared.items()}
    for key, options in spec.items():
        options.setdefault("available_for_inference", key == input_key)
    return spec


def _from_old_options(config: Config, input_key: str) -> dict[str, object]:
    target = config.value("target", "classes")
    num_inputs = config.int("num_inputs", 0)
    if not config.is_typed("num_outputs"):
        num_outputs = config.int("num_outputs", 0)
        declared: dict[str, object] = {target: (num_outputs, 1)} if num_outputs else {}
    else:
        value = config["num_outputs"]
        by_key = value if isinstance(value, dict) else {target: value}
        declared = {k: (v, 2 if k == "data" else 1) if isinstance(v, int) else v for k, v in by_key.items()}
    if "data" in declared:
        num_inputs = _dim(_one(config, "num_outputs", "data", declared["data"]))
    if not declared or not num_inputs:
        raise ConfigError(
            "the config does not say what its inputs are",
            where=str(config.path),
            expected="extern_data, or num_inputs and num_outputs",
            hint='extern_data = {"data": {"dim": 40}, "classes": {"dim": 10, "sparse": True}}',
        )
    declared.setdefault(input_key, (num_inputs, 1 if config.bool("sparse_input", False) else 2))
    return declared


def _one(config: Config, option: str, key: str, value: object) -> dict[str, Any]:
    if isinstance(value, dict):
        return dict(value)
    match value:
        case (int(dim), int(ndim)) | [int(dim), int(ndim)] if ndim >= 1:
            if ndim == 1:
                return {"dim": dim, "shape": (None,), "sparse": True}
            return {"dim": dim, "shape": (None,) * (ndim - 1) + (dim,)}
        case _:
            raise _error(
                config, option, f"for {key!r} a dict of options, or (dim, number of axes without batch)", value
            )


def _dim(options: dict[str, Any]) -> int:
    dim = options["dim"] if "dim" in options else (options.get("shape") or (0,))[-1]
    return dim if isinstance(dim, int) else 0


def _error(config: Config, option: str, expected: str, received: object) -> ConfigError:
    return ConfigError(
        f"{option} has the wrong form", where=config.origin(None, option), expected=expected, received=repr(received)
    )
