"""Losses between dense outputs and targets."""

from __future__ import annotations

from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.errors import ConfigError
from returnn_ir.ir.graph import Value
from returnn_ir.losses.framewise import aligned_target, frame_error
from returnn_ir.network.loss_registry import LossInput, LossOptions, LossResult, loss

__all__: list[str] = []


def _difference(b: LayerBuilder, x: LossInput[LossOptions], *, labels_allowed: bool) -> Value:
    target = aligned_target(b, x)
    feature = b.require_feature(x.output)
    if target.sparse_dim is None:
        return b.sub(x.output.value, target.value)
    if not labels_allowed:
        raise ConfigError("the loss needs a dense target", where=b.place("target"), received="labels")
    one_hot = b.cast(b.binary("equal", b.iota(feature), b.labels(target.value, feature)), "float32")
    return b.sub(x.output.value, one_hot)


def _result(b: LayerBuilder, x: LossInput[LossOptions], value: Value) -> LossResult:
    return LossResult(value, frame_error(b, x.output, aligned_target(b, x)))


@loss("mse")
def mean_squared_error(b: LayerBuilder, x: LossInput[LossOptions]) -> LossResult:
    """Per frame the mean of squared differences; labels are taken as one-hot vectors."""
    difference = _difference(b, x, labels_allowed=True)
    return _result(b, x, b.reduce("mean", b.mul(difference, difference), b.require_feature(x.output)))


@loss("mean_l1")
def mean_l1(b: LayerBuilder, x: LossInput[LossOptions]) -> LossResult:
    """Per frame the mean of absolute differences."""
    difference = b.unary("abs", _difference(b, x, labels_allowed=False))
    return _result(b, x, b.reduce("mean", difference, b.require_feature(x.output)))


@loss("l1")
def l1(b: LayerBuilder, x: LossInput[LossOptions]) -> LossResult:
    """Per frame the sum of absolute differences."""
    difference = b.unary("abs", _difference(b, x, labels_allowed=False))
    return _result(b, x, b.reduce("sum", difference, b.require_feature(x.output)))
