"""Layers that compute entry by entry on several sources: combine, eval, compare, switch."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

from returnn_ir.axes.output import LayerOutput
from returnn_ir.axes.unify import Unified
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.construct.loop_context import UntypedError
from returnn_ir.construct.out_type import OutType, common_out_type, fit_axes, with_out_type
from returnn_ir.errors import ConfigError, IRError, UnsupportedError, UserError, did_you_mean
from returnn_ir.expression.numbered import Numbered, as_numbered
from returnn_ir.expression.table import find_function, function_names
from returnn_ir.expression.traced_source import traced_facts
from returnn_ir.facade.network import NetworkView
from returnn_ir.layers.code.evaluation import evaluate_on_sources
from returnn_ir.layers.code.out_type_function import called_out_type
from returnn_ir.layers.dense.activations import activate
from returnn_ir.network.layer_options import LayerOptions, LayerRef
from returnn_ir.network.layer_registry import layer
from returnn_ir.options import option_class

__all__: list[str] = []

_KINDS = {"+": "add", "-": "sub", "*": "mul", "/": "truediv", "//": "floordiv"}
_COMPARISONS = {
    "==": "equal",
    "<=": "less_equal",
    "<": "less",
    ">=": "greater_equal",
    ">": "greater",
    "!=": "not_equal",
    "<>": "not_equal",
}
_COMPARE_KINDS = tuple(dict.fromkeys(_COMPARISONS.values()))


@option_class
class EvalOptions(LayerOptions):
    """Options of ``eval``.

    Attributes:
        eval: an expression of `source(i)`, or a function with the same arguments.
        eval_locals: further names of the expression.
        allow_broadcast_all_sources: no source needs to have all axes of the result.
        activation: applied to the result: a name or an expression.
        with_bias: a bias is added.
        eval_for_output_loss: the expression is applied to the losses of the sources, too; refused.
    """

    eval: str | Callable[..., Any]
    eval_locals: dict[str, Any] | None = None
    allow_broadcast_all_sources: bool | None = None
    activation: str | Callable[..., Any] | None = None
    with_bias: bool = False
    eval_for_output_loss: bool = False


@option_class
class CombineOptions(LayerOptions):
    """Options of ``combine``.

    Attributes:
        kind: add, sub, mul, ..., eval: how sources become one.
        eval: an expression of `source(i)`, or a function with the same arguments.
        eval_locals: further names of the expression.
        allow_broadcast_all_sources: no source needs to have all axes of the result.
        activation: applied to the result: a name or an expression.
        with_bias: a bias is added.
        eval_for_output_loss: the expression is applied to the losses of the sources, too; refused.
    """

    kind: str
    eval: str | Callable[..., Any] | None = None
    eval_locals: dict[str, Any] | None = None
    allow_broadcast_all_sources: bool | None = None
    activation: str | Callable[..., Any] | None = None
    with_bias: bool = False
    eval_for_output_loss: bool = False


@layer("eval", options=EvalOptions, sources="many", recurrent=True)
def eval_layer(b: LayerBuilder, opt: EvalOptions, sources: list[LayerOutput]) -> LayerOutput:
    """The value of a Python expression over the sources."""
    return _with_bias_and_activation(b, opt, _evaluated(b, opt, opt.eval, sources))


@layer("combine", options=CombineOptions, sources="many", recurrent=lambda opt, out: opt.kind == "eval")
def combine(b: LayerBuilder, opt: CombineOptions, sources: list[LayerOutput]) -> LayerOutput:
    """The sources joined from the left by a function of two, or by an expression (``kind: eval``)."""
    if (opt.kind == "eval") != (opt.eval is not None):
        raise ConfigError("'eval' belongs to kind 'eval'", where=b.place("eval" if opt.eval else "kind"))
    if not sources and opt.eval is None:
        raise ConfigError("a 'combine' layer needs a source", where=b.place("from"))
    if opt.eval is not None:
        return _with_bias_and_activation(b, opt, _evaluated(b, opt, opt.eval, sources))
    result_type, unified = _out_type(b, opt, sources)
    kind = _KINDS.get(opt.kind, opt.kind)
    function = find_function(b, "add" if kind == "average" else kind)
    if function is None:
        raise ConfigError(
            f"unknown kind {opt.kind!r}",
            where=b.place("kind"),
            expected="average, eval or a function of two tensors, such as add, sub, mul, truediv or maximum",
            hint=did_you_mean(opt.kind, ["average", "eval", *function_names()]),
        )
    result, *others = positional_sources(b, unified)
    try:
        for other in others:
            result = function(result, other)
        if kind == "average":
            result = result / float(len(sources))
        result = as_numbered(b, result)
    except (UnsupportedError, IRError, TypeError, ValueError) as error:
        raise ConfigError(f"kind {opt.kind!r} does not work here: {error}", where=b.place("kind")) from error
    return _with_bias_and_activation(b, opt, result_type.output(b, fit_axes(b, result.value, result.axes, result_type)))


def positional_sources(b: LayerBuilder, unified: Unified) -> list[Numbered]:
    """The sources with their axes counted as RETURNN counts them, without their labels' meaning."""
    return [
        Numbered(
            b,
            b.op("set_sparse", value, sparse_dim=None) if value.type.sparse_dim is not None else value,
            [d if d in value.dims else None for d in unified.axes],
        )
        for value in unified.values
    ]


