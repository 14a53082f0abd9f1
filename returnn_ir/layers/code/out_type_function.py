"""``out_type`` as a Python function: it is called on descriptions of the sources and gives a ``Data`` of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

from returnn_ir.axes.output import LayerOutput
from returnn_ir.config.dim_tags import DIM_NAMES
from returnn_ir.construct.loop_context import UntypedError
from returnn_ir.errors import ConfigError, UserError
from returnn_ir.expression.namespaces import Namespace
from returnn_ir.expression.trace import rebound
from returnn_ir.expression.traced_source import traced_facts
from returnn_ir.facade.data_template import DataTemplate, SourceTemplate
from returnn_ir.facade.network import NetworkView

if TYPE_CHECKING:
    from returnn_ir.construct.layer_builder import LayerBuilder

__all__ = ["called_out_type"]


def called_out_type(b: LayerBuilder, function: Callable[..., Any], sources: Sequence[LayerOutput]) -> Mapping[str, Any]:
    """What ``function(sources=..., network=..., name=...)`` says, as the dict that ``out_type`` could have been.

    Raises:
        ConfigError: the function fails, or gives no ``Data``.
    """
    if len(sources) < len(b.definition.sources):
        raise UntypedError("out_type as a function needs to know all sources", where=b.place("out_type"))
    described = [
        SourceTemplate(name, DataTemplate.of(x)) for name, x in zip(b.definition.sources, sources, strict=True)
    ]
    call = rebound(function, Namespace(b, "tf"), _Helpers())
    try:
        result = call(sources=described, network=NetworkView(traced_facts(b)), name=b.definition.name)
    except UserError:
        raise
    except Exception as error:  # of any kind, from the config's own code
        raise ConfigError(
            f"the function out_type fails: {type(error).__name__}: {error}",
            where=b.place("out_type"),
            hint="an out_type dict says the same: {'shape': ..., 'dtype': ...}",
        ) from error
    if not isinstance(result, DataTemplate):
        raise ConfigError(
            "the function out_type must return a Data",
            where=b.place("out_type"),
            expected="Data(name=..., shape=..., ...) or a copy of a source's",
            received=type(result).__name__,
        )
    return result.options


class _Helpers(ModuleType):
    """RETURNN's modules, of which a function that describes an output needs ``Data`` and the dims."""

    def __init__(self) -> None:
        super().__init__("returnn.tf.util.basic")
        self.__path__: list[str] = []
        self.__dict__.update({**DIM_NAMES, "Data": DataTemplate, "Tensor": DataTemplate})

    def __getattr__(self, name: str) -> Any:
        if name in ("tf", "util", "data", "basic", "tensor"):
            return self
        raise AttributeError(f"RETURNN's {name!r} is not available here")
