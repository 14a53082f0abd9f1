"""Evaluating expressions over a layer's sources: into IR ops where that works, else as an opaque call of TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from returnn_ir.axes.output import LayerOutput
from returnn_ir.axes.unify import Unified
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.construct.out_type import OutType, fit_axes
from returnn_ir.errors import ConfigError, IRError, UnsupportedError, UserError
from returnn_ir.expression.evaluate import evaluate_expression, parse_expression
from returnn_ir.expression.namespaces import Missing, Namespace
from returnn_ir.expression.numbered import Numbered, as_numbered
from returnn_ir.expression.table import RETURNN_ONLY, find_function, function_names
from returnn_ir.expression.trace import traceable
from returnn_ir.expression.traced_source import TracedSource, traced_facts
from returnn_ir.facade.data import DataView
from returnn_ir.facade.data_template import DataTemplate
from returnn_ir.facade.network import LayerView, NetworkView, SourceLayerView
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.ir.types import TensorType
from returnn_ir.layers.code.python_code import opaque_call

__all__ = ["evaluate_on_sources"]


def evaluate_on_sources(
    b: LayerBuilder,
    code: str | Callable[..., Any],
    local_names: Mapping[str, Any],
    sources: Sequence[LayerOutput],
    unified: Unified,
    result_type: OutType,
) -> LayerOutput:
    """The value of an eval string, or of a Python function ``f(source, **names)``.

    Raises:
        ConfigError: no Python expression, or a result that is not what the type says.
    """
    access = SourceAccess(b, sources, unified, result_type)
    tree = parse_expression(code, b.place("eval")) if isinstance(code, str) else None
    nodes_before = len(b.region.nodes)
    try:
        if tree is not None:
            result = evaluate_expression(tree, _names(b, access, local_names), b.program.attributes)
        else:
            result = traceable(b, code)(**_function_arguments(b, access, local_names))
        tensor = as_numbered(b, result)
    except UserError as error:
        if error.where is None:
            error.where = b.place("eval")
        raise
    except IRError as error:  # an op that does not take such operands
        raise ConfigError(f"the expression fails: {error}", where=b.place("eval"), received=repr(code)) from error
    except Exception as error:  # the config's own code runs here
        if isinstance(error, (ArithmeticError, NameError)) and tree is not None:
            raise ConfigError(f"the expression fails: {error}", where=b.place("eval"), received=repr(code)) from error
        del b.region.nodes[nodes_before:]
        reason = f"{error}" if isinstance(error, UnsupportedError) else f"{type(error).__name__}: {error}"
        return opaque_call(b, code, local_names, sources, access.placed, result_type, reason)
    access.require_all_used(code)
    fitted = result_type.output(b, fit_axes(b, tensor.value, tensor.axes, result_type))
    pairs = zip(tensor.axes, result_type.axes, strict=True)
    return replace(fitted, once=frozenset(wanted for own, wanted in pairs if own is None and wanted.is_dynamic))


def _names(b: LayerBuilder, access: SourceAccess, local_names: Mapping[str, Any]) -> dict[str, Any]:
    names: dict[str, Any] = {n: find_function(b, n) for n in function_names()}
    for builtin in ("abs", "range", "round"):
        names.pop(builtin, None)
    names.update({n: Missing(n) for n in RETURNN_ONLY})
    names.update({"tf": Namespace(b, "tf"), "tf_compat": Namespace(b, "tf_compat")})
    names.update(_function_arguments(b, access, local_names))
    return names


def _function_arguments(b: LayerBuilder, access: SourceAccess, local_names: Mapping[str, Any]) -> dict[str, Any]:
    given = {key: traceable(b, value) for key, value in local_names.items()}
    return {"source": access, "self": access.layer_view(), **given}


class SourceAccess:
    """``source(i, ...)`` of an expression."""

    def __init__(self, b: LayerBuilder, sources: Sequence[LayerOutput], unified: Unified, result_type: OutType) -> None:
        self._b = b
        self._sources = sources
        self._unified = unified
        self._result_type = result_type
        self._used: set[int] = set()
        self.placed = [_placed(unified, value.dims, result_type) for value in unified.values]

    def __call__(
        self,
        i: int,
        auto_convert: bool = True,
        enforce_batch_major: bool = False,
        as_data: bool = False,
        as_layer: bool = False,
    ) -> Numbered | DataView[Numbered] | SourceLayerView[Numbered]:
        """A source as tensor, as ``Data`` or as layer, over the common axes unless ``auto_convert`` is off."""
        if not 0 <= i < len(self._sources):
            raise ConfigError(f"source({i}), but there are {len(self._sources)} sources", where=self._b.place("eval"))
        self._used.add(i)
        if as_layer:
            return self._layer(i)
        data = self._data(i, auto_convert)
        if enforce_batch_major:
            data = data.copy_as_batch_major()
        return data if as_data else data.placeholder

    def _data(self, i: int, auto_convert: bool) -> DataView[Numbered]:
        source = self._sources[i]
        value = self._unified.values[i] if auto_convert else source.value
        axes: Sequence[Dim | None] = self.placed[i] if auto_convert else source.axes
        if value.type.sparse_dim is not None:
            value = self._b.op("set_sparse", value, sparse_dim=None)
        special = source
        if auto_convert:
            common = self._unified
            bare = [d for d in common.axes if d in value.dims]
            time = common.time_dim if common.time_dim in bare else None
            feature = common.feature_dim if common.feature_dim in bare and source.sparse_dim is None else None
            special = LayerOutput(value, tuple(bare), time, feature)
        return DataView(TracedSource(self._b, source, Numbered(self._b, value, axes), special))

    def _layer(self, i: int) -> SourceLayerView[Numbered]:
        self._used.add(i)
        name = self._b.definition.sources[i]
        return SourceLayerView(name, self._data(i, False), NetworkView(traced_facts(self._b)))

    def layer_view(self) -> LayerView[Numbered]:
        """``self`` of the expression."""
        used = set(self._used)
        layers = [self._layer(i) for i in range(len(self._sources))]
        self._used = used
        return LayerView(self._b.name, traced_facts(self._b), layers, _template(self._result_type, self._sources))

    def require_all_used(self, code: object) -> None:
        """RETURNN refuses sources that the expression does not use."""
        unused = [i for i in range(len(self._sources)) if i not in self._used]
        if unused:
            raise ConfigError(
                f"the expression does not use source {unused[0]}", where=self._b.place("eval"), received=repr(code)
            )


def _template(result_type: OutType, sources: Sequence[LayerOutput]) -> DataTemplate:
    """What the layer's output is known to be."""
    dtype = result_type.dtype or (sources[0].dtype if sources else "float32")
    value = Value(TensorType(dtype, result_type.axes, result_type.sparse_dim))
    return DataTemplate.of(LayerOutput(value, result_type.axes, result_type.time_dim, result_type.feature_dim))


