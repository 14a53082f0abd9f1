"""Random spellings of attention, as small graphs in the NAMED stage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from compiler.target.protocol import Array
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import BATCH, Dim
from returnn_ir.ir.graph import Graph, Output, Value

__all__ = ["AttentionNet"]

#: Valid frames of queries and of keys; the longest is the extent in memory. A sequence has no keys.
_LENGTHS = {"T": np.array([4, 3, 0]), "N": np.array([2, 0, 5])}
_EXTENTS = {name: int(lengths.max()) for name, lengths in _LENGTHS.items()}
_T = TypeVar("_T")
Stepped = tuple[list[Value], list[Value]]


@dataclass
class AttentionNet:
    """One attention; ``choose(n)`` gives a number below n.

    Attributes:
        draws: it has dropout.
        gaps: what stands behind the ends of keys is no number.
        built: what was chosen, for messages.
    """

    choose: Callable[[int], int]
    draws: bool = False
    gaps: bool = True
    built: list[str] = field(default_factory=list)
    graph: Graph = field(default_factory=Graph)
    inputs: dict[str, Array] = field(default_factory=dict)
    params: dict[str, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.b = Builder(self.graph.body)
        self.rng = np.random.default_rng(3)
        self.time, self.keys = Dim("T"), Dim("N")
        self.features, self.values = Dim("F", 4, feature=True), Dim("V", 3, feature=True)
        self.head_dims = tuple(Dim(f"H{i}", 2 + i) for i in range(self.pick("heads", 0, 1, 1, 2)))
        for dim in (self.time, self.keys):
            length = self.b.op("input", name=f"{dim.name}/size", dtype="int64", dims=(BATCH,))
            self.inputs[f"{dim.name}/size"] = _LENGTHS[dim.name]
            self.b.define(dim, length)
        self.b.define(BATCH, self.b.op("size_of", length, dim=BATCH))

    def pick(self, what: str, *options: _T) -> _T:
        """One of some options."""
        chosen = options[self.choose(len(options))]
        self.built.append(f"{what}={chosen}")
        return chosen

    def shape(self, *dims: Dim) -> list[int]:
        """Extents in memory."""
        return [len(_LENGTHS["T"]) if d is BATCH else d.size or _EXTENTS[d.name] for d in dims]

    def input(self, name: str, *dims: Dim) -> Value:
        """Random numbers times a parameter."""
        array = self.rng.standard_normal(self.shape(*dims)).astype("float32")
        if self.gaps and self.keys in dims:
            behind = np.arange(_EXTENTS["N"]) >= _LENGTHS["N"][:, None]
            array[np.moveaxis(np.broadcast_to(behind, self._last(array, dims)), (-2, -1), self._places(dims))] = np.nan
        self.inputs[name] = array
        x = self.b.op("input", name=name, dtype="float32", dims=dims)
        return self.b.mul(x, self.param(f"{name}/gain", dims[-1]))

    def _places(self, dims: tuple[Dim, ...]) -> tuple[int, int]:
        return dims.index(BATCH), dims.index(self.keys)

    def _last(self, array: Array, dims: tuple[Dim, ...]) -> tuple[int, ...]:
        return np.moveaxis(array, self._places(dims), (-2, -1)).shape

    def mask(self, name: str, *dims: Dim) -> Value:
        """Random truth values."""
        self.inputs[name] = self.rng.random(self.shape(*dims)) < 0.6
        return self.b.op("input", name=name, dtype="bool", dims=dims)

    def param(self, name: str, *dims: Dim) -> Value:
        """A trainable parameter."""
        self.params[name] = self.rng.standard_normal(self.shape(*dims)).astype("float32")
        self.graph.trainable.append(name)
        return self.b.op("param", name=name, dtype="float32", dims=dims)

    # ---------------------------------------------------------------- parts

    def build(self) -> AttentionNet:
        """The whole graph."""
        heads = self.head_dims
        place = self.pick("place", "whole", "whole", "self", "causal", "step", "beam")
        rows = {"step": (), "beam": (Dim("K", 3),)}.get(place, (self.time,))
        own = [d for d in rows if d is not self.time]
        query = self.input("q", *self._mixed(BATCH, self.time, *own, *heads), self.features)
        if place in ("self", "causal"):
            self.keys = self._own_keys(causal=place == "causal")
            key, value = (
                self.b.rename(self.input(name, *self._mixed(BATCH, self.time, *heads), last), (self.time, self.keys))
                for name, last in (("k", self.features), ("v", self.values))
            )
        else:
            key = self.input("k", *self._mixed(BATCH, self.keys, *heads), self.features)
            value = self.input("v", *self._mixed(BATCH, self.keys, *heads), self.values)
        further = self._further(place, rows)
        if place in ("step", "beam"):
            result = self._in_loop(query, lambda q: self._attention(q, key, value, further))
        else:
            result = self._attention(query, key, value, further)
        self.graph.outputs["y"] = Output(result, result.dims)
        squared = self.b.mul(self.b.unary("sin", result), result)
        self.graph.objective = self.b.reduce("sum", squared, *result.dims, mask=False)
        return self

    def _mixed(self, *dims: Dim) -> tuple[Dim, ...]:
        """Time-major or batch-major."""
        return (dims[1], dims[0], *dims[2:]) if self.choose(2) else dims

    def _own_keys(self, *, causal: bool) -> Dim:
        keys = Dim("keys")
        self.b.define(keys, self.b.add(self.b.iota(self.time), 1) if causal else self.b.length(self.time))
        return keys

    def _in_loop(self, query: Value, attention: Callable[[Value], Value]) -> Value:
        """In each step of a loop, the query of which depends on the step before."""
        b = self.b

        def step(i: Value, carries: list[Value], slices: list[Value]) -> Stepped:
            q = b.unary("tanh", b.add(slices[0], carries[0]))
            result = attention(q)
            return [b.add(q, b.reduce("sum", result, self.values))], [result]

        start = b.expand(b.const(0.5), *(d for d in query.dims if d is not self.time))
        _, (stacked,) = b.loop(self.time, [start], [query], step)
        return stacked

    def _further(self, place: str, rows: tuple[Dim, ...]) -> list[Callable[[Value, Value], Value]]:
        """What becomes of the energies, given the query: made outside of the loop."""
        b, kind = self.b, self.pick("further", "none", "none", "matrix", "by head", "relative", "mask", "both")
        steps: list[Callable[[Value, Value], Value]] = []
        in_own_time = place in ("self", "causal")
        keys = self.time if in_own_time else self.keys

        def named(x: Value) -> Value:
            return b.rename(x, (self.time, self.keys)) if in_own_time else x

        if kind in ("matrix", "both") and rows and not in_own_time:
            term = self.param("term", *rows, keys)
            steps.append(lambda e, q: b.add(e, term))
        if kind in ("by head", "both"):
            slopes = named(self.param("slopes", *self.head_dims[:1], keys))
            steps.append(lambda e, q: b.sub(e, slopes))
        if kind == "relative":
            shifts = named(self.param("shifts", keys, self.features))
            steps.append(lambda e, q: b.add(b.dot(q, shifts, self.features), e))
        if kind in ("mask", "both"):
            allowed = named(self.mask("allowed", BATCH, keys))
            steps.append(lambda e, q: b.where(allowed, e, -1e30))
        return steps

    def _attention(
        self, query: Value, key: Value, value: Value, further: list[Callable[[Value, Value], Value]]
    ) -> Value:
        b = self.b
        place = self.pick("scale", "none", "query", "key", "energies", "quotient")
        query = b.mul(query, 0.5) if place == "query" else query
        key = b.mul(key, 0.5) if place == "key" else key
        pair = (query, key) if self.pick("turned", False, True) else (key, query)
        energies = b.dot(*pair, self.features)
        energies = b.mul(energies, 0.5) if place == "energies" else energies
        for step in further:
            energies = step(energies, query)
        energies = b.div(energies, 2.0) if place == "quotient" else energies
        one = Dim("one", 1)
        moves = self.pick("moves", "none", "unit", "name")
        energies = b.expand(energies, one) if moves == "unit" else energies
        weights = self._softmax(energies)
        weights = b.op("squeeze", weights, dim=one) if moves == "unit" else weights
        if moves == "name":
            other = Dim("other")
            b.define(other, b.length(self.keys))
            weights, value = (b.rename(x, (self.keys, other)) for x in (weights, value))
            return b.dot(weights, value, other)
        return b.dot(value, weights, self.keys, mask=self.pick("again", False, True) or self.keys.name == "N")

    def _softmax(self, energies: Value) -> Value:
        b = self.b
        if self.pick("logarithm", False, False, True):
            weights = b.unary("exp", b.op("log_softmax", energies, dims=(self.keys,)))
        else:
            weights = b.op("softmax", energies, dims=(self.keys,))
        if self.draws:
            draw = b.op("random", kind="uniform", path="y/dropout", dims=weights.dims)
            weights = b.mul(b.mul(weights, b.unary("floor", b.add(draw, 0.7))), 1 / 0.7)
        return weights
