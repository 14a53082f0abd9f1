"""What the layers of a loop gave in the step before: types that depend on each other, found as a least fixpoint.

The body is built on the side, each layer behind those of which it reads this step or the step before; where layers
need each other, one of them begins with what is known of the others: a layer that an ``initial_output`` names is the
first thing known, and its axes stay; a value of which nothing is known has no axes. What was begun with too little is
built once more. A type may gain axes and, a few times, become another one; what goes on changing grows without end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cached_property
from heapq import heappop, heappush
from itertools import count
from textwrap import shorten
from typing import TYPE_CHECKING, Protocol

from returnn_ir.axes.output_type import OutputType
from returnn_ir.construct.initial_output import previous_type
from returnn_ir.construct.loop_context import LoopContext
from returnn_ir.construct.type_search import TypeSearch
from returnn_ir.errors import ConfigError, Origin, UserError
from returnn_ir.ir.dims import Dim, Division
from returnn_ir.loops.type_guess import best_guess
from returnn_ir.network.circles import Circles

if TYPE_CHECKING:
    from returnn_ir.construct.scope import NetScope
    from returnn_ir.network.net import Net

__all__ = ["TrialBody", "find_types", "quietly"]

#: How often what a layer gives may become something that is no extension of what it was: guesses are corrected.
_MAX_REPLACED = 3
#: No layer has as many axes.
_MAX_AXES = 32
#: Of how many dims its axes may be made: the products of a product grow faster than they can be written down.
_MAX_FACTORS = 256
#: How much of an axis' name an error has room for.
_MAX_NAME = 60
#: How many layers and types an error names.
_MAX_NAMED = 4


class TrialBody(Protocol):
    """The body of a loop, as far as its types are concerned."""

    net: Net

    def trial(self, known: Mapping[str, OutputType], search: TypeSearch) -> tuple[LoopContext, NetScope]:
        """A body whose nodes are thrown away; ``known`` are previous steps, by the full path of their layer."""

    def build(self, scope: NetScope) -> list[str]:
        """Build all layers that are needed."""

    def place(self) -> Origin:
        """Where the body is written."""


def find_types(body: TrialBody) -> dict[str, OutputType]:
    """What every ``prev:`` gives, by the full path of its layer.

    Raises:
        ConfigError: nothing says what one of them is, or they grow from step to step.
    """
    known: dict[str, OutputType] = {}
    assumed: dict[str, OutputType] = {}
    growth = _Growth(body.net)
    for number in count():
        trial = _Trial(body, known, assumed, growth)
        settled = trial.settle(first=number == 0)
        known |= trial.types()
        for path, output_type in known.items():
            growth.see(path, output_type)
        if settled:
            break
    return known


class _Trial:
    """One body that is built to find types."""

    def __init__(
        self, body: TrialBody, known: Mapping[str, OutputType], assumed: dict[str, OutputType], growth: _Growth
    ) -> None:
        self._search = TypeSearch(body.net, assumed)
        self._loop, self._scope = body.trial(known, self._search)
        self._body = body
        self._assumed = assumed
        self._growth = growth
        body.build(self._scope)

    def types(self) -> dict[str, OutputType]:
        """What the layers give whose previous step is asked for, as far as it is known."""
        typed = ((path, self._type_of(path)) for path in self._loop.asked)
        return {path: output_type for path, output_type in typed if output_type is not None}

    def settle(self, *, first: bool) -> bool:
        """Build again what was built with something else than what there is now, with a guess where nobody begins.

        Args:
            first: only what could not be built at all; most often the next body is built with the right types then.

        Returns:
            Whether this body was built with what there is, and without a guess.
        """
        again = self._spread(self._stale(self._search.seen), only_failed=first)
        guessed = False
        for group in self._unknown_groups():
            while waiting := self._unknown(path for name in group for path in self._search.asked.get(name, ())):
                begun = self._guess(waiting, group)
                if begun is None:
                    break
                guessed = True
                again |= self._spread(begun, only_failed=first)
        unknown = self._unknown(self._loop.asked)
        if unknown and not guessed:
            raise ConfigError(
                "nothing says of which type the layer's output of the step before is",
                where=self._body.place(),
                received=", ".join(unknown),
                hint="'n_out', or 'out_type'",
            )
        return not guessed and not again and not self._stale(self._search.seen)

    # ---------------------------------------------------------------- what changes with something else

    def _stale(self, keys: Iterable[str]) -> dict[str, None]:
        """The layers that saw one of these as something else than what it is now."""
        return self._search.stale(self._seen_now, keys)

    def _seen_now(self, key: str) -> OutputType | None:
        if key.startswith("prev:"):
            return self._type_of(key.removeprefix("prev:"))
        output = self._scope.built(key)
        return OutputType.of(output) if output is not None else None

    def _spread(self, names: Iterable[str], *, only_failed: bool) -> bool:
        """Build these layers again, and those that see them change; whether one of them had been built before.

        A layer comes behind those that it needs, so that each is built about as often as a type that it sees changes.
        """
        waiting: list[tuple[int, str]] = []
        queued: set[str] = set()
        again = False

        def add(names: Iterable[str]) -> None:
            for name in names:
                if name not in queued and not (only_failed and name in self._scope.results):
                    queued.add(name)
                    heappush(waiting, (self._order.get(name, -1), name))

        add(names)
        while waiting:
            _, name = heappop(waiting)
            queued.discard(name)
            again |= name in self._scope.results
            add(self._stale(self._build_again(name)))
        return again

    @cached_property
    def _order(self) -> Mapping[str, int]:
        """The layers of the body, each behind those of which it needs this step."""
        net = self._body.net

        def needs(name: str) -> list[str]:
            refs = (ref for ref in net.layers[name].refs() if not ref.startswith("prev:"))
            return [own for ref in refs if (own := net.layer_of(ref)) is not None]

        return Circles.of(net.layers, needs).number

    def _build_again(self, name: str) -> list[str]:
        """Returns what others may have seen of it."""
        asked = self._search.asked.get(name, [])
        for path in asked:
            held = self._type_of(path)
            if held is not None:
                self._loop.previous[path] = held
        self._growth.see(self._scope.path_of(name), self._seen_now(name))
        self._scope.forget(name)
        quietly(self._scope, name)
        self._growth.see(self._scope.path_of(name), self._seen_now(name))
        for path in self._search.asked.get(name, []):
            quietly(*self._loop.asked[path])
            self._growth.see(path, self._type_of(path))
        return [name, *(f"prev:{path}" for path in self._search.asked.get(name, []))]

    # ---------------------------------------------------------------- where nobody begins

    def _unknown_groups(self) -> list[list[str]]:
        """The layers of which something is unknown, those that wait for each other together, behind what they need."""
        circles = self._body.net.circles(searching=self._scope.program.searching)
        found: dict[int, list[str]] = {}
        if self._unknown(self._loop.asked):
            for name in dict.fromkeys([*self._search.asked, *self._search.untyped]):
                found.setdefault(circles.number.get(name, -1), []).append(name)
        return [found[number] for number in sorted(found)]

    def _guess(self, waiting: list[str], group: list[str]) -> list[str] | None:
        """Take the likeliest type of one layer for true; who can be built then, None if there is nothing to go by."""
        untyped = {
            path: place
            for name in group
            for path, place in self._search.untyped.get(name, {}).items()
            if path not in self._assumed
        }
        found = best_guess(self._loop, waiting, untyped)
        if found is None:
            return None
        path, output_type = found
        if path in waiting:
            self._loop.previous[path] = output_type
            return list(self._stale([f"prev:{path}"]))
        self._assumed[path] = output_type
        return [self._search.layer_of(path)]

    def _unknown(self, paths: Iterable[str]) -> list[str]:
        return [path for path in paths if self._type_of(path) is None]

    def _type_of(self, path: str) -> OutputType | None:
        scope, name = self._loop.asked[path]
        owner, own = scope.locate(name)
        output = owner.results.get(own)
        return previous_type(owner, own, output) if output is not None else self._loop.previous.get(path)


def quietly(scope: NetScope, name: str) -> None:
    """Build a layer; what is wrong with it is in the scope's problems already."""
    try:
        scope.get(name)
    except UserError:
        return


