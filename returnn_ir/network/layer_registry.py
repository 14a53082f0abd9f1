"""The registry of layer classes: ``@layer("conv", options=ConvOptions)`` above one function per layer."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from returnn_ir.errors import IRError
from returnn_ir.network.layer_options import LayerOptions
from returnn_ir.registry import import_modules

__all__ = ["LayerSpec", "find_layer", "layer", "layer_names"]

#: What the layer function gets as third argument: one output (all sources joined over features), exactly one source,
#: the list of sources, or nothing.
Sources = Literal["concat", "one", "many", "none"]


@dataclass(frozen=True)
class LayerSpec:
    """A layer class.

    Attributes:
        build: the layer function: (builder, options, sources) -> LayerOutput.
        extra_refs: further layer names, where the option types do not tell (``initial_state``).
        variable_scope: between the layer's scope and its parameters, unless ``name_scope`` is given.
        like_target: the output's type is the target's, whatever the sources are.
        ignores_sources: (options, whether this is a search) -> the sources need not be built; their parameters, where
            nothing else needs them, do not exist then, as in RETURNN.
        without_from: the sources that it has without ``from``, in every behaviour version.
        any_size: the output has the sources' size, whatever ``n_out`` says.
        joins_sources: its features are its sources' side by side: a matrix that multiplies them has a block of rows for
            each source (RETURNN's CopyLayer and what derives from it).
        names_time: whether RETURNN's output names its time axis (``LayerOutput.time_named``); None: as the source does.
        keeps_feature: with as many features as its source has, the output has the source's dim.
        recurrent: whether it counts for RETURNN as looking at other frames: a network without such layers and losses is
            trained on frames of many sequences, one behind the other. It may depend on (options, output).
    """

    name: str
    options: type[LayerOptions]
    sources: Sources
    build: Callable[..., Any]
    extra_refs: Callable[[Any], list[str]] | None = None
    variable_scope: str = ""
    like_target: bool = False
    ignores_sources: Callable[[Any, bool], bool] | None = None
    without_from: tuple[str, ...] | None = None
    any_size: bool = False
    names_time: bool | None = None
    joins_sources: bool = False
    recurrent: bool | Callable[[Any, Any], bool] = False
    keeps_feature: bool = False


_LAYERS: dict[str, LayerSpec] = {}


def layer(
    *names: str,
    options: type[LayerOptions],
    sources: Sources = "concat",
    extra_refs: Callable[[Any], list[str]] | None = None,
    variable_scope: str = "",
    like_target: bool = False,
    ignores_sources: Callable[[Any, bool], bool] | None = None,
    without_from: tuple[str, ...] | None = None,
    any_size: bool = False,
    names_time: bool | None = None,
    joins_sources: bool = False,
    recurrent: bool | Callable[[Any, Any], bool] = False,
    keeps_feature: bool = False,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a layer function under its class names."""

    def add(build: Callable[..., Any]) -> Callable[..., Any]:
        for name in names:
            if name in _LAYERS:
                raise IRError(f"layer class {name!r} is registered twice")
            _LAYERS[name] = LayerSpec(
                name,
                options,
                sources,
                build,
                extra_refs,
                variable_scope,
                like_target,
                ignores_sources,
                without_from,
                any_size,
                names_time,
                joins_sources,
                recurrent,
                keeps_feature,
            )
        return build

    return add


def find_layer(name: str) -> LayerSpec | None:
    """The layer class of that name."""
    return _all().get(name)


def layer_names() -> list[str]:
    """All class names, sorted."""
    return sorted(_all())


@functools.cache
def _all() -> Mapping[str, LayerSpec]:
    """Every layer class: importing the modules in the folder of layers registers them."""
    import_modules("returnn_ir.layers")
    return _LAYERS
