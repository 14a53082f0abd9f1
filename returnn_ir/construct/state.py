"""What the layers of one program share: mode, inputs, parameters, constraints, losses and state."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from returnn_ir.behavior import Behavior
from returnn_ir.construct.initializers import Init
from returnn_ir.construct.inputs import ExternData
from returnn_ir.construct.network_keys import NetworkKeys
from returnn_ir.facade.access import DATA_ONLY, TRUSTED, AttributeRule
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Graph, Region, Value
from returnn_ir.ir.mode import Mode

__all__ = ["EPOCH_STEP", "AwaitedParam", "PackedBatch", "Param", "ProgramState", "Splits", "axis_splits"]

#: For each axis of a parameter the sizes of its blocks.
Splits: TypeAlias = tuple[tuple[int, ...], ...]

#: The input with the number of the step within the epoch, int64 scalar; states kept over an epoch start at step 0.
EPOCH_STEP = "epoch_step"


@dataclass(frozen=True)
class Param:
    """A parameter of the program.

    Attributes:
        name: RETURNN's variable name.
        dims: its axes as first created.
        layer: the path of the layer that made it.
        splits: for each axis the sizes of the blocks that it consists of (the gates of an LSTM, the features of several
            sources), which a copy into a network of another size keeps apart.
        updater_opts: how its layer wants it to be updated, in the optimizer's own words.
        decay: the factor of L2 where that is no part of the loss (``decouple_constraints``).
        may_be_missing: a checkpoint may lack it; then it keeps its initial value.
    """

    name: str
    value: Value
    dims: tuple[Dim, ...]
    init: Init
    trainable: bool
    layer: str
    splits: Splits
    updater_opts: Mapping[str, Any] = field(default_factory=dict)
    decay: float = 0.0
    may_be_missing: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape before the first run: a kept state has no rows then."""
        return tuple(0 if d.size is None else d.size for d in self.dims)

    @property
    def is_kept(self) -> bool:
        """Whether it is a state from the run before, whose size is that of a batch; no checkpoint has it."""
        return not all(d.is_static for d in self.dims)

    @property
    def size(self) -> int:
        """The number of entries."""
        return math.prod(self.shape)


def axis_splits(dims: Sequence[Dim], blocks: Mapping[Dim, Sequence[int]]) -> Splits:
    """The blocks of axes, some of which are given; the others are one block, and so are those that do not add up."""
    sizes = [dim.size or 0 for dim in dims]
    given = [tuple(blocks.get(dim, ())) for dim in dims]
    return tuple(own if sum(own) == size else (size,) for own, size in zip(given, sizes, strict=True))


@dataclass(frozen=True)
class PackedBatch:
    """A batch axis that was made of others.

    Attributes:
        dims: these axes, the outermost first.
        mask: which of their entries are there, None for all of them.
    """

    dims: tuple[Dim, ...]
    mask: Value | None


@dataclass(frozen=True)
class AwaitedParam:
    """A parameter that is computed from, or is, one of a layer that is not built yet.

    Attributes:
        stand_in: what the layer that needs it works with until then.
        find: gives the parameter, once everything is built.
    """

    stand_in: Value
    find: Callable[[], Param]


@dataclass
class ProgramState:
    """The state of expanding one network into one graph.

    Attributes:
        mode: ``train``, ``eval``, ``search`` or ``forward``.
        keys: of the config, those that change what the network computes.
        options: the config, for expressions that ask for it.
        trusted: whether the network is Python, whose expressions may use everything; else it is data.
        layer_params: parameters by layer path and their name within the layer, for ``reuse_params``.
        awaited: parameters of layers that need the one whose parameters they are, by (layer path, name).
        dims: dims made by layers, by (layer path, role).
        declared: what is there in place of a dim: the user's (``out_dim``) for a derived one that a layer made; outside
            of a loop, the one with all lengths for one that grows in it. To compare dims, see ``LayerBuilder.tag_of``.
        settled: what dims of the user turned out to be, by the dim that the config has.
        names: what else ``stag:NAME`` may call a dim: layers share a derived dim here, each has its own in RETURNN.
        same_tag: dims that are another one for RETURNN, by what they are here: with the lengths of some hypotheses of
            it, or the axis of a loop in what the loop sees as a whole.
        rebatched: what a dim becomes when its lengths go from one batch axis to another, by (dim, new batch axis).
        requested: paths of layers inside of others that somebody outside asks for.
        extra: the prefix of an extra network (``extra.search``); its losses and random draws are its own.
        losses: whether losses are built; without them the program needs no targets.
        frozen: paths of layers with ``trainable`` off, which holds for all layers inside of them too.
        source_blocks: of layers that only join their sources, the sizes of what they join, by path.
        packed: how batch axes without padding came about (``flatten_batch``).
        updater_opts: of the layers, by the name of a parameter: its own layer's, else that of the one around it.
        decays: factors of L2 that is no part of the loss, by the name of a parameter.
    """

    graph: Graph
    mode: Mode
    behavior: Behavior
    extern: ExternData
    keys: NetworkKeys
    options: Mapping[str, Any]
    trusted: bool = False
    params: dict[str, Param] = field(default_factory=dict)
    layer_params: dict[str, dict[str, Param]] = field(default_factory=dict)
    awaited: dict[tuple[str, str], AwaitedParam] = field(default_factory=dict)
    dims: dict[tuple[str, str], Dim] = field(default_factory=dict)
    declared: dict[Dim, Dim] = field(default_factory=dict)
    settled: dict[Dim, Dim] = field(default_factory=dict)
    names: dict[Dim, set[str]] = field(default_factory=dict)
    same_tag: dict[Dim, Dim] = field(default_factory=dict)
    rebatched: dict[tuple[Dim, Dim], Dim] = field(default_factory=dict)
    packed: dict[Dim, PackedBatch] = field(default_factory=dict)
    source_blocks: dict[str, tuple[int, ...]] = field(default_factory=dict)
    constraints: list[Value] = field(default_factory=list)
    updater_opts: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    decays: dict[str, float] = field(default_factory=dict)
    frozen: set[str] = field(default_factory=set)
    requested: frozenset[str] = frozenset()
    losses: bool = True
    extra: str = ""

    def note(self, path: str, text: str) -> None:
        """Say something about the layer at a path, once."""
        line = f"layer {path!r}: {text}"
        if line not in self.graph.notes:
            self.graph.notes.append(line)

    def is_trained(self, path: str) -> bool:
        """Whether the parameters of the layer at a path are trained."""
        return not any(path == frozen or path.startswith(f"{frozen}/") for frozen in self.frozen)

    @property
    def attributes(self) -> AttributeRule:
        """What an expression of the network may look at."""
        return TRUSTED if self.trusted else DATA_ONLY

    @property
    def root(self) -> Region:
        """Where inputs and parameters live."""
        return self.graph.body

    @property
    def loss_mode(self) -> Mode:
        """The mode as far as losses are concerned: ``forward`` where nobody wants them."""
        return self.mode if self.losses else Mode.FORWARD

    @property
    def training(self) -> bool:
        """The train flag, a constant of the program."""
        return self.mode == Mode.TRAIN

    @property
    def masks_tails(self) -> bool:
        """The config's ``padding = "masked"``: window ops see the neutral element behind each sequence's end."""
        return self.keys.padding == "masked"

    @property
    def searching(self) -> bool:
        """The search flag."""
        return ".search" in self.extra if self.extra else self.mode == Mode.SEARCH

    @property
    def independent_scores(self) -> bool:
        """The config's ``search_scores = "independent"``: a hypothesis' score depends on nothing else in the batch."""
        return self.keys.search_scores == "independent"
