"""What the layers of a loop gave in the step before: types that depend on each other, found as a least fixpoint.

The body is built on the side, each layer behind those of which it reads this step or the step before; where layers
need each other, one of them begins with what is known of the others. What was begun with too little is built once
more. A type may gain axes and, a few times, become another one; what goes on changing grows without end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from heapq import heapify, heappop, heappush
from itertools import count
from textwrap import shorten
from typing import TYPE_CHECKING, Protocol

from returnn_ir.dims import Dim, Division
from returnn_ir.errors import ConfigError, Origin, UserError
from returnn_ir.layers.template_guess import best_guess
from returnn_ir.network.circles import groups
from returnn_ir.network.loop_context import LoopContext, Template
from returnn_ir.network.recurrence import layer_of
from returnn_ir.network.type_search import TypeSearch

if TYPE_CHECKING:
    from returnn_ir.network.net import Net
    from returnn_ir.network.scope import NetScope

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

    def trial(self, known: Mapping[str, Template], search: TypeSearch) -> tuple[LoopContext, NetScope]:
        """A body whose nodes are thrown away; ``known`` are previous steps, by the full path of their layer."""

    def build(self, scope: NetScope) -> list[str]:
        """Build all layers that are needed."""

    def place(self) -> Origin:
        """Where the body is written."""


def find_types(body: TrialBody) -> dict[str, Template]:
    """What every ``prev:`` gives, by the full path of its layer.

    Raises:
        ConfigError: nothing says what one of them is, or they grow from step to step.
    """
    known: dict[str, Template] = {}
    assumed: dict[str, Template] = {}
    growth = _Growth()
    for number in count():
        trial = _Trial(body, known, assumed, growth)
        settled = not trial.settle() and not trial.stale()
        if not settled and number:
            trial.spread()  # what is found in this way is seen to hold once more
        known |= trial.types()
        if settled:
            break
    return known


class _Trial:
    """One body that is built to find types."""

    def __init__(
        self, body: TrialBody, known: Mapping[str, Template], assumed: dict[str, Template], growth: _Growth
    ) -> None:
        self._search = TypeSearch(body.net, assumed)
        self._loop, self._scope = body.trial(known, self._search)
        self._body = body
        self._assumed = assumed
        self._growth = growth
        body.build(self._scope)

    def types(self) -> dict[str, Template]:
        """What the layers give whose previous step is asked for, as far as it is known.

        Raises:
            ConfigError: one of them changes without end.
        """
        found: dict[str, Template] = {}
        for path in self._loop.asked:
            template = self._type_of(path)
            if template is not None:
                self._growth.see(self._loop, path, template)
                found[path] = template
        return found

    def stale(self) -> dict[str, None]:
        """The layers that were built with something else than what there is now."""
        return self._search.stale(self._seen_now, self._search.seen)

    def spread(self) -> None:
        """Build these again, and those that see them change, the ones that others need first."""
        order = {name: number for number, name in enumerate(self._scope.results)}
        waiting = [(order.get(name, len(order)), name) for name in self.stale()]
        heapify(waiting)
        queued = {name for _, name in waiting}
        while waiting:
            _, name = heappop(waiting)
            queued.discard(name)
            changed = self._build_again(name)
            for reader in self._search.stale(self._seen_now, changed):
                if reader not in queued:
                    queued.add(reader)
                    heappush(waiting, (order.get(reader, len(order)), reader))

    def _build_again(self, name: str) -> list[str]:
        """Returns what others may have seen of it."""
        asked = self._search.asked.get(name, [])
        for path in asked:
            held = self._type_of(path)
            if held is not None:
                self._loop.previous[path] = held
        self._scope.forget(name)
        self._try_again([name])
        for path in asked:
            template = self._type_of(path)
            if template is not None:
                self._growth.see(self._loop, path, template)
        return [name, *(f"prev:{path}" for path in asked)]

    def _seen_now(self, key: str) -> Template | None:
        """The type of what somebody has seen."""
        if key.startswith("prev:"):
            return self._type_of(key.removeprefix("prev:"))
        output = self._scope.results.get(key)
        return Template.of(output) if output is not None else None

    def settle(self) -> bool:
        """Build what could not be built, with a guess where layers wait for each other; whether there was one.

        Layers that wait for each other come behind those that they all wait for.
        """
        if not self._unknown(self._loop.asked):
            return False
        guessed = False
        for group in groups([*self._scope.failed(), *self._search.asked], self._needs):
            self._try_again(group)
            while waiting := self._unknown(path for name in group for path in self._search.asked.get(name, ())):
                if not self._guess(waiting, group):
                    break
                guessed = True
                self._try_again(group)
        unknown = self._unknown(self._loop.asked)
        if unknown and not guessed:
            raise ConfigError(
                "nothing says of which type the layer's output of the step before is",
                where=self._body.place(),
                received=", ".join(unknown),
                hint="'n_out', or 'out_type'",
            )
        return guessed

    def _try_again(self, group: list[str]) -> None:
        self._scope.try_again(group)
        for path in [path for name in group for path in self._search.asked.get(name, ())]:
            owner, name = self._loop.asked[path]
            quietly(owner, name)

    def _guess(self, waiting: list[str], group: list[str]) -> bool:
        """Take the likeliest type of one layer for true; False if there is nothing to go by."""
        untyped = {
            path: place
            for name in group
            for path, place in self._search.untyped.get(name, {}).items()
            if path not in self._assumed
        }
        found = best_guess(self._loop, waiting, untyped, frozenset(group))
        if found is None:
            return False
        path, template = found
        (self._loop.previous if path in waiting else self._assumed)[path] = template
        return True

    def _unknown(self, paths: Iterable[str]) -> list[str]:
        return [path for path in paths if self._type_of(path) is None]

    def _type_of(self, path: str) -> Template | None:
        scope, name = self._loop.asked[path]
        owner, own = scope.locate(name)
        output = owner.results.get(own)
        return Template.of(output) if output is not None else self._loop.previous.get(path)

    def _needs(self, name: str) -> list[str]:
        definition = self._body.net.layers.get(name)
        refs = definition.refs() if definition is not None else []
        found = (layer_of(self._body.net, ref.removeprefix("prev:")) for ref in refs)
        return [own for own in found if own is not None]


def quietly(scope: NetScope, name: str) -> None:
    """Build a layer; what is wrong with it is in the scope's problems already."""
    try:
        scope.get(name)
    except UserError:
        return


