"""A dataset from what a config says under ``train``, ``dev`` and so on."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from returnn_ir.errors import ConfigError, Origin, did_you_mean
from returnn_ir.options import Place
from runtime.datasets.base import Dataset
from runtime.datasets.hdf import HDFDataset
from runtime.datasets.options import options_from_dict
from runtime.datasets.static import StaticDataset
from runtime.datasets.task12ax import Task12AXDataset
from runtime.datasets.windowed import windowed

__all__ = ["init_dataset"]

# Each class takes one argument: its options_class.
_CLASSES: Mapping[str, Callable[[Any], Dataset]] = {
    "HDFDataset": HDFDataset,
    "StaticDataset": StaticDataset,
    "Task12AXDataset": Task12AXDataset,
}


def init_dataset(
    config: Mapping[str, Any] | str | Callable[[], Any] | Dataset,
    *,
    name: str | None = None,
    defaults: Mapping[str, Any] | None = None,
    where: Origin | str | Place | None = None,
) -> Dataset:
    """Make a dataset.

    Args:
        config: ``{"class": "HDFDataset", "files": [...], ...}``, a function that returns this, the same as text, or the
            old forms ``"a.hdf,b.hdf"`` and ``"Task12AXDataset:num_seqs=1000"``. A dataset is returned as it is.
        name: for messages, such as "train", unless the config has one.
        defaults: values for options that the config does not set; those that the class does not have are left out.
        where: the config stands, for messages; a function says it for each option, too.

    Raises:
        ConfigError: an unknown class or option, or a wrong value.
        DataError: files that are missing or broken.
    """
    if isinstance(config, Dataset):
        return config
    if callable(config):
        return init_dataset(config(), name=name, defaults=defaults, where=where)
    named = f"dataset {name!r}" if name else None
    place: Place = where if callable(where) else lambda key: where or named
    return _from_options(config, name, defaults or {}, place)


def _from_options(
    config: Mapping[str, Any] | str, name: str | None, defaults: Mapping[str, Any], place: Place
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
        raise ConfigError("the dataset has no 'class'", where=where, expected=f"one of {', '.join(_CLASSES)}")
    if class_name not in _CLASSES:
        raise ConfigError(
            f"unknown dataset class {class_name!r}",
            where=where,
            expected=f"one of {', '.join(_CLASSES)}",
            hint=did_you_mean(str(class_name), _CLASSES),
        )
    make = _CLASSES[class_name]
    return _make(make, class_name, {"name": name, **kwargs}, defaults, place)


def _make(make: Any, class_name: str, kwargs: dict[str, Any], defaults: Mapping[str, Any], place: Place) -> Dataset:
    valid = {field.name for field in fields(make.options_class)}
    for key, value in defaults.items():
        if key in valid and kwargs.get(key) is None:
            kwargs[key] = value
    dataset: Dataset = make(options_from_dict(make.options_class, class_name, kwargs, place))
    return windowed(dataset)


def _parse_text(text: str, where: Origin | str | None) -> object:
    """The dict that a config's text stands for."""
    class_name, colon, arguments = text.partition(":")
    try:
        if text.lstrip().startswith("{"):
            return ast.literal_eval(text.strip())
        if colon and class_name.isidentifier():
            call = ast.parse(f"dict({arguments})", mode="eval").body
            if not isinstance(call, ast.Call) or call.args:
                raise ValueError("arguments without a name")
            values = {str(word.arg): ast.literal_eval(word.value) for word in call.keywords}
            return {"class": class_name, **values}
    except (ValueError, SyntaxError) as error:
        raise ConfigError(
            "the dataset cannot be understood",
            where=where,
            expected="a dict, 'CLASS:option=value,...' or HDF files separated by commas",
            received=f"{text!r} ({error})",
        ) from error
    return {"class": "HDFDataset", "files": [path for path in text.split(",") if path]}
