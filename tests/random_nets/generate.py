"""Net number N: a config, always the same for the same number and seed."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from tests.random_nets.changes import change
from tests.random_nets.inputs import add_inputs
from tests.random_nets.objective import add_objective
from tests.random_nets.registry import Family, families
from tests.random_nets.sketch import Shared, Sketch, Unsuitable
from tests.random_nets.text import assignment

__all__ = ["RandomNet", "fill", "random_net"]

#: So often a net is one of each kind.
_MODERN, _STRICT, _TRAIN, _SEARCH = 0.37, 0.1, 0.15, 0.15
#: Families that are tried for one layer, or beginnings for one family, before it is left out.
_ATTEMPTS = 40


@dataclass(frozen=True)
class RandomNet:
    """A generated config.

    Attributes:
        text: of the file.
        classes: layer classes in it, one entry per layer.
        family: the family that the net was made for; others are there by chance.
        mode: eval, train or search.
    """

    number: int
    text: str
    classes: tuple[str, ...]
    family: str
    mode: str
    behavior_version: int


def random_net(number: int, seed: int = 1) -> RandomNet:
    """Net ``number``: families take turns, so that each one is in as many nets as any other."""
    random = Random(f"{seed}/{number}")
    modern = random.random() < _MODERN
    version = random.randint(21, 30) if modern else random.choice([0, 0, 1, 4, 8, 11, 12, 14, 15, 16, 18, 20])
    wanted = families()[number % len(families())]
    mode = random.choices(["eval", "train", "search"], [1 - _TRAIN - _SEARCH, _TRAIN, _SEARCH])[0]
    if mode not in wanted.modes:
        mode = random.choice(wanted.modes)
    net = _layers(Shared(random, version, modern, mode), wanted)
    net.layers = change(random, net.layers, mode)
    add_objective(net)
    shared = net.shared
    if mode != "eval":
        shared.case[mode] = True
    shared.case["seed"] = random.randint(1, 99)
    return RandomNet(number, _text(net, number, seed), tuple(shared.classes), wanted.name, mode, version)


def _layers(shared: Shared, wanted: Family) -> Sketch:
    """Inputs, a few layers, those of the family, and a few more; begun again where it finds nothing to work on."""
    for _attempt in range(_ATTEMPTS):
        shared = Shared(shared.random, shared.behavior_version, shared.modern, shared.mode)
        shared.strict = shared.modern and shared.random.random() < _STRICT
        net = Sketch(shared, ())
        add_inputs(net)
        before = shared.random.randint(0, 3)
        fill(net, before)
        shared.wanted = None if "root" in wanted.places else wanted.name
        if add_family(net, _named("rec_loop") if shared.wanted else wanted) and shared.wanted is None:
            break
    shared.wanted = None
    least = 0 if net.layers else 1
    fill(net, shared.random.randint(least, max(least, 5 - len(net.layers))))
    return net


def fill(net: Sketch, count: int) -> None:
    """Add layers of random families that suit the network."""
    suitable = [f for f in families() if net.place in f.places and net.shared.mode in f.modes]
    wanted = _named(net.shared.wanted) if net.shared.wanted and net.place == "loop" else None
    if wanted and add_family(net, wanted):
        net.shared.wanted = None
    for _ in range(count):
        for _attempt in range(_ATTEMPTS):
            if add_family(net, net.choose(suitable)):
                break


def _named(name: str) -> Family:
    return next(f for f in families() if f.name == name)


def add_family(net: Sketch, wanted: Family) -> bool:
    """Add the layers of a family; False if the network has nothing for it to work on."""
    state = net.state()
    try:
        wanted.build(net)
    except Unsuitable:
        net.restore(state)
        return False
    return True


def _text(net: Sketch, number: int, seed: int) -> str:
    shared = net.shared
    imports = [line for line in shared.lines if line.startswith(("import", "from"))]
    others = [line for line in shared.lines if not line.startswith(("import", "from"))]
    head = [f"# random net {number} of seed {seed}", *dict.fromkeys(imports), *others]
    version = [f"behavior_version = {shared.behavior_version}"] if shared.behavior_version else []
    tail = [f"case = {shared.case!r}"]
    parts = [*head, *version, assignment("extern_data", shared.extern_data) + assignment("network", net.layers), *tail]
    return "\n".join(parts).replace("\n\n", "\n") + "\n"
