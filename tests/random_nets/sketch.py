"""A net under construction: its layers, what they give, and the random choices that are made on the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, TypeVar

from tests.random_nets.text import Code
from tests.random_nets.values import Axis, Value

__all__ = ["Shared", "Sketch", "Unsuitable"]

T = TypeVar("T")
Options = dict[str, Any]

#: Recent layers are read more often: so chains are as long as nets.
_RECENT = 0.5


class Unsuitable(Exception):
    """A family has nothing to work on here; another one is tried."""


@dataclass
class Shared:
    """What all networks of a config have in common, nested ones too.

    Attributes:
        modern: the config declares its axes as Dim objects.
        strict: data have ``dims``: no axis is the time axis, each is named by its Dim.
        mode: eval, train or search.
        wanted: the family that a loop should hold.
        lines: statements in front of the network (Dims, functions).
        case: how RETURNN runs it, see tests/golden/README.md.
    """

    random: Random
    behavior_version: int
    modern: bool
    mode: str
    lines: list[str] = field(default_factory=list)
    case: Options = field(default_factory=dict)
    strict: bool = False
    extern_data: dict[str, Options] = field(default_factory=dict)
    classes: list[str] = field(default_factory=list)
    count: int = 0
    wanted: str | None = None


class Sketch:
    """One network dict.

    Attributes:
        values: what its layers may read.
        layers: the dict so far.
        place: root, subnetwork, loop or masked.
    """

    def __init__(self, shared: Shared, values: Sequence[Value], place: str = "root") -> None:
        self.shared = shared
        self.random = shared.random
        self.values = list(values)
        self.layers: dict[str, Options] = {}
        self.place = place

    @property
    def modern(self) -> bool:
        """Whether axes are Dim objects."""
        return self.shared.modern

    @property
    def in_loop(self) -> bool:
        """Whether layers are those of a step."""
        return self.place == "loop"

    # ------------------------------------------------------------ choices

    def chance(self, probability: float) -> bool:
        """True so often."""
        return self.random.random() < probability

    def choose(self, options: Sequence[T]) -> T:
        """One of several, equally often."""
        return self.random.choice(options)

    def some(self, **options: Sequence[Any]) -> Options:
        """Options of which each is there now and then, with one of its values."""
        return {key: self.choose(values) for key, values in options.items() if self.chance(0.35)}

    def pick(self, fits: Callable[[Value], bool]) -> Value:
        """A layer that fits, recent ones more often.

        Raises:
            Unsuitable: there is none.
        """
        fitting = [value for value in self.values if fits(value)]
        if not fitting:
            raise Unsuitable
        while len(fitting) > 1 and not self.chance(_RECENT):
            fitting.pop()
        return fitting[-1]

    def several(self, fits: Callable[[Value], bool], least: int = 1, most: int = 3) -> list[Value]:
        """Different layers that fit.

        Raises:
            Unsuitable: there are fewer than the least number.
        """
        fitting = [value for value in self.values if fits(value)]
        if len(fitting) < least:
            raise Unsuitable
        return self.random.sample(fitting, self.random.randint(least, min(most, len(fitting))))

    # ------------------------------------------------------------ axes

    def features(self, size: int | None = None) -> tuple[Options, Axis]:
        """Options that say the output's features, and their axis: a number, or a new Dim."""
        size = size or self.random.randint(2, 6)
        axis = self.dim(size, "feat") if self.modern and self.chance(0.5) else self.axis(size)
        return ({"out_dim": axis.dim} if axis.dim else {"n_out": size}), axis

    def axis(self, size: int | None = None) -> Axis:
        """A new axis that no variable names."""
        return Axis(self._number("axis"), size)

    def dim(self, size: int | None, what: str) -> Axis:
        """A new axis with a Dim object, which the config declares."""
        name = self._number(what)
        kind = ", kind=Dim.Types.Feature" if what == "feat" else ", kind=Dim.Types.Spatial" if self.chance(0.5) else ""
        self.shared.lines.append(f"{name}_dim = Dim({size}, name={name!r}{kind})")
        return Axis(name, size, Code(f"{name}_dim"))

    def time(self, value: Value) -> str | Code:
        """What names the only axis along which sequences differ.

        Raises:
            Unsuitable: there are several, or none.
        """
        if len(value.times) != 1:
            raise Unsuitable
        dim = value.times[0].dim
        if self.shared.strict and not dim:
            raise Unsuitable
        return dim if dim and (self.shared.strict or self.chance(0.7)) else "T"

    def feature(self, value: Value) -> str | Code:
        """What names the feature axis."""
        dim = value.feature.dim if value.feature else None
        return dim if dim and self.chance(0.7) else "F"

    def _number(self, what: str) -> str:
        self.shared.count += 1
        return f"{what}{self.shared.count}"

    # ------------------------------------------------------------ layers

    def add(self, layer_class: str, options: Mapping[str, Any], output: Value | None, name: str | None = None) -> Value:
        """Put a layer in; ``output`` is what it gives but for its name, None where nothing should read it."""
        name = name or self._number(layer_class[:12].rstrip("_"))
        self.layers[name] = {"class": layer_class, **options}
        self.shared.classes.append(layer_class)
        value = replace(output, name=name) if output else Value(name)
        if output:
            self.values.append(value)
        return value

    def nested(self, values: Sequence[Value], place: str) -> Sketch:
        """A network in a layer of this one."""
        return Sketch(self.shared, values, place)

    def state(self) -> tuple[Any, ...]:
        """What :meth:`restore` goes back to."""
        shared = self.shared
        return (
            list(self.values),
            dict(self.layers),
            list(shared.lines),
            list(shared.classes),
            dict(shared.case),
            shared.wanted,
        )

    def restore(self, state: tuple[Any, ...]) -> None:
        """Forget what was added since: a family that found halfway that it has nothing to work on."""
        shared = self.shared
        self.values, self.layers, shared.lines, shared.classes, shared.case, shared.wanted = state

    def require(self, *places: str) -> None:
        """Go on only in such a network.

        Raises:
            Unsuitable: this is another one.
        """
        if self.place not in places:
            raise Unsuitable

    def same(self, a: Value, b: Value) -> bool:
        """Whether two outputs have the same axes, as this config counts axes."""
        return a.batch == b.batch and a.axes == b.axes and self.same_features(a, b)

    def same_features(self, a: Value, b: Value) -> bool:
        """Whether two feature axes count as one: by size, or as Dims."""
        if not (a.feature and b.feature):
            return a.feature is b.feature
        return a.feature == b.feature if self.modern else a.feature.size == b.feature.size
