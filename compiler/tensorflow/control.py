"""Branches and loops."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import cast

import tensorflow as tf

from compiler.tensorflow.call import Call, Row
from compiler.tensorflow.environment import Frame
from compiler.tensorflow.loops.gradient import can_compute_again, run_with_gradient
from compiler.tensorflow.loops.loop import Loop, in_order, run, settle_extents
from compiler.tensorflow.loops.until import run_until
from returnn_ir.ir.graph import Region

__all__ = ["ROWS"]


def _loop(call: Call, operands: Sequence[tf.Tensor]) -> Sequence[tf.Tensor]:
    settle_extents(call.frame, call.node.regions[0])
    if call.attrs["ends"]:
        return run_until(call, operands)
    loop = Loop.of(call)
    if call.frame.feed.differentiated and can_compute_again(loop.region):
        return run_with_gradient(loop, operands)
    return run(loop, operands)[0]


def _cond(call: Call, operands: Sequence[tf.Tensor]) -> Sequence[tf.Tensor]:
    for region in call.node.regions:
        settle_extents(call.frame, region)
    branches = [functools.partial(_branch, call, region) for region in call.node.regions]
    return cast("Sequence[tf.Tensor]", tf.cond(operands[0], *branches))


def _branch(call: Call, region: Region) -> list[tf.Tensor]:
    frame = Frame(region, call.frame.feed, call.frame, call.frame.loop_index)
    tensors = call.lower_region(region, frame, [])
    types = [v.type for v in call.node.results]
    # an identity, because a branch may give a tensor from outside as it is
    return [tf.identity(in_order(x, v.dims, t)) for x, v, t in zip(tensors, region.results, types, strict=True)]


ROWS: dict[str, Row] = {"loop": _loop, "cond": _cond}
