"""What the layers of a loop gave in the step before: types that depend on each other, found as a least fixpoint.

The body is built on the side, each layer behind those of which it reads this step or the step before; where layers
need each other, one of them begins with what is known of the others. What was begun with too little is built once
more. A type may gain axes and, a few times, become another one; what goes on changing grows without end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

from returnn_ir.errors import ConfigError, Origin, UserError
from returnn_ir.layers.template_guess import best_guess
from returnn_ir.network.circles import groups
from returnn_ir.network.loop_context import LoopContext, Template, TypeSearch
from returnn_ir.network.recurrence import layer_of

if TYPE_CHECKING:
    from returnn_ir.network.net import Net
    from returnn_ir.network.scope import NetScope

__all__ = ["TrialBody", "find_types", "quietly"]

#: How often what a layer gives may become something that is no extension of what it was: guesses are corrected.
_MAX_REPLACED = 3
#: No layer has as many axes.
_MAX_AXES = 32


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
    while True:
        trial = _Trial(body, known, assumed)
        guessed = trial.settle()
        found = known | trial.types()
        if not guessed and all(trial.search.was_read_as(path, found[path]) for path in trial.loop.asked):
            return found
        growth.check(trial.loop, known, found)
        known = found


class _Trial:
    """One body that is built to find types."""

    def __init__(self, body: TrialBody, known: Mapping[str, Template], assumed: dict[str, Template]) -> None:
        self.search = TypeSearch(body.net, assumed)
        self.loop, self._scope = body.trial(known, self.search)
        self._body = body
        self._assumed = assumed
        body.build(self._scope)

    def types(self) -> dict[str, Template]:
        """What the layers give whose previous step is asked for, as far as it is known."""
        typed = ((path, self._type_of(path)) for path in self.loop.asked)
        return {path: template for path, template in typed if template is not None}

    def settle(self) -> bool:
        """Build what could not be built, with a guess where layers wait for each other; whether there was one.

        Layers that wait for each other come behind those that they all wait for.
        """
        if not self._unknown(self.loop.asked):
            return False
        guessed = False
        for group in groups([*self._scope.failed(), *self.search.asked], self._needs):
            self._try_again(group)
            while waiting := self._unknown(path for name in group for path in self.search.asked.get(name, ())):
                if not self._guess(waiting, frozenset(group)):
                    break
                guessed = True
                self._try_again(group)
        unknown = self._unknown(self.loop.asked)
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
        for path in [path for name in group for path in self.search.asked.get(name, ())]:
            owner, name = self.loop.asked[path]
            quietly(owner, name)

    def _guess(self, waiting: list[str], within: frozenset[str]) -> bool:
        """Take the likeliest type of one layer for true; False if there is nothing to go by."""
        untyped = {
            path: place
            for path, place in self.search.untyped.items()
            if path not in self._assumed and self.search.layer_of(path) in within
        }
        found = best_guess(self.loop, waiting, untyped)
        if found is None:
            return False
        path, template = found
        (self.loop.previous if path in waiting else self._assumed)[path] = template
        return True

    def _unknown(self, paths: Iterable[str]) -> list[str]:
        return [path for path in paths if self._type_of(path) is None]

    def _type_of(self, path: str) -> Template | None:
        scope, name = self.loop.asked[path]
        owner, own = scope.locate(name)
        output = owner.results.get(own)
        return Template.of(output) if output is not None else self.loop.previous.get(path)

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
    """Counts how often each type became another one."""

    def __init__(self) -> None:
        self._replaced: Counter[str] = Counter()

    def check(self, loop: LoopContext, known: Mapping[str, Template], found: Mapping[str, Template]) -> None:
        """See that types settle.

        Raises:
            ConfigError: one of them changes too often.
        """
        changed = {p: (known[p], found[p]) for p in known if not found[p].matches(known[p])}
        self._replaced.update(p for p, (before, after) in changed.items() if not before.is_part_of(after))
        growing = [
            p for p, (_, after) in changed.items() if self._replaced[p] > _MAX_REPLACED or len(after.axes) > _MAX_AXES
        ]
        if not growing:
            return
        scope, name = loop.located()[growing[0]]
        before, after = changed[growing[0]]
        also = f"; so do {', '.join(map(repr, growing[1:4]))}" if growing[1:] else ""
        raise ConfigError(
            f"layer {growing[0]!r} gives another type in each step of the loop{also}",
            where=scope.net.layers[name].origin,
            expected=f"{before.type}, which 'prev:{name}' is taken for",
            received=after.type,
            hint="it is made from its own step before, and must be brought back to one size",
        )