def _out_type(
    b: LayerBuilder, opt: CombineOptions | EvalOptions, sources: list[LayerOutput]
) -> tuple[OutType, Unified]:
    given = opt.out_type
    out_type = called_out_type(b, given, sources) if callable(given) else b.options_dict("out_type")
    allow = opt.allow_broadcast_all_sources
    if allow is None:
        allow = opt.out_shape is not None or any(k in out_type for k in ("shape", "dim_tags", "dims"))
    # where out_type says what comes out, the expression may use its sources as it likes
    declared = callable(given) or any(k in out_type for k in ("shape", "dim_tags", "dims"))
    if not sources:
        return _out_type_alone(b, opt, out_type), Unified.nothing()
    result_type, unified = common_out_type(b, sources, allow_broadcast=allow or declared, ignore_features=declared)
    return with_out_type(b, result_type, opt.n_out, out_type), unified


def _out_type_alone(b: LayerBuilder, opt: CombineOptions | EvalOptions, given: Mapping[str, Any]) -> OutType:
    """The type of what an expression without sources gives, which nothing but ``out_type`` tells."""
    if not any(key in given for key in ("shape", "dim_tags", "dims")):
        size = given.get("dim", opt.n_out)
        sparse = given.get("sparse") or given.get("sparse_dim") is not None
        if not b.in_loop or (size is None and not sparse):
            raise ConfigError(
                "without sources nothing says what axes the result has",
                where=b.place("from"),
                expected="'out_type' with 'shape', 'dims' or 'dim_tags'",
                received=f"out_type {dict(given)!r}" if given else "no out_type",
            )
        given = {**given, "shape": () if sparse else (size,), "time_dim_axis": None}
    elif given.get("dims") is not None:  # unlike under the older names, an axis has the roles that are said
        given = {"time_dim_axis": None, "feature_dim_axis": None, **given}
    return with_out_type(b, OutType(()), opt.n_out, given)


def _evaluated(
    b: LayerBuilder, opt: CombineOptions | EvalOptions, code: str | Callable[..., Any], sources: list[LayerOutput]
) -> LayerOutput:
    if opt.eval_for_output_loss:
        raise ConfigError(
            "the losses of the sources are no tensors for the expression: RETURNN, too, refuses it",
            where=b.place("eval_for_output_loss"),
            hint="leave it out; layers with 'loss': 'as_is' add up what eval layers compute",
        )
    result_type, unified = _out_type(b, opt, sources)
    return evaluate_on_sources(b, code, opt.eval_locals or {}, sources, unified, result_type)


def _with_bias_and_activation(b: LayerBuilder, opt: CombineOptions | EvalOptions, x: LayerOutput) -> LayerOutput:
    if opt.with_bias:
        feature = b.require_feature(x)
        x = x.with_value(b.add(x.value, b.param("b", (feature,), 0.0)))
    return activate(b, opt.activation, x)


@option_class
class CompareOptions(LayerOptions):
    """Options of ``compare``.

    Attributes:
        kind: equal, less, ..., logical_and, ...: the test.
        value: compared with, besides the sources.
        allow_broadcast_all_sources: no source needs to have all axes of the result.
    """

    kind: str = "equal"
    value: float | int | bool | None = None
    allow_broadcast_all_sources: bool | None = None


