"""Layers: linear and what is next to it (softmax, activation, copy, dropout)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import chain
from typing import Any, Literal

from returnn_ir.axes.output import LayerOutput
from returnn_ir.construct.initializers import Init, option_init
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.layers.dense.activations import activate
from returnn_ir.losses.sampled import SAMPLING_LOSS, product_parts
from returnn_ir.network.layer_options import LayerOptions, LayerRef, SourceOptions
from returnn_ir.network.layer_registry import layer
from returnn_ir.options import NonNegative, Size, option_class

__all__: list[str] = []


@option_class
class LinearOptions(SourceOptions):
    """Options of ``linear``.

    Attributes:
        activation: applied to the result: a name or an expression.
        with_bias: a bias is added.
        grad_filter: where the largest squared gradient of a sequence is not below it, there is none.
        forward_weights_init: initial value of the weights for the input.
        bias_init: initial value of the bias.
        use_transposed_weights: the matrix is stored with the output in front.
    """

    activation: str | Callable[..., Any] | None = None
    with_bias: bool = True
    grad_filter: NonNegative | None = None
    forward_weights_init: Init = "glorot_uniform"
    bias_init: Init = 0.0
    use_transposed_weights: bool = False


@layer("linear", "hidden", "forward", options=LinearOptions, names_time=True, keeps_feature=True)
def linear(b: LayerBuilder, opt: LinearOptions, x: LayerOutput) -> LayerOutput:
    """``activation(x W + b)`` over the feature axis; for labels W's rows are looked up."""
    out = b.out_feature_dim()
    return activate(b, opt.activation, _affine(b, opt, x, out))


def _filtered(b: LayerBuilder, opt: LinearOptions, x: LayerOutput, y: LayerOutput) -> LayerOutput:
    """What comes before the activation; RETURNN's ``grad_filter`` counts over the axes that the source has."""
    if not opt.grad_filter:
        return y
    dims = tuple(own for own, _ in zip(y.axes, x.axes, strict=False) if not own.is_batch)
    return y.with_value(b.op("filter_gradient", y.value, dims=dims, threshold=opt.grad_filter))


def _affine(b: LayerBuilder, opt: LinearOptions, x: LayerOutput, out: Any) -> LayerOutput:
    labels = x.sparse_dim
    feature = labels if labels is not None else b.require_feature(x)
    dims = (out, feature) if opt.use_transposed_weights else (feature, out)
    blocks = list(chain.from_iterable(b.source_blocks()))
    weights = b.param("W", dims, option_init(opt, "forward_weights_init"), splits={feature: blocks})
    if labels is not None:
        value = b.op("gather", weights, b.labels(x.value, labels), dim=labels)
        result = LayerOutput(value, (*x.axes, out), x.time_dim, out)
    else:
        value = b.dot(x.value, weights, feature)
        result = x.with_axes(value, {feature: (out,)})
    bias = b.param("b", (out,), option_init(opt, "bias_init")) if opt.with_bias else None
    if bias is not None:
        result = result.with_value(b.add(result.value, bias))
    result = _filtered(b, opt, x, result)
    if opt.loss != SAMPLING_LOSS:
        return result
    return replace(result, parts=product_parts(x, weights, bias, by_rows=opt.use_transposed_weights))


@option_class
class SoftmaxOptions(LinearOptions):
    """Options of ``softmax``.

    Attributes:
        activation: softmax, and nothing else.
    """

    activation: Literal["softmax"] | None = "softmax"


@layer("softmax", options=SoftmaxOptions, names_time=True, keeps_feature=True)
def softmax(b: LayerBuilder, opt: SoftmaxOptions, x: LayerOutput) -> LayerOutput:
    """``softmax(x W + b)`` over the output features."""
    return activate(b, "softmax", _affine(b, opt, x, b.out_feature_dim()))


@option_class
class CopyOptions(SourceOptions):
    """Options of ``copy``.

    Attributes:
        extra_deps: layers that are computed before.
    """

    extra_deps: LayerRef | list[LayerRef] | tuple[LayerRef, ...] = ()


@layer("copy", options=CopyOptions, any_size=True, joins_sources=True)
def copy(b: LayerBuilder, opt: CopyOptions, x: LayerOutput) -> LayerOutput:
    """The sources, joined over features; ``extra_deps`` are built too."""
    for name in [opt.extra_deps] if isinstance(opt.extra_deps, str) else opt.extra_deps:
        b.layer(name)
    return x