class _Growth:
    """Keeps what each type was, to see whether it settles."""

    def __init__(self, net: Net) -> None:
        self._net = net
        self._seen: dict[str, list[OutputType | None]] = {}
        self._replaced: Counter[str] = Counter()

    def see(self, path: str, output_type: OutputType | None) -> None:
        """Take down the type of a layer, None if it cannot be built.

        Raises:
            ConfigError: it has changed too often.
        """
        seen = self._seen.setdefault(path, [output_type])
        before = seen[-1]
        if output_type is before or (output_type is not None and before is not None and output_type.matches(before)):
            return
        if before is not None:
            self._replaced[path] += output_type is None or not before.is_part_of(output_type)
        seen.append(output_type)
        if self._replaced[path] > _MAX_REPLACED or (output_type is not None and _is_huge(output_type)):
            raise self._error(path)

    def _error(self, path: str) -> ConfigError:
        also = [other for other, times in self._replaced.items() if times >= _MAX_REPLACED and other != path]
        names = ", ".join(map(repr, also[: _MAX_NAMED - 1]))
        more = " and others" if len(also) >= _MAX_NAMED else ""
        name = path.removeprefix(f"{self._net.path}/")
        definition = self._net.layers[self._net.layer_of(name) or name]
        types = list(dict.fromkeys(_shown(x) for x in self._seen[path] if x is not None))
        return ConfigError(
            "the layer gives another type in each step of the loop" + (f"; so do {names}{more}" if names else ""),
            where=definition.origin,
            expected="one type in all steps",
            received=", then ".join(types[:_MAX_NAMED]),
            hint="between two steps bring it back to one size, such as by a 'linear' with 'n_out'",
        )


def _is_huge(output_type: OutputType) -> bool:
    return len(output_type.axes) > _MAX_AXES or sum(map(_factors, output_type.axes)) > _MAX_FACTORS


def _factors(dim: Dim) -> int:
    """Of how many dims a derived one is made."""
    if isinstance(dim.expr, Division):
        return _factors(dim.expr.base)
    return sum(max(1, len(monomial)) for monomial, _ in dim.expr.terms) if dim.expr is not None else 1


def _shown(output_type: OutputType) -> str:
    """The type with the sizes of its axes, by which two axes of one name differ."""
    axes = (str(d) if d.expr is None or d.size is None else str(d.size) for d in output_type.axes)
    return f"{output_type.type.dtype}[{', '.join(shorten(x, _MAX_NAME, placeholder=' ...') for x in axes)}]"
