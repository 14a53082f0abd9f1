"""Branches and loops."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import cast

import tensorflow as tf

from compiler.tensorflow.call import Call, Row
from compiler.tensorflow.environment import Environment
from compiler.tensorflow.loops.gradient import can_compute_again, run_with_gradient
from compiler.tensorflow.loops.loop import Loop, in_order, run, settle_extents
from compiler.tensorflow.loops.until import run_until
from returnn_ir.ir.graph import Region
from returnn_ir.ir.loop import LoopView

__all__ = ["ROWS"]


def _loop(call: Call, operands: Sequence[tf.Tensor]) -> Sequence[tf.Tensor]:
    view = LoopView.of(call.node)
    settle_extents(call.env, view.region)
    if view.end is not None:
        return run_until(call, view, operands)
    loop = Loop.of(call, view)
    if call.env.feed.differentiated and can_compute_again(loop.region):
        return run_with_gradient(loop, operands)
    return run(loop, operands).results


def _cond(call: Call, operands: Sequence[tf.Tensor]) -> Sequence[tf.Tensor]:
    for region in call.node.regions:
        settle_extents(call.env, region)
    branches = [functools.partial(_branch, call, region) for region in call.node.regions]
    return cast("Sequence[tf.Tensor]", tf.cond(operands[0], *branches))


def _branch(call: Call, region: Region) -> list[tf.Tensor]:
    env = Environment(region, call.env.feed, call.env, call.env.loop_index)
    tensors = call.lower_region(region, env, [])
    types = [v.type for v in call.node.results]
    # an identity, because a branch may give a tensor from outside as it is
    return [tf.identity(in_order(x, v.dims, t)) for x, v, t in zip(tensors, region.results, types, strict=True)]


ROWS: dict[str, Row] = {"loop": _loop, "cond": _cond}