@layer("compare", options=CompareOptions, sources="many")
def compare(b: LayerBuilder, opt: CompareOptions, sources: list[LayerOutput]) -> LayerOutput:
    """Whether each source compares with the next one, and the last one with ``value``."""
    kind = _COMPARISONS.get(opt.kind, opt.kind)
    if kind not in _COMPARE_KINDS:
        raise ConfigError(
            f"unknown kind {opt.kind!r}",
            where=b.place("kind"),
            expected=", ".join(_COMPARE_KINDS),
            hint=did_you_mean(opt.kind, _COMPARE_KINDS),
        )
    if opt.value is None and len(sources) < 2:
        raise ConfigError("compare needs two sources, or 'value'", where=b.place("from"))
    out_type = b.options_dict("out_type")
    allow = opt.allow_broadcast_all_sources
    if allow is None:
        allow = opt.out_shape is not None or any(k in out_type for k in ("shape", "dim_tags", "dims"))
    result_type, unified = common_out_type(b, sources, allow_broadcast=allow)
    values = [x.value for x in positional_sources(b, unified)]
    tests = [b.binary(kind, x, y) for x, y in itertools.pairwise(values)]
    if opt.value is not None:
        tests.append(b.binary(kind, values[-1], opt.value))
    result = tests[0]
    for test in tests[1:]:
        result = b.binary("logical_and", result, test)
    axes = tuple(d for d in result_type.axes if d in result.dims)
    time = result_type.time_dim if result_type.time_dim in axes else None
    feature = unified.feature_dim if unified.feature_dim in axes else None
    return LayerOutput(result, axes, time, feature)


@option_class
class SwitchOptions(LayerOptions):
    """Options of ``switch``.

    Attributes:
        condition: a truth value, or a layer with one per entry.
        true_from: what is taken where it is true: a layer or a number.
        false_from: what is taken elsewhere.
    """

    condition: LayerRef | Callable[..., Any] | bool
    true_from: LayerRef | float | int | bool | None
    false_from: LayerRef | float | int | bool | None


@layer("switch", options=SwitchOptions, sources="none")
def switch(b: LayerBuilder, opt: SwitchOptions) -> LayerOutput:
    """``true_from`` where the condition holds, else ``false_from``; a callable condition is asked while building."""
    condition: Any = opt.condition
    if callable(condition) and not isinstance(condition, str):
        condition = _decided(b, opt)
    if isinstance(condition, bool):
        chosen = opt.true_from if condition else opt.false_from
        if isinstance(chosen, str):
            return b.layer(chosen)
        return LayerOutput.of(b.const(chosen), ())
    test = b.scope.typed(str(condition), b.place("condition"))
    branches = [x for x in (opt.true_from, opt.false_from) if isinstance(x, str)]
    if test is None and not branches:  # nothing but the condition says which axes there are
        raise UntypedError("the type of the condition is not known yet", where=b.place("condition"))
    if test is None:  # while types are being found; it has no say in this layer's
        return b.scope.known(branches, b.place())[0]
    if test.dtype != "bool":
        raise ConfigError("the condition is not a bool", where=b.place("condition"), received=test.value.type)
    return _where(b, test, opt.true_from, opt.false_from)


def _decided(b: LayerBuilder, opt: SwitchOptions) -> bool:
    options = {k: v for k, v in b.definition.raw.items() if k != "class"}
    function: Any = opt.condition
    try:
        answer = function(**options, name=b.definition.name, network=NetworkView(traced_facts(b)), get_layer=b.layer)
    except UserError:
        raise
    except Exception as error:  # the config's own function runs here
        raise ConfigError(
            f"the condition function fails: {type(error).__name__}: {error}",
            where=b.place("condition"),
            expected="a function of name, network, get_layer and the layer's options, with **kwargs",
        ) from error
    if not isinstance(answer, bool):
        raise ConfigError("the condition function gives no bool", where=b.place("condition"), received=repr(answer))
    return answer


def _where(b: LayerBuilder, test: LayerOutput, first: Any, second: Any) -> LayerOutput:
    known = iter(b.scope.known([x for x in (first, second) if isinstance(x, str)], b.place()))
    branches = [next(known, None) if isinstance(x, str) else x for x in (first, second)]
    layers = [x for x in branches if isinstance(x, LayerOutput)]
    result_type, unified = common_out_type(b, [*layers, test], allow_broadcast=not b.behavior.explicit_broadcast)
    model = branches[0] if isinstance(branches[0], LayerOutput) else layers[0] if layers else None
    values = iter(unified.values)
    operands = [next(values) if isinstance(x, LayerOutput) else x for x in branches if x is not None]
    if len(operands) == 1:  # the other one's type is still being found
        operands *= 2
    dtype = model.dtype if model is not None else None
    sparse = model.sparse_dim if model is not None else None
    if dtype is None:
        dtype = "float32" if any(isinstance(x, float) for x in operands) else "int32"
    left, right = (b.cast(x, dtype) if not isinstance(x, (int, float)) else b.const(x, dtype) for x in operands)
    value = b.op("where", unified.values[-1], left, right)
    axes = tuple(d for d in result_type.axes if d in value.dims)
    time = result_type.time_dim if result_type.time_dim in axes else None
    feature = unified.feature_dim if unified.feature_dim in axes else None
    return OutType(axes, time, feature, sparse, dtype).output(b, value)
