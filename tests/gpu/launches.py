"""``python -m tests.gpu.launches [NET ...] [--device gpu] [--layers]``: what TensorFlow executes in a step of a loop.

A training step on a GPU costs what starting its kernels costs, and a few microseconds for each op around them: so these
are counted, in a trace of a small batch on the CPU, with TensorFlow's own graph optimizer as a GPU has it. All are ops
per frame (label) of the longest sequence: kernels; ops on lists of tensors; ops that stay on the host or only give on
what they get; and what TensorFlow's loops take for the tensors that go through them.
"""

from __future__ import annotations

import argparse
import os
import re
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from compiler.program.program import compile_net
from compiler.target.protocol import Array
from compiler.tensorflow.start import start_tensorflow
from returnn_ir import load
from tests.benchmarks.attention import AttentionWorkload

__all__ = ["KINDS", "NETS", "Executed", "executed"]

FRAMES, BATCH, CLASSES = 12, 2, 10
KINDS = ("kernels", "lists", "host", "loops")

_LOOPS = {"Merge", "Switch", "NextIteration", "LoopCond", "Enter", "Exit"}
_HOST = {"Const", "EnsureShape", "ExpandDims", "Identity", "NoOp", "Pack", "Reshape", "Shape", "Squeeze", "Unpack"}
#: They give a view of their operand's memory: a frame of a tensor, or an axis of size one elsewhere.
_VIEWS = {"StridedSlice", "Transpose", "_MklTranspose"}
_LABEL = re.compile(r"= (\w+)\(")
#: What is inlined has the names of the calls in its own, and the gradient those of the loop.
_AROUND = re.compile(r"((Stateful)?PartitionedCall|while|body|cond|gradients|IdentityN_grad|switch)?(_?\d+)*")


def _attention() -> dict[str, Any]:
    """The benchmark's, without loops in the encoder."""
    net = AttentionWorkload(units=8, inputs=4, labels=CLASSES).network()
    return net | {name: {"class": "linear", "activation": "tanh", "from": "data", "n_out": 8} for name in ("fw", "bw")}


def _transformer() -> dict[str, Any]:
    """A decoder with self-attention, which has no loop in training."""
    linear = {"class": "linear", "activation": None, "n_out": 8}
    attention = {"class": "self_attention", "num_heads": 2, "total_key_dim": 8, "n_out": 8, "attention_left_only": True}
    unit = {
        "embedding": {**linear, "from": "prev:output", "with_bias": False},
        "self": {**attention, "from": "embedding"},
        "hidden": {**linear, "activation": "relu", "from": ["self", "embedding"]},
        "prob": {"class": "softmax", "from": "hidden", "target": "classes", "loss": "ce"},
        "output": {"class": "choice", "target": "classes", "beam_size": 2, "from": "prob", "initial_output": 0},
    }
    return {"output": {"class": "rec", "from": [], "unit": unit, "target": "classes"}}


def _full_sum() -> dict[str, Any]:
    """The sum over all paths through a hidden Markov model whose transitions are learned."""
    unit = {
        "moved": {"class": "linear", "activation": "exp", "n_out": 8, "with_bias": False, "from": "prev:scores"},
        "scores": {"class": "eval", "from": ["data:source", "moved"], "eval": "source(0) + tf.math.log1p(source(1))"},
        "output": {"class": "copy", "from": "scores"},
    }
    return {
        "emissions": {"class": "linear", "activation": "log_softmax", "n_out": 8, "from": "data"},
        "paths": {"class": "rec", "from": "emissions", "unit": unit},
        "loss": {"class": "reduce", "mode": "logsumexp", "axis": "F", "from": "paths", "loss": "as_is"},
    }


def _gru() -> dict[str, Any]:
    return {
        "gru": {"class": "rec", "unit": "gru", "n_out": 8, "from": "data"},
        "output": {"class": "softmax", "loss": "ce", "target": "classes", "from": "gru"},
    }


#: By name, network dicts over `data` of 4 features and `classes`.
NETS = {"attention": _attention, "transformer": _transformer, "full sum": _full_sum, "gru": _gru}


@dataclass(frozen=True)
class Executed:
    """What one training step executed in loops.

    Attributes:
        ops: how often, by (gradient, layer path, op).
    """

    ops: Mapping[tuple[bool, str, str], int]

    def per_frame(self, gradient: bool) -> dict[str, float]:
        """Ops per frame by kind, in the loops of the gradient or in the others."""
        found = dict.fromkeys(KINDS, 0.0)
        for (backward, _, op), times in self.ops.items():
            if backward == gradient:
                found[_kind(op)] += times / FRAMES
        return found

    def kernels(self, gradient: bool) -> Counter[tuple[str, str]]:
        """How often by layer path and op."""
        found: Counter[tuple[str, str]] = Counter()
        for (backward, path, op), times in self.ops.items():
            if backward == gradient and _kind(op) == "kernels":
                found[path, op] += times
        return found