def _placed(unified: Unified, dims: Sequence[Dim], result_type: OutType) -> tuple[Dim | None, ...]:
    """A source's axes as the expression counts them: those of the output, with None where the source has none."""
    common = _in_declared_order(unified, result_type) if result_type.declared else unified.axes
    axes: list[Dim | None] = [d if d in dims else None for d in common]
    if len(result_type.axes) <= len(axes):
        return tuple(axes)
    found: list[Dim | None] = [None] * len(result_type.axes)
    rest = [d for d in unified.axes if d not in result_type.axes]
    for i, wanted in enumerate(result_type.axes):
        if wanted in unified.axes:
            found[i] = wanted if wanted in dims else None
        elif rest and rest[0] is unified.feature_dim and i == len(result_type.axes) - 1:
            feature = rest.pop(0)
            found[i] = feature if feature in dims else None
    return tuple(found)


def _in_declared_order(unified: Unified, result_type: OutType) -> list[Dim]:
    """The common axes as ``out_type`` orders them; one that it does not know stands where one of its kind is."""
    rest = [d for d in unified.axes if d not in result_type.axes]
    found: list[Dim] = []
    for wanted in result_type.axes:
        if wanted in unified.axes:
            found.append(wanted)
            continue
        partner = next((d for d in rest if d.axis_kind is wanted.axis_kind), None)
        if partner is not None:
            rest.remove(partner)
            found.append(partner)
    return [*found, *rest]
