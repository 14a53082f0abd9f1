"""The builder that a layer function gets: IR ops, and what only layers need (parameters, dims, other layers, axes)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from returnn_ir.axes import grammar as axis_grammar
from returnn_ir.axes.output import LayerOutput
from returnn_ir.axes.unify import Unified, unify
from returnn_ir.behavior import Behavior
from returnn_ir.config.dim_tags import SINGLE_STEP_DIM
from returnn_ir.construct.concat_sources import concat_features, source_blocks
from returnn_ir.construct.initializers import Init
from returnn_ir.construct.loop_context import LoopContext, conform
from returnn_ir.construct.parameters import ParamFlags, create_param
from returnn_ir.construct.scope_layers import ScopeLayers
from returnn_ir.construct.settled_dims import fixed
from returnn_ir.errors import ConfigError, DimError, Origin
from returnn_ir.expression.tracer import Tracer
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim, leaves
from returnn_ir.ir.graph import Value
from returnn_ir.ir.mode import Mode
from returnn_ir.network.loss_registry import find_loss

if TYPE_CHECKING:
    from returnn_ir.construct.scope import NetScope
    from returnn_ir.construct.state import ProgramState
    from returnn_ir.network.net import LayerDef

__all__ = ["LayerBuilder"]


class LayerBuilder(Tracer):
    """Builds one layer.

    Attributes:
        program: what all layers share.
        scope: the network this layer stands in.
        definition: the layer itself.
    """

    def __init__(self, program: ProgramState, scope: NetScope, definition: LayerDef) -> None:
        super().__init__(scope.region, origin=definition.origin)
        self.program = program
        self.scope = scope
        self.definition = definition
        #: what the layer's sources gave, as far as that is known
        self.sources: Sequence[LayerOutput] = ()

    # ---------------------------------------------------------------- where and how

    @property
    def behavior(self) -> Behavior:
        """The rules of the config's behaviour version."""
        return self.program.behavior

    @property
    def name(self) -> str:
        """The layer's name in its network."""
        return self.definition.name

    @property
    def mode(self) -> Mode:
        """What the program is for."""
        return self.program.mode

    @property
    def config_options(self) -> Mapping[str, Any]:
        """The config that the network stands in."""
        return self.program.options

    @property
    def training(self) -> bool:
        """Whether this program trains."""
        return self.program.training

    @property
    def searching(self) -> bool:
        """Whether this layer is part of a search."""
        return self.program.searching

    def place(self, key: str | None = None) -> Origin:
        """This layer's place, for a message."""
        return self.definition.key_origin(key) if key else self.definition.origin

    # ---------------------------------------------------------------- other layers and targets

    def layer(self, name: str) -> LayerOutput:
        """The output of another layer, by the name that the options use."""
        return self.scope.get(name, self.definition.origin_of(name))

    def target_key(self) -> str:
        """The data key, or ``layer:NAME``, of this layer's target; RETURNN's default is the config's ``target``."""
        targets = self.definition.targets()
        return targets[0] if targets else self.program.keys.target

    def target(self, key: str | None = None) -> LayerOutput:
        """The target: a layer of that name, or else a data key."""
        key = key or self.target_key()
        if key.startswith("layer:"):
            return self.layer(key.removeprefix("layer:"))
        if key in self.scope.net.layers and key != self.definition.name:
            return self.layer(key)
        return self.scope.get(f"data:{key}", self.place("target"))

    def target_dim(self, key: str | None = None) -> Dim | None:
        """What the target's labels number, or its features; unlike :meth:`target` this reads nothing of it."""
        key = key or self.target_key()
        if key.startswith("layer:") or (key in self.scope.net.layers and key != self.definition.name):
            return self.target(key).feature_or_sparse_dim
        return self.scope.whole(f"data:{key}", self.place("target")).feature_or_sparse_dim

    def batch(self) -> Dim:
        """The batch dim, for layers that have no source with it."""
        return self.program.extern.ensure_batch()

    def network_layers(self) -> ScopeLayers:
        """The layers and data of this layer's network, for code of the config."""
        return ScopeLayers(self, self.scope)

    # ---------------------------------------------------------------- axes and dims

    def axes(self, x: LayerOutput, spec: object, key: str = "axis") -> list[Dim]:
        """The axes that a description names; ``key`` is the option it came from."""
        given, names = self._declared(x, spec), self.program.names
        return axis_grammar.resolve_axes(x, given, self.behavior, self.place(key), names=names)

    def axis(self, x: LayerOutput, spec: object, key: str = "axis") -> Dim:
        """The one axis that a description names."""
        given, names = self._declared(x, spec), self.program.names
        return axis_grammar.resolve_axis(x, given, self.behavior, self.place(key), names=names)

    def also_called(self, dim: Dim, name: str) -> None:
        """``stag:NAME`` finds a dim under this name, too."""
        self.program.names.setdefault(dim, set()).add(name)

    def stands_for(self, own: Dim, dim: Dim) -> None:
        """An axis description that means ``dim`` means ``own`` where only that is there."""
        self.program.same_tag[own] = self.program.same_tag.get(dim, dim)

    def tag_of(self, dim: Dim) -> Dim:
        """One dim for all that are the same to RETURNN.

        That is to say for copies, for a derived dim and the one that the user declared for it, and for a dim of a
        hypothesis' or loop's own and the one that it stands for. What the user's dims themselves mean (two declared to
        be the same, one that turned out to be of a fixed size) is put into a layer's options before it is built.
        """
        own = self.program.same_tag.get(dim.base, dim.base)
        return self.program.declared.get(own, own).base

    def _declared(self, x: LayerOutput, spec: object) -> object:
        """A derived Dim for which the user declared another one means that one."""
        if isinstance(spec, (list, tuple, set, frozenset)):
            return [self._declared(x, part) for part in spec]
        if not isinstance(spec, Dim) or spec in x.axes:
            return spec
        dim = self.program.declared.get(spec, spec)
        return next((d for d in x.axes if d is not dim and self.program.same_tag.get(d) is dim), dim)

    def dim(self, role: str, size: int | None, *, feature: bool = False, description: str | None = None) -> Dim:
        """A dim of this layer, the same one whenever the layer is built again.

        ``description`` is what RETURNN calls it (``stag:NAME`` looks there), where that differs from its name.
        """
        memo = (self.definition.path, role)
        made = self.program.dims.get(memo)
        if made is None or made.size != size:
            made = Dim(f"{self.definition.path}.{role}", size, feature=feature, description=description)
            self.program.dims[memo] = made
        return made

    def apart(self, x: LayerOutput) -> LayerOutput:
        """``x`` without the dim that this layer's own output has: what it gave in the step before is another tensor."""
        own = self.program.dims.get((self.definition.path, "out"))
        if own is None or own not in x.axes:
            return x
        other = self.dim("in", own.size, feature=own.feature)
        return replace(x.with_axes(self.rename(x.value, (own, other)), {own: (other,)}), states=x.states)

    def out_feature_dim(self, default: int | None = None) -> Dim:
        """The dim of this layer's features: ``out_dim``, ``n_out``, ``out_type``, the target's, or ``default``.

        It is always a new dim, never that of the input: a square weight matrix needs two. :meth:`finish_feature`
        renames it where the user asked for a dim of theirs.
        """
        options = self.definition.options
        size = options.out_dim.size if options.out_dim is not None else options.n_out
        out_type = options.out_type if isinstance(options.out_type, dict) else {}
        if size is None and isinstance(out_type.get("dim"), int):
            size = out_type["dim"]
        if size is None and (options.target is not None or options.loss is not None):
            found = self._feature_for_target()
            size = found.size if found is not None else None
        if size is None:
            size = default
        if size is None:
            raise ConfigError("the output size is not known", where=self.place(), hint="give 'n_out'")
        return self.dim("out", size, feature=True)

    def _feature_for_target(self) -> Dim | None:
        """The target's labels or features, and what the loss adds to them (a blank)."""
        found = self.target_dim()
        spec = find_loss(str(self.definition.options.loss))
        extra = spec.extra_labels if spec is not None else 0
        return found + extra if found is not None and found.size is not None else None

    def finish_feature(self, x: LayerOutput, out: Dim) -> LayerOutput:
        """Rename the layer's own feature dim to that of the user where there is one."""
        wanted = self._feature_of_user(x, out)
        if wanted is None or out not in x.axes:
            return x
        wanted = fixed(self.program, wanted, out)
        if wanted is out:
            return x
        if wanted.size is not None and wanted.size != out.size:
            raise DimError("out_dim has another size", where=self.place("out_dim"), expected=out, received=wanted)
        renamed = x.with_axes(self.rename(x.value, (out, wanted)), {out: (wanted,)})
        return replace(renamed, time_dim=x.time_dim, feature_dim=wanted if x.feature_dim is out else x.feature_dim)

    def _feature_of_user(self, x: LayerOutput, out: Dim) -> Dim | None:
        """The ``out_dim``; else the user's dim of the target, or the dim of a source with as many features."""
        options = self.definition.options
        if options.out_dim is not None:
            return options.out_dim
        sized = options.n_out is not None or self.options_dict("out_type").get("dim") is not None
        found: Dim | None = None
        of_source = False
        if not sized and (options.target is not None or options.loss is not None):
            found = self._feature_for_target()
        elif self.definition.spec.keeps_feature and self.sources:
            found, of_source = max(self.sources, key=lambda s: len(s.axes)).feature_or_sparse_dim, True
        if found is None or found.size != out.size or found in x.axes:
            return None
        return found if of_source or any(leaf.declared for leaf in leaves(found)) else None

    def require_feature(self, x: LayerOutput) -> Dim:
        """The feature axis, which the layer cannot do without."""
        if x.feature_dim is None:
            raise DimError("the source has no feature axis", where=self.place("from"), received=x.value.type)
        return x.feature_dim

    def note(self, text: str) -> None:
        """Say something to the user about this layer, unless it is only built to find types."""
        if self.scope.loop is None or not self.scope.loop.trial:
            self.program.note(self.definition.path, text)

    # ---------------------------------------------------------------- sources

    def unify(self, sources: Sequence[LayerOutput], *, ignore_features: bool = False) -> Unified:
        """Several sources over common dims, by RETURNN's rules; see :func:`returnn_ir.axes.unify.unify`."""
        return unify(self, sources, self.behavior, self.place("from"), ignore_features=ignore_features)

    def concat_features(self, sources: Sequence[LayerOutput]) -> LayerOutput:
        """Join sources over their feature axes, as ``"from": ["a", "b"]`` means."""
        return concat_features(self, sources)

    def source_blocks(self) -> list[tuple[int, ...]]:
        """Of each source the number of its features; of joined sources those of each of them."""
        return source_blocks(self)

    # ---------------------------------------------------------------- inside of a loop

    @property
    def in_loop(self) -> bool:
        """Whether this layer is part of a recurrent subnetwork."""
        return self.scope.loop is not None

    @property
    def enclosing_loop(self) -> LoopContext:
        """The loop that this layer stands in."""
        if self.scope.loop is None:
            raise ConfigError("the layer must stand in a recurrent subnetwork", where=self.place())
        return self.scope.loop

    @contextmanager
    def outside_loop(self) -> Iterator[None]:
        """Nodes emitted inside stand in front of the loop."""
        with self.inside(self.enclosing_loop.builder.outer.region):
            yield

    def is_loop_axis(self, x: LayerOutput, spec: object) -> bool:
        """Whether an axis description means the steps of the loop that this layer stands in."""
        if self.scope.loop is None:
            return False
        if isinstance(spec, Dim):
            declared = self.program.declared.get(spec, spec)
            return (
                spec is SINGLE_STEP_DIM
                or declared is self.scope.loop.builder.dim
                or spec is self.scope.loop.builder.dim
            )
        return x.time_dim is None and (spec is None or (isinstance(spec, str) and spec.lower() in ("t", "time")))

    def steps_so_far(self, dim: Dim) -> Dim:
        """Let ``dim`` have one entry for every step so far, this one included."""
        builder = self.enclosing_loop.builder
        with self.inside(builder.region):
            if builder.region.lookup(dim) is None:
                self.define(dim, self.add(builder.index, 1))
        builder.past.add(dim)
        return dim

    def history(self, x: Value, dim: Dim) -> Value:
        """The values of ``x`` in all steps so far, this one included, along ``dim``, [dim, ...x]."""
        self.steps_so_far(dim)
        with self.inside(self.enclosing_loop.builder.region):
            return self.op("history", x, dim=dim)

    def step_number(self) -> Value:
        """How often this layer ran before in its loop, int64: the step, less those in which it was masked out."""
        mask = self.scope.step_mask
        if mask is None:
            return self.enclosing_loop.builder.index
        with self.outside_loop():
            start = self.expand(self.const(0, "int64"), *mask.dims)
        count = self.loop_state("step", start)
        self.set_loop_state("step", self.add(count, 1))
        return count

    def loop_state(self, key: str, initial: Value) -> Value:
        """What this layer kept from the previous step under ``key``; ``initial`` stands in front of the loop."""
        return self.enclosing_loop.builder.carry(f"{self.definition.path}:{key}", initial)

    def set_loop_state(self, key: str, value: Value) -> None:
        """What this layer keeps for the next step, unless it is masked out in this one."""
        carry = self.enclosing_loop.builder.carries[f"{self.definition.path}:{key}"]
        if self.scope.step_mask is not None:
            value = self.where(self.scope.step_mask, value, carry.value)
        carry.following = conform(self, value, carry.value.type, f"the state of layer {self.definition.path!r}")

    # ---------------------------------------------------------------- parameters and randomness

    def param(
        self,
        name: str,
        dims: tuple[Dim, ...],
        init: Init = "glorot_uniform",
        *,
        dtype: str = "float32",
        trainable: bool = True,
        regularize: bool = True,
        unit_scope: bool = True,
        kept: bool = False,
        splits: Mapping[Dim, Sequence[int]] | None = None,
        split_under_noise: bool = False,
    ) -> Value:
        """A parameter of this layer under RETURNN's name (``name`` is relative to the layer's scope).

        ``reuse_params``, ``trainable``, ``L2``, ``param_dropout`` and ``param_variational_noise`` are applied here.
        Without ``unit_scope`` the scope that RETURNN puts around a recurrent unit's variables is not part of the name.
        With ``kept`` it is a state from the run before, whose axes may be of any size; all others have fixed sizes.
        ``splits`` are the sizes of the blocks of axes that have several (``Param.splits``). Where there is noise on the
        parameter they hold only with ``split_under_noise``.
        """
        flags = ParamFlags(trainable, regularize, unit_scope, kept, split_under_noise)
        return create_param(self, name, dims, init, dtype, flags, splits or {})

    def train_step(self) -> Value:
        """The global training step, an int64 scalar."""
        return Builder(self.program.root, origin=self.origin).op("train_step")

    def random(self, kind: str, dims: tuple[Dim, ...], role: str) -> Value:
        """A draw (``uniform`` in [0, 1), ``normal``, or ``bits``) that is this layer's own.

        In a loop it is the same in all steps if its size is fixed, as RETURNN has it.
        """
        attrs = {"kind": kind, "dtype": "int64" if kind == "bits" else "float32", "dims": dims}
        if self.in_loop and all(d.is_static for d in dims):
            root = Builder(self.program.root, origin=self.origin)
            return root.op("random", path=f"{self.definition.path}/{role}", **attrs)
        return self.op("random", path=self.random_path(role), **attrs)

    def random_path(self, role: str) -> str:
        """What a draw of this layer is keyed by; an extra network draws for itself."""
        extra = f"{self.program.extra}:" if self.program.extra else ""
        return f"{extra}{self.definition.path}/{role}"

    def dropout(
        self,
        x: Value,
        rate: float,
        dims: Sequence[Dim],
        role: str = "dropout",
        *,
        each_step: bool | None = None,
    ) -> Value:
        """Zero a share ``rate`` of the entries and scale up the others; one draw per entry of ``dims``.

        In a loop each step draws for itself if ``each_step`` says so; None: unless the mask is of fixed size, as
        RETURNN has it in loops.
        """
        if not rate:
            return x
        same_for_all = all(d.is_static for d in dims)
        if self.scope.loop is None or (not same_for_all if each_step is None else each_step):
            draw = self.op("random", kind="uniform", path=self.random_path(role), dims=tuple(dims))
        elif same_for_all:
            root = Builder(self.program.root, origin=self.origin)
            draw = root.op("random", kind="uniform", path=f"{self.definition.path}/{role}", dims=tuple(dims))
        else:
            with self.outside_loop():
                draw = self.op("random", kind="uniform", path=self.random_path(role), dims=tuple(dims))
        keep = self.unary("floor", self.add(draw, 1.0 - rate))
        return self.mul(self.mul(x, keep), 1.0 / (1.0 - rate))

    def mask_tails(self, x: Value, dims: Sequence[Dim], neutral: float | bool) -> Value:
        """``x`` with ``neutral`` behind each sequence's end along ``dims``."""
        for dim in dims:
            if dim in x.dims and self.needs_mask(dim):
                x = self.where(self.mask(dim), x, neutral)
        return x

    def window_input(self, x: Value, dims: Sequence[Dim], neutral: float | bool) -> Value:
        """What an op that reads behind sequences' ends gets: ``x``, or with ``padding = "masked"`` neutral tails."""
        return self.mask_tails(x, dims, neutral) if self.program.masks_tails else x

    def options_dict(self, key: str) -> dict[str, Any]:
        """An option that is a dict, or an empty one."""
        value = getattr(self.definition.options, key)
        return dict(value) if isinstance(value, dict) else {}
