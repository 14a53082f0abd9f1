"""A dataset from what a config says under ``train``, ``dev`` and so on."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

from returnn_ir.config.shim import lazy_path
from returnn_ir.errors import ConfigError, Origin, did_you_mean
from returnn_ir.options import option_fields
from runtime.datasets.base import Dataset
from runtime.datasets.options import Places, options_from_dict
from runtime.datasets.registry import NOT_BUILT, DatasetClass, dataset_names, find_dataset
from runtime.datasets.returnn_protocol import ProtocolDataset, has_protocol
from runtime.datasets.windowed import windowed

__all__ = ["init_dataset"]


def init_dataset(
    config: Mapping[str, Any] | str | Callable[[], Any] | Dataset,
    *,
    name: str | None = None,
    defaults: Mapping[str, Any] | None = None,
    where: Origin | str | Places | None = None,
    names: Mapping[str, Any] | None = None,
) -> Dataset:
    """Make a dataset.

    Args:
        config: ``{"class": "HDFDataset", "files": [...], ...}``, where the class may be one of the config's own with
            RETURNN's protocol, an object of such a class, a function that returns one of these, a dict as text, or
            the old forms ``"a.hdf,b.hdf"``, ``"Task12AXDataset:num_seqs=1000"`` and ``"config:NAME"``. A dataset is
            returned as it is.
        name: for messages, such as "train", unless the config has one.
        defaults: values for options that the config does not set; those that the class does not have are left out.
        where: the config stands, for messages; a function says it for each option, too.
        names: what ``"config:NAME"`` may name: the config.

    Raises:
        ConfigError: an unknown class or option, or a wrong value.
        DataError: files that are missing or broken.
    """
    if isinstance(config, Dataset):
        return config
    named = f"dataset {name!r}" if name else None
    place: Places = where if callable(where) else lambda *keys: where or named
    if has_protocol(config) and not isinstance(config, type):
        return ProtocolDataset(config, name)
    if callable(config):
        return init_dataset(config(), name=name, defaults=defaults, where=where, names=names)
    if isinstance(config, str) and config.startswith("config:"):
        return init_dataset(_named(config, names or {}, place), name=name, defaults=defaults, where=where, names=names)
    return _from_options(config, name, defaults or {}, place)


def _named(text: str, names: Mapping[str, Any], place: Places) -> Any:
    """What the config has under the name in ``config:NAME``."""
    name = text.removeprefix("config:")
    if name not in names:
        raise ConfigError(
            f"the config has no {name!r}", where=place(None), received=repr(text), hint=did_you_mean(name, names)
        )
    return names[name]


def _from_options(
    config: Mapping[str, Any] | str, name: str | None, defaults: Mapping[str, Any], place: Places
) -> Dataset:
    where = place(None)
    options = _parse_text(config, where) if isinstance(config, str) else config
    if not isinstance(options, Mapping):
        raise ConfigError(
            "not a dataset", where=where, expected='a dict {"class": ...}', received=type(options).__name__
        )
    kwargs = dict(options)
    class_name = kwargs.pop("class", None)
    if class_name is None:
        raise ConfigError("the dataset has no 'class'", where=where, expected=_known())
    if isinstance(class_name, type) and has_protocol(class_name):
        return ProtocolDataset.make(class_name, {"name": name, **kwargs}, defaults, place)
    path = lazy_path(class_name)  # a class of RETURNN's that the config has imported
    class_name = class_name if path is None else path.rpartition(".")[2]
    found = find_dataset(class_name) if isinstance(class_name, str) else None
    if found is None:
        raise _unknown(class_name, place)
    return _make(found, {"name": name, **kwargs}, defaults, place)


def _known() -> str:
    return f"one of {', '.join(dataset_names())}"


def _unknown(class_name: object, place: Places) -> ConfigError:
    if class_name in NOT_BUILT:
        what = f"RETURNN's {class_name} is not built yet"
        hint = "dump its data to HDF files with RETURNN, and use HDFDataset"
        return ConfigError(what, where=place("class"), expected=_known(), hint=hint)
    name = class_name if isinstance(class_name, str) else repr(class_name)
    return ConfigError(
        f"unknown dataset class {name!r}",
        where=place(None),
        expected=_known(),
        hint=did_you_mean(name, [*dataset_names(), *NOT_BUILT]),
    )


def _make(found: DatasetClass, kwargs: dict[str, Any], defaults: Mapping[str, Any], place: Places) -> Dataset:
    valid = {field.name for field in option_fields(found.options)} - (set() if found.orders else {"seq_ordering"})
    for key, value in defaults.items():
        if key in valid and kwargs.get(key) is None:
            kwargs[key] = value
    return windowed(found.make(options_from_dict(found.options, found.name, kwargs, place)))


def _parse_text(text: str, where: Origin | str | None) -> object:
    """The dict that a config's text stands for."""
    class_name, colon, arguments = text.partition(":")
    try:
        if text.lstrip().startswith("{"):
            return ast.literal_eval(text.strip())
        if colon and class_name == "sprint":
            return {"class": "ExternSprintDataset"}
        if colon and class_name.isidentifier():
            call = ast.parse(f"dict({arguments})", mode="eval").body
            if not isinstance(call, ast.Call) or call.args:
                raise ValueError("arguments without a name")
            values = {str(word.arg): _value(word.value) for word in call.keywords}
            return {"class": class_name, **values}
    except (ValueError, SyntaxError) as error:
        raise ConfigError(
            "the dataset cannot be understood",
            where=where,
            expected="a dict, 'CLASS:option=value,...' or HDF files separated by commas",
            received=f"{text!r} ({error})",
        ) from error
    return {"class": "HDFDataset", "files": [path for path in text.split(",") if path]}


def _value(node: ast.expr) -> Any:
    """A literal, or ``float("inf")``."""
    if ast.unparse(node) == "float('inf')":
        return float("inf")
    return ast.literal_eval(node)
