"""Typed layer options: one frozen dataclass per layer, parsed from the dict of a config.

Option types are checked at load time. Marker types say what a value refers to: :class:`LayerRef` (another layer),
:class:`NetDict` (a nested network), :class:`LayerDict` (a layer inside of this one), :class:`Axis` (an axis).
"""

from __future__ import annotations

import functools
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

import numpy as np

from returnn_ir.dims import Dim
from returnn_ir.errors import ConfigError, Origin, UserError, did_you_mean

__all__ = ["Axis", "LayerDict", "LayerOptions", "LayerRef", "NetDict", "SourceOptions", "layer_refs", "parse_options"]


class LayerRef(str):
    """The name of another layer, as written (``prev:x``, ``base:x``, ``a/b``)."""

    __slots__ = ()


class NetDict(dict[str, Any]):
    """A nested network dict."""


class LayerDict(dict[str, Any]):
    """A layer inside of another one, whose references are those of the network around both."""


#: An axis description, see ``returnn_ir.axes``.
Axis = Any


@dataclass(frozen=True, kw_only=True)
class LayerOptions:
    """What every layer accepts (RETURNN: LayerBase); ``option_table`` has those that are not done."""

    n_out: int | None = None
    out_dim: Dim | None = None
    out_type: dict[str, Any] | Callable[..., Any] | None = None
    out_shape: Any = None
    target: str | list[str] | tuple[str, ...] | None = None
    size_target: str | None = None
    loss: str | None = None
    loss_scale: float | None = 1.0
    loss_opts: dict[str, Any] | None = None
    loss_only_on_non_search: bool | None = None
    reuse_params: str | dict[str, Any] | None = None
    name_scope: str | None = None
    param_device: str | None = None
    is_output_layer: bool | None = None
    only_on_eval: bool = False
    only_on_search: bool = False
    copy_output_loss_from_source_idx: int | None = None
    batch_norm: bool | dict[str, Any] = False
    L2: float | None = None
    darc1: float | None = None
    spatial_smoothing: float = 0.0
    param_variational_noise: float | None = None
    param_dropout: float | None = None
    param_dropout_min_ndim: int | None = None
    updater_opts: dict[str, Any] | None = None
    initial_output: Any = None
    state: Any = None
    need_last: bool = False
    encapsulate: bool = False
    collocate_with: Any = None
    trainable: bool | None = True
    custom_param_importer: Any = None
    register_as_extern_data: str | None = None
    control_dependencies_on_output: Any = None
    debug_print_layer_output: bool | None = None


@dataclass(frozen=True, kw_only=True)
class SourceOptions(LayerOptions):
    """Layers that take the concatenation of their sources (RETURNN: _ConcatInputLayer)."""

    in_dim: Dim | None = None
    dropout: float = 0.0
    dropout_axis: Axis = None
    dropout_noise_shape: Any = None
    dropout_on_forward: bool = False
    mask: str | None = None


Options = TypeVar("Options", bound=LayerOptions)


def parse_options(
    cls: type[Options], raw: Mapping[str, object], origin: Callable[[str | None], Origin]
) -> tuple[Options | None, list[UserError]]:
    """Typed options of a layer dict (without ``class`` and ``from``), and everything that is wrong with it."""
    hints: dict[str, Any] = _hints(cls)  # type: ignore[arg-type]  # mypy does not see that classes hash
    problems: list[UserError] = []
    values: dict[str, Any] = {}
    for key, value in raw.items():
        if key.startswith("#"):
            continue
        if key not in hints:
            problems.append(
                ConfigError(
                    f"unknown option {key!r}",
                    where=origin(key),
                    expected=f"one of {', '.join(sorted(k for k in hints if not _is_common(k)))} or a common option",
                    hint=did_you_mean(key, hints),
                )
            )
            continue
        ok, converted = _convert(value, hints[key])
        if not ok:
            problems.append(
                ConfigError(
                    f"option {key!r} has the wrong type",
                    where=origin(key),
                    expected=_hint_name(hints[key]),
                    received=f"{value!r} ({type(value).__name__})",
                )
            )
            continue
        values[key] = converted
    required = [f.name for f in fields(cls) if f.default is MISSING and f.default_factory is MISSING]
    for key in required:
        if key not in values and not any(p.where and key in str(p.where) for p in problems):
            problems.append(ConfigError(f"option {key!r} is missing", where=origin(None)))
    return (None, problems) if problems else (cls(**values), [])