class _Growth:
    """Keeps what each type was, to see whether it settles."""

    def __init__(self) -> None:
        self._seen: dict[str, list[Template]] = {}
        self._replaced: Counter[str] = Counter()

    def see(self, loop: LoopContext, path: str, template: Template) -> None:
        """Take a type down.

        Raises:
            ConfigError: it has changed too often.
        """
        seen = self._seen.setdefault(path, [template])
        if template.matches(seen[-1]):
            return
        self._replaced[path] += not seen[-1].is_part_of(template)
        seen.append(template)
        if self._replaced[path] > _MAX_REPLACED or _is_huge(template):
            also = [other for other, times in self._replaced.items() if times >= _MAX_REPLACED and other != path]
            raise self._error(loop, [path, *also])

    def _error(self, loop: LoopContext, growing: Sequence[str]) -> ConfigError:
        first = growing[0]
        scope, name = loop.located()[first]
        names = ", ".join(map(repr, growing[1:_MAX_NAMED]))
        more = " and others" if len(growing) > _MAX_NAMED else ""
        return ConfigError(
            "the layer gives another type in each step of the loop" + (f"; so do {names}{more}" if names else ""),
            where=scope.net.layers[name].origin,
            expected=f"one type in all steps, which 'prev:{name}' has",
            received=", then ".join(map(_shown, self._seen[first][:_MAX_NAMED])),
            hint="between two steps bring it back to one size, such as by a 'linear' with 'n_out'",
        )


def _is_huge(template: Template) -> bool:
    return len(template.axes) > _MAX_AXES or sum(map(_factors, template.axes)) > _MAX_FACTORS


def _factors(dim: Dim) -> int:
    """Of how many dims a derived one is made."""
    if isinstance(dim.expr, Division):
        return _factors(dim.expr.base)
    return sum(max(1, len(monomial)) for monomial, _ in dim.expr.terms) if dim.expr is not None else 1


def _shown(template: Template) -> str:
    """The type with the sizes of its axes, by which two axes of one name differ."""
    axes = (str(d) if d.expr is None or d.size is None else str(d.size) for d in template.axes)
    return f"{template.type.dtype}[{', '.join(shorten(x, _MAX_NAME, placeholder=' ...') for x in axes)}]"
