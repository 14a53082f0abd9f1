"""Builds the layers of one network on demand, in the order of their references."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

from returnn_ir.axes.output import LayerOutput
from returnn_ir.axes.output_type import OutputType
from returnn_ir.construct.awaited_params import waits_for
from returnn_ir.construct.common_options import finish_layer
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.construct.loop_context import LoopContext, UntypedError
from returnn_ir.construct.recurrence import (
    READS_LOOP_AXIS,
    reads_loop_axis_whole,
    stays_in_loop,
    without_gradient,
)
from returnn_ir.construct.settled_dims import makers, with_settled_dims
from returnn_ir.construct.sources import joined_source
from returnn_ir.errors import ConfigError, DimError, IRError, Origin, UserError, did_you_mean
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Region, Value
from returnn_ir.network.layer_options import SourceOptions
from returnn_ir.network.naming import extra_prefix, layer_scope, variable_name

if TYPE_CHECKING:
    from returnn_ir.construct.state import ProgramState
    from returnn_ir.network.net import LayerDef, Net

__all__ = ["NetScope", "UnbuildableError"]


class UnbuildableError(UserError):
    """A layer that cannot be built because one it needs could not.

    Attributes:
        cause: why that one could not; whoever needs the layer and finds nobody waiting reports it.
    """

    def __init__(self, name: str, cause: UserError, where: Origin | None) -> None:
        super().__init__(f"layer {name!r} could not be built", where=where)
        self.cause = cause


def _root_cause(error: UserError) -> UserError:
    return error.cause if isinstance(error, UnbuildableError) else error


def _with_time_named(x: LayerOutput, says: bool | None, sources: Sequence[LayerOutput]) -> LayerOutput:
    """Whether the time axis is named: as the layer class says, else as its sources have it."""
    if says is None:
        says = x.time_named or any(s.time_named and s.time_dim is x.time_dim for s in sources)
    return x if x.time_named is says else replace(x, time_named=says)


@contextmanager
def _noted(origin: Origin) -> Iterator[None]:
    """A bug's exception says which layer was being built."""
    try:
        yield
    except (UserError, IRError):
        raise
    except Exception as error:
        error.add_note(f"while building: {origin}")
        raise