def _kind(op: str) -> str:
    if op in _LOOPS:
        return "loops"
    if op.startswith("TensorList"):
        return "lists"
    return "host" if op in _HOST | _VIEWS or op.endswith(" of int32") else "kernels"


def executed(net: Mapping[str, Any], device: str) -> Executed:
    """Trace a training step of a network and run it."""
    import tensorflow as tf

    from compiler.tensorflow.kernels.traced import TracedKernels

    extern = {"data": {"dim": 4}, "classes": {"dim": CLASSES, "sparse": True}}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "net.py")
        path.write_text(f"extern_data = {extern!r}\nnetwork = {dict(net)!r}\nbehavior_version = 16\n", encoding="utf-8")
        program = compile_net(load(path), target="tf", mode="train", device=device)
    executable: Any = program.executable
    v1 = tf.compat.v1
    inlined = mock.patch.object(TracedKernels, "call", lambda _, kernel, *args, **options: kernel(*args, **options))
    with tf.Graph().as_default() as graph, inlined:  # what is in a function of its own has no names in a trace
        fed = {}
        for name, node in executable.inputs.items():
            spec = executable.spec(node)
            fed[name] = v1.placeholder(spec.dtype, spec.shape)
        params = {name: v1.Variable(value) for name, value in program.initial_params().items()}
        fetches, gradients = executable.loss_and_gradients(fed, params)
        numbers = [tf.reshape(tf.convert_to_tensor(g), [-1])[0] for g in gradients.values()]
        with v1.Session(graph=graph, config=v1.ConfigProto()) as session:  # with the graph optimizer
            session.run(v1.global_variables_initializer())
            feed = {fed[name]: value for name, value in _batch().items() if name in fed}
            trace = v1.RunMetadata()
            options = v1.RunOptions(trace_level=v1.RunOptions.FULL_TRACE, output_partition_graphs=True)
            session.run([fetches["objective"], *numbers], feed, options, trace)
    return Executed(_in_loops(trace))


def _batch() -> dict[str, Array]:
    rng = np.random.default_rng(1)
    lengths = np.full(BATCH, FRAMES)
    lengths[1:] -= 3
    data = rng.standard_normal((BATCH, FRAMES, 4)).astype(np.float32)
    labels = rng.integers(1, CLASSES, (BATCH, FRAMES))
    return {"data": data, "data/size1": lengths, "classes": labels, "classes/size1": lengths}


def _in_loops(trace: Any) -> Counter[tuple[bool, str, str]]:
    nodes = {node.name: node for graph in trace.partition_graphs for node in graph.node}
    found: Counter[tuple[bool, str, str]] = Counter()
    for device in trace.step_stats.dev_stats:
        for times in device.node_stats:
            parts, label = times.node_name.split("/"), _LABEL.search(times.timeline_label)
            if label and any(re.fullmatch(r"while(_\d+)?", part) for part in parts):
                node = nodes.get(times.node_name)
                integers = node is not None and node.attr["T"].type == 3 and label[1] not in _LOOPS
                path = "/".join(part for part in parts[:-1] if not _AROUND.fullmatch(part))
                found["gradients" in parts, path, f"{label[1]} of int32" if integers else label[1]] += 1
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="count what a step of a loop executes")
    parser.add_argument("nets", nargs="*", metavar="NET", help=f"of {', '.join(NETS)} (default: all)")
    parser.add_argument("--device", default="gpu", help="what the program is compiled for (default %(default)s)")
    parser.add_argument("--layers", action="store_true", help="list the kernels by layer")
    args = parser.parse_args()
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    start_tensorflow()
    print(f"{'per frame':24}", *(f"{kind:>8}" for kind in (*KINDS, "all")))
    for name in args.nets or NETS:
        found = executed(NETS[name](), args.device)
        for gradient in (False, True):
            counts = found.per_frame(gradient)
            numbers = [counts[kind] for kind in KINDS]
            print(f"{name + (', gradient' if gradient else ''):24}", *(f"{n:8.1f}" for n in (*numbers, sum(numbers))))
            for (path, op), times in sorted(found.kernels(gradient).items()) if args.layers else ():
                print(f"    {times / FRAMES:5.1f} {op:24} {path}")


if __name__ == "__main__":
    main()