@option_class
class IdentityOptions(LayerOptions):
    """Options of ``identity``.

    Attributes:
        control_dependencies: layers that are computed before, such as assignments.
    """

    control_dependencies: list[LayerRef] | tuple[LayerRef, ...] | None = None


@layer("identity", options=IdentityOptions, sources="one", any_size=True)
def identity(b: LayerBuilder, opt: IdentityOptions, x: LayerOutput) -> LayerOutput:
    """The source; what its ``control_dependencies`` do is done, too."""
    for name in opt.control_dependencies or ():
        b.layer(name)
    return replace(x, activation=None)


@option_class
class PrintOptions(SourceOptions):
    """Options of ``print``.

    Attributes:
        summarize: how many entries are shown.
        extra_print_args: what is shown before.
    """

    summarize: int | None = 99
    extra_print_args: list[Any] | tuple[Any, ...] = ()


@layer("print", options=PrintOptions, sources="one")
def print_(b: LayerBuilder, opt: PrintOptions, x: LayerOutput) -> LayerOutput:
    """The source, which is shown in every run (not by a model file)."""
    title = " ".join(["print", b.definition.path, *map(str, opt.extra_print_args)])
    summarize = opt.summarize if opt.summarize is not None and opt.summarize >= 0 else None
    return x.with_value(b.op("print", x.value, title=title, summarize=summarize))


@option_class
class SourceLayerOptions(LayerOptions):
    """Options of ``source``.

    Attributes:
        data_key: of the input; None: the default one.
    """

    data_key: str | None = None


@layer("source", options=SourceLayerOptions, sources="none")
def source(b: LayerBuilder, opt: SourceLayerOptions) -> LayerOutput:
    """An input of the network that the layer stands in."""
    return b.layer("data" if opt.data_key is None else f"data:{opt.data_key}")


@layer("dropout", options=SourceOptions, any_size=True, joins_sources=True)
def dropout(b: LayerBuilder, opt: SourceOptions, x: LayerOutput) -> LayerOutput:
    """The sources, joined, with dropout in training."""
    return x


@option_class
class ActivationOptions(SourceOptions):
    """Options of ``activation``.

    Attributes:
        activation: the function.
        opts: further arguments of the function.
    """

    activation: str | Callable[..., Any] | None
    opts: dict[str, Any] | None = None


def _is_over_frames(opt: ActivationOptions, out: LayerOutput) -> bool:
    """A softmax of whatever axis comes last."""
    softmax = isinstance(opt.activation, str) and "softmax" in opt.activation
    return softmax and bool(out.axes) and out.axes[-1].is_dynamic


@layer("activation", options=ActivationOptions, recurrent=_is_over_frames)
def activation(b: LayerBuilder, opt: ActivationOptions, x: LayerOutput) -> LayerOutput:
    """An activation function on the joined sources; a softmax brings the feature axis to the end."""
    if isinstance(opt.activation, str) and "softmax" in opt.activation:
        feature = b.require_feature(x)
        x = replace(x, axes=(*(d for d in x.axes if d is not feature), feature))
    return activate(b, opt.activation, x, opts=opt.opts)


@option_class
class HdfDumpOptions(LayerOptions):
    """Options of ``hdf_dump``.

    Attributes:
        filename: of the HDF file.
        extra: further layers for the file, by name.
        dump_whole_batches: batches as they are, not sequences.
        labels: names of the labels.
        extend_existing_file: the file may be there.
        dump_per_run: a file per run.
    """

    filename: str | Callable[[], str]
    extra: dict[str, LayerRef] | None = None
    dump_whole_batches: bool = False
    labels: list[str] | None = None
    extend_existing_file: bool = False
    dump_per_run: bool = False


@layer("hdf_dump", options=HdfDumpOptions, sources="one")
def hdf_dump(b: LayerBuilder, opt: HdfDumpOptions, x: LayerOutput) -> LayerOutput:
    """The source; a compiled program has no file to write to, which is said."""
    b.note("a compiled program writes no HDF file; task 'forward' of returnn-run writes a layer's output")
    return x


@option_class
class ImageSummaryOptions(LayerOptions):
    """Options of ``image_summary``.

    Attributes:
        max_outputs: how many pictures a step gives.
    """

    max_outputs: Size = 3


@layer("image_summary", options=ImageSummaryOptions, sources="one")
def image_summary(b: LayerBuilder, opt: ImageSummaryOptions, x: LayerOutput) -> LayerOutput:
    """The source; pictures for TensorBoard are not made, which is said."""
    b.note("no pictures are written for TensorBoard; task 'forward' of returnn-run writes a layer's output")
    return x