def layer_refs(options: LayerOptions) -> list[str]:
    """The names of layers that the options refer to."""
    found: list[str] = []
    for f in fields(options):
        found.extend(_refs_in(getattr(options, f.name)))
    return list(dict.fromkeys(found))


def _refs_in(value: object) -> Iterator[str]:
    if isinstance(value, LayerRef):
        yield str(value)
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _refs_in(part)
    elif isinstance(value, dict) and not isinstance(value, (NetDict, LayerDict)):
        for part in value.values():
            yield from _refs_in(part)


@functools.cache
def _hints(cls: type[LayerOptions]) -> dict[str, Any]:
    return {k: v for k, v in typing.get_type_hints(cls).items() if not k.startswith("_")}


@functools.cache
def _common_names() -> frozenset[str]:
    return frozenset(_hints(SourceOptions))


def _is_common(key: str) -> bool:
    return key in _common_names()


def _convert(value: object, hint: Any) -> tuple[bool, object]:
    """Whether the value has the type, and the value with markers applied."""
    if hint is Any or hint is object:
        return True, value
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return _convert_union(value, get_args(hint))
    if origin is Literal:
        return value in get_args(hint), value
    if hint is None or hint is type(None):
        return value is None, value
    if hint is LayerRef:
        return isinstance(value, str), LayerRef(value) if isinstance(value, str) else value
    if hint is NetDict or hint is LayerDict:
        return isinstance(value, dict), hint(value) if isinstance(value, dict) else value
    if hint in (bool, int, float):
        return _convert_number(value, hint)
    if origin is not None:
        return _convert_container(value, origin, get_args(hint))
    return isinstance(value, hint), value


def _convert_union(value: object, options: tuple[Any, ...]) -> tuple[bool, object]:
    exact = sorted(options, key=lambda o: o is LayerRef)  # a plain str, where allowed, is no reference
    for option in exact:
        ok, converted = _convert(value, option)
        if ok:
            return True, converted
    return False, value


def _convert_number(value: object, hint: type) -> tuple[bool, object]:
    if hint is bool:
        if isinstance(value, (bool, np.bool_)) or (isinstance(value, int) and value in (0, 1)):
            return True, bool(value)
        return False, value
    if isinstance(value, (bool, np.bool_)):
        return (hint is float and not value) or hint is int, hint(value)
    if hint is int:
        return isinstance(value, (int, np.integer)), value
    return isinstance(value, (int, float, np.integer, np.floating)), value


def _convert_container(value: object, origin: Any, args: tuple[Any, ...]) -> tuple[bool, object]:
    if origin in (dict, Mapping):
        if not isinstance(value, Mapping):
            return False, value
        pairs = [(k, _convert(v, args[1])) for k, v in value.items()]
        return all(ok for _, (ok, _) in pairs), {k: v for k, (_, v) in pairs}
    if origin in (list, tuple, set, Sequence):
        wanted = (list, tuple) if origin is Sequence else (origin,)
        if not isinstance(value, wanted) or isinstance(value, str):
            return False, value
        item = args[0] if args else Any
        if origin is tuple and Ellipsis not in args:
            if len(args) != len(value):
                return False, value
            converted = [_convert(v, a) for v, a in zip(value, args, strict=True)]
        else:
            converted = [_convert(v, item) for v in value]
        make = type(value) if type(value) in (list, tuple, set) else list
        return all(ok for ok, _ in converted), make(v for _, v in converted)
    return callable(value) if origin is Callable or origin.__name__ == "Callable" else True, value


_HINT_NAMES = {
    "NoneType": "None",
    "LayerRef": "a layer name",
    "NetDict": "a network dict",
    "LayerDict": "a layer dict",
}


def _hint_name(hint: Any) -> str:
    if isinstance(hint, type) and get_origin(hint) is None:
        return _HINT_NAMES.get(hint.__name__, hint.__name__)
    if get_origin(hint) in (Union, types.UnionType):
        return " | ".join(_hint_name(a) for a in get_args(hint))
    return str(hint).replace("typing.", "")