class NetScope:
    """One network, or nested network, while it is built.

    Args:
        data: what ``data`` and ``data:KEY`` mean inside, where that is not the program's input.
        parent: the network around it, for ``base:``.
        problems: where to put what goes wrong, so that everything is reported at once.
    """

    def __init__(
        self,
        net: Net,
        program: ProgramState,
        region: Region,
        *,
        parent: NetScope | None = None,
        data: Mapping[str, LayerOutput] | None = None,
        param_prefix: str = "",
        loop: LoopContext | None = None,
        problems: list[UserError],
    ) -> None:
        self.net = net
        self.program = program
        self.region = region
        self.parent = parent
        self.param_prefix = param_prefix
        self.loop: LoopContext | None = loop if loop is not None else (parent.loop if parent is not None else None)
        self.results: dict[str, LayerOutput] = {}
        self.children: dict[str, NetScope] = {}
        self.extras: dict[str, NetScope] = {}
        self.problems = problems
        #: in a loop, where the layers of this network are computed ([B] bool); elsewhere they keep what they were
        self.step_mask: Value | None = parent.step_mask if parent is not None and parent.loop is self.loop else None
        #: losses of layers of this network count
        self.has_losses: bool = parent.has_losses if parent is not None else True
        self._data = dict(data or {})
        #: of joined sources that ``data:KEY`` means, the sizes of each of them
        self.data_blocks: dict[str, tuple[int, ...]] = {}
        #: layers that could not be built, and what was at the root of it
        self._failed: dict[str, UserError] = {}
        self._building: set[str] = set()
        #: layers that wait for what they need
        self._waiting: set[str] = set()

    # ---------------------------------------------------------------- names

    @property
    def owner(self) -> NetScope:
        """Where the layers of this network are built; it is another scope where this is a place inside of a layer."""
        return self

    @property
    def unfinished(self) -> set[str]:
        """The layers that are being built, or wait for one that is."""
        return self._building | self._waiting

    def path_of(self, name: str) -> str:
        """The full path of a layer that this network knows by ``name``."""
        if name.startswith("base:") and self.parent is not None:
            return self.parent.path_of(name.removeprefix("base:"))
        return f"{self.net.path}/{name}" if self.net.path else name

    def joined_blocks(self, name: str) -> tuple[int, ...]:
        """The numbers of features of what a layer or ``data`` only joins; empty for others."""
        if name.startswith("base:") and self.parent is not None:
            return self.parent.joined_blocks(name.removeprefix("base:"))
        if name == "data" or name.startswith("data:"):
            return self.data_blocks.get(name.partition(":")[2] or "data", ())
        return self.program.source_blocks.get(self.path_of(name), ())

    def param_scope(self, layer: str, name_scope: str | None) -> str:
        """The scope of a layer's variables."""
        if name_scope is not None and name_scope.startswith("/"):
            return name_scope[1:]
        own = layer_scope(layer) if name_scope is None else name_scope
        return variable_name(self.param_prefix, own) if own else self.param_prefix

    def child(self, definition: LayerDef, net: Net, data: Mapping[str, LayerOutput]) -> NetScope:
        """The scope of a nested network of one of this network's layers."""
        prefix = self.param_scope(definition.name, definition.options.name_scope)
        scope = NetScope(
            net, self.program, self.region, parent=self, data=data, param_prefix=prefix, problems=self.problems
        )
        self.children[definition.name] = scope
        return scope

    @property
    def finds_types(self) -> bool:
        """Whether this is only built to find the types in its loop."""
        return self.loop is not None and self.loop.search is not None

    @property
    def is_body(self) -> bool:
        """Whether this is the network of a loop's body itself."""
        return self.loop is not None and (self.parent is None or self.parent.loop is not self.loop)

    # ---------------------------------------------------------------- building

    def get(self, name: str, where: Origin | None = None) -> LayerOutput:
        """The output of a layer or data key, built now if it was not yet."""
        if name.startswith("base:") and self.parent is not None:
            return self.outside(name, where)
        if self.loop is not None and name == ":i":
            return LayerOutput(self.loop.builder.index, ())
        if self.loop is not None and name.startswith("prev:"):
            own = name.removeprefix("prev:")
            self._split(own, where)
            return self.loop.expand_previous(self, own, self.path_of(own))
        if name == "data" or name.startswith("data:"):
            return self._get_data(name, where)
        if extra_prefix(name) is not None:
            return self._extra(name).get(name, where)
        own, rest = self._split(name, where)
        if own not in self.results and own not in self._failed:
            self._build_with_deps(own)
        if self.is_body and self.loop is not None and self.loop.search is not None:
            built = self.built(own)
            self.loop.search.see(own, OutputType.of(built) if built is not None else None)
        if own in self._failed:
            raise UnbuildableError(own, self._failed[own], where)
        return self._part(own, rest, where) if rest else self.results[own]

    def outside(self, name: str, where: Origin | None = None) -> LayerOutput:
        """``base:NAME``: of the network around this one; from inside of a loop it is seen whole."""
        if self.parent is None or not name.startswith("base:"):
            return self.get(name, where)
        found = self.parent.get(name.removeprefix("base:"), where)
        entering = self.loop is not None and self.loop is not self.parent.loop
        return self.loop.capture(found) if self.loop is not None and entering else found

    def _extra(self, name: str) -> NetScope:
        """The extra network that a name with a prefix belongs to."""
        from returnn_ir.construct.extra_networks import ExtraScope

        prefix = extra_prefix(name) or ""
        if prefix not in self.extras:
            self.extras[prefix] = ExtraScope(self, prefix)
        return self.extras[prefix]

    def _get_data(self, name: str, where: Origin | None) -> LayerOutput:
        key = name.partition(":")[2] or "data"
        if key in self._data:
            return self._data[key]
        if self.parent is None:
            return self.program.extern.get(key, where)
        found = self.parent.get(f"data:{key}", where)
        return self.loop.slice_of(found) if self.loop is not None and self.loop is not self.parent.loop else found

    def whole(self, name: str, where: Origin | None = None) -> LayerOutput:
        """A data key without regard to loops: only to see what it is."""
        key = name.partition(":")[2] or "data"
        if key in self._data:
            return self._data[key]
        return self.parent.whole(name, where) if self.parent is not None else self.program.extern.get(key, where)

    def made_data(self, name: str) -> LayerOutput | None:
        """A data key without regard to loops, if something has read it so far."""
        key = name.partition(":")[2] or "data"
        if key in self._data:
            return self._data[key]
        return self.parent.made_data(name) if self.parent is not None else self.program.extern.made(key)

    def _split(self, name: str, where: Origin | None) -> tuple[str, str]:
        """The layer of this network that ``name`` begins with, and the rest."""
        own, rest = name, ""
        while own not in self.net.layers:
            own, slash, tail = own.rpartition("/")
            if not slash:
                raise ConfigError(
                    f"there is no layer {name!r}", where=where, hint=did_you_mean(name, [*self.net.layers, "data"])
                )
            rest = f"{tail}/{rest}" if rest else tail
        return own, rest

    def locate(self, name: str) -> tuple[NetScope, str]:
        """The network that a layer stands in and its name there; ``a/b`` itself while network ``a`` is not built."""
        if name.startswith("base:") and self.parent is not None:
            return self.parent.locate(name.removeprefix("base:"))
        own, _, rest = name.partition("/")
        if name in self.net.layers or own not in self.children:
            return self, name
        return self.children[own].locate(rest)

    def _part(self, own: str, rest: str, where: Origin | None) -> LayerOutput:
        output = self.results[own]
        if rest in output.parts:
            return output.parts[rest]
        if own in self.children:
            return self.children[own].get(rest, where)
        raise ConfigError(
            f"layer {own!r} has no part {rest!r}", where=where, expected=", ".join(output.parts) or "a layer with parts"
        )

    def _local_refs(self, definition: LayerDef) -> Iterator[str]:
        """The layers of this network to build before that one.

        While the types in a loop are being found, a layer of which only the step before is read comes first too, unless
        it needs this one.
        """
        circles = self.net.circles(searching=self.program.searching) if self.finds_types else None
        sources = definition.sources_in(searching=self.program.searching)
        needed = definition.needed(sources)
        for ref in definition.refs(sources):
            if ref not in needed and waits_for(self, ref):
                continue
            if circles is not None and ref.startswith("prev:"):
                own = self.net.layer_of(ref.removeprefix("prev:"))
                if own is not None and not circles.share(own, definition.name):
                    yield own
            if ref.startswith(("base:", "prev:", "data:", ":")) or ref == "data" or extra_prefix(ref) is not None:
                continue
            try:
                yield self._split(ref, None)[0]
            except ConfigError as error:
                error.where = definition.origin_of(ref)
                raise

    def _build_with_deps(self, name: str) -> None:
        """Build a layer after everything it refers to, without recursion along chains."""
        stack: list[tuple[str, Iterator[str]]] = []
        open_names: dict[str, None] = {}

        def enter(n: str) -> None:
            open_names[n] = None
            self._waiting.add(n)
            try:
                refs = list(self._local_refs(self.net.layers[n]))
            except UserError as error:
                self._fail(n, error)
                refs = []
            stack.append((n, iter(refs)))

        enter(name)
        while stack:
            current, refs = stack[-1]
            following = next(refs, None)
            if following is None:
                stack.pop()
                del open_names[current]
                self._waiting.discard(current)
                if current not in self._failed and current not in self.results:
                    self._build(self.net.layers[current])
            elif following in open_names:
                self._fail(current, self._circle(list(open_names)[list(open_names).index(following) :]))
            elif following not in self.results and following not in self._failed:
                enter(following)

    def _circle(self, layers: list[str]) -> ConfigError:
        """What is said of layers each of which needs the next one, and the last one the first."""
        chain = [*layers, layers[0]]
        return ConfigError(
            f"layers need each other in a circle: {' <- '.join(chain)}",
            where=self.net.layers[layers[-1]].origin,
            hint="inside a rec layer, 'prev:NAME' reads the previous step",
        )

    def assume(self, name: str, output_type: OutputType) -> None:
        """While types are being found: take it that a layer, or ``prev:`` of it, gives this."""
        if self.loop is None or self.loop.search is None:
            raise IRError(f"an assumption about {name!r} where a network is built for good")
        if name.startswith("prev:"):
            self.loop.previous.setdefault(self.path_of(name.removeprefix("prev:")), output_type)
        else:
            self._failed.pop(name, None)
            self.results.setdefault(name, output_type.around(Value(output_type.type)))

    @contextmanager
    def supposing(self) -> Iterator[None]:
        """What is assumed inside, and built on it, is forgotten behind."""
        if self.loop is None or self.loop.search is None:
            raise IRError("an assumption where a network is built for good")
        held = dict(self.results), dict(self._failed), dict(self.loop.previous)
        with self.loop.search.unseen():
            yield
        self.results, self._failed, self.loop.previous = held

    @cached_property
    def _makers(self) -> Mapping[Dim, Sequence[str]]:
        return makers(self.net)

    def build_makers(self, dim: Dim) -> None:
        """Build the layers that say what a dim is, but for those that wait for one that is being built."""
        for name in self._makers.get(dim, ()):
            if name not in self.results and name not in self._failed and not waits_for(self, name):
                self._build_with_deps(name)

    def built(self, name: str) -> LayerOutput | None:
        """The output of a layer that was built, without an error."""
        return self.results.get(name) if name not in self._failed else None

    def forget(self, name: str) -> None:
        """A layer is to be built once more."""
        self.results.pop(name, None)
        self._failed.pop(name, None)
        self.children.pop(name, None)

    def retry(self, name: str) -> LayerOutput | None:
        """Build a layer again that could not be built before; None if it still cannot."""
        self._failed.pop(name, None)
        if name not in self.results:
            self._build(self.net.layers[name])
        return self.results.get(name)

    def failure(self, names: Iterable[str]) -> UserError | None:
        """Why one of these layers could not be built; None if all could."""
        return next((self._failed[n] for n in names if n in self._failed), None)

    def _fail(self, name: str, error: UserError) -> None:
        self._failed[name] = _root_cause(error)
        if not isinstance(error, UnbuildableError):
            self.problems.append(error)

    def build(self, definition: LayerDef) -> LayerOutput:
        """Build a layer here and now; what it refers to is built first where that was not done yet."""
        definition = with_settled_dims(self.program, definition)
        if not definition.options.trainable:
            self.program.frozen.add(definition.path)
        b = LayerBuilder(self.program, self, definition)
        with b.at(definition.origin), _noted(definition.origin):
            output = finish_layer(b, self._call(b, definition))
            if self.loop is not None and not self.loop.back_prop and stays_in_loop(self, definition.path):
                output = without_gradient(b, output)
        self.program.graph.recurrent |= definition.is_recurrent(output)
        if reads_loop_axis_whole(self, definition):
            b.note(READS_LOOP_AXIS)
        return output

    def _build(self, definition: LayerDef) -> None:
        if definition.name in self._building:  # by a name that is no source, such as an initial output
            needs = ConfigError(
                "the layer needs itself", where=definition.origin, hint="'prev:NAME' reads the step before"
            )
            self._fail(definition.name, needs)
            return
        self._building.add(definition.name)
        search = self.loop.search if self.loop is not None and self.is_body else None
        try:
            with search.build(definition.name) if search is not None else nullcontext():
                self.results[definition.name] = self.build(definition)
        except UserError as error:
            waits = isinstance(error, (UntypedError, UnbuildableError))
            assumed = self.loop.assume(self, definition.name) if self.loop is not None and waits else None
            if assumed is not None:
                self.results[definition.name] = assumed
                return
            if error.where is None:
                error.where = definition.origin
            self._fail(definition.name, error)
        except IRError as error:
            wrapped = DimError(str(error), where=definition.origin)
            wrapped.__cause__ = error
            self._fail(definition.name, wrapped)
        finally:
            self._building.discard(definition.name)

    def _call(self, b: LayerBuilder, definition: LayerDef) -> LayerOutput:
        return self.apply(b, definition, self._known_sources(b, definition))

    def _known_sources(self, b: LayerBuilder, definition: LayerDef) -> list[LayerOutput]:
        return self.known(definition.sources_in(searching=self.program.searching), b.place("from"))

    def typed(self, name: str, where: Origin) -> LayerOutput | None:
        """The output of a layer; None while the types in a loop are being found and this one is not known yet."""
        try:
            return self.get(name, where)
        except (UntypedError, UnbuildableError):
            if self.loop is None or not self.loop.trial:
                raise
            return None

    def known(self, names: Sequence[str], where: Origin) -> list[LayerOutput]:
        """The outputs of these layers; while the types in a loop are being found, only those that are known."""
        found = [x for name in names if (x := self.typed(name, where)) is not None]
        if names and not found:
            raise UntypedError("no source has a known type yet", where=where)
        return found

    @staticmethod
    def apply(b: LayerBuilder, definition: LayerDef, sources: list[LayerOutput]) -> LayerOutput:
        """Call the layer function with these sources."""
        spec, options = definition.spec, definition.options
        result: LayerOutput
        b.sources = sources
        if spec.joins_sources:
            b.program.source_blocks[definition.path] = tuple(chain.from_iterable(b.source_blocks()))
        if spec.sources == "none":
            result = spec.build(b, options)
        elif spec.sources == "many":
            result = spec.build(b, options, sources)
        else:
            if not sources or (spec.sources == "one" and len(sources) != 1):
                raise ConfigError(
                    f"a {spec.name!r} layer needs {'exactly one source' if spec.sources == 'one' else 'a source'}",
                    where=b.place("from"),
                    received=list(definition.sources),
                )
            joined = joined_source(b, options if isinstance(options, SourceOptions) else None, sources)
            joined = b.apart(joined)
            result = spec.build(b, options, joined)
        return _with_time_named(result, spec.names_time, sources)
