"""``custom_param_importer``: a layer takes what a checkpoint has under its name in a way of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias, get_args

from compiler.checkpoint.reader import CheckpointReader
from compiler.target.protocol import Array
from returnn_ir.config.network_names import CopyMode
from returnn_ir.errors import ConfigError, DataError, Origin, ProblemList, UserError, did_you_mean
from returnn_ir.network.naming import layer_scope
from returnn_ir.network.net import LayerDef, Net
from runtime.checkpoints.importing_code import ImportingCode
from runtime.checkpoints.sources import Source, Wanted

__all__ = ["Fit", "Importer", "importer_of", "layer_importers"]

#: The value in a file, of another shape, and the initial value of a variable to the value that it gets.
Fit: TypeAlias = Callable[[Wanted, Array, Array], Array]
Mode: TypeAlias = CopyMode | Callable[..., object]
_MODES: tuple[CopyMode, ...] = get_args(CopyMode)


@dataclass(frozen=True)
class Importer:
    """The option of one layer.

    Attributes:
        layer: its path.
        prefix: that of its variables, and of those of the layers inside of it.
        mode: ``subset``: what fits of another shape; ``ifpossible``: those of equal shape; ``reset``: nothing; or a
            function of the config.
        where: the option in the config.
    """

    layer: str
    prefix: str
    mode: Mode
    where: Origin | None = None

    def sources(
        self, reader: CheckpointReader, stored: Sequence[str], wanted: Iterable[Wanted], fit: Fit
    ) -> dict[str, Source]:
        """Where those of the layer's variables come from that the checkpoint gives a value.

        Args:
            stored: variables of the checkpoint that are the layer's.
            wanted: variables of the layer.

        Raises:
            ProblemList: variables of the checkpoint that the layer does not have, or with another number of axes.
        """
        own = {variable.name: variable for variable in wanted}
        if not own or self.mode == "reset":
            return {}
        if callable(self.mode):
            values = partial(_values, reader, self.prefix, stored)
            code = ImportingCode(self.layer, self.prefix, self.mode, own, values, self.where)
            return {name: Source(reader.prefix, (), partial(code.value, name), True) for name in own}
        problems = [problem for name in stored for problem in self._problems(reader, name, own)]
        if problems:
            raise ProblemList(problems)
        found = {}
        for name in stored:
            if reader.entries[name].shape == own[name].shape:
                found[name] = Source(reader.prefix, (name,), partial(_stored, reader, name))
            elif self.mode == "subset":
                found[name] = Source(reader.prefix, (name,), partial(_fitted, reader, own[name], fit), True)
        return found

    def _problems(self, reader: CheckpointReader, name: str, own: Mapping[str, Wanted]) -> Sequence[UserError]:
        shape = reader.entries[name].shape
        if name not in own:
            what = f"layer {self.layer!r} has no parameter {name.removeprefix(self.prefix)!r}, but the checkpoint has"
            return [DataError(what, where=self.where or reader.prefix)]
        if self.mode == "subset" and len(shape) != len(own[name].shape):
            return [
                DataError(
                    f"parameter {name!r} has another number of axes in the checkpoint",
                    where=self.where or reader.prefix,
                    expected=f"as many axes as in {list(own[name].shape)}",
                    received=list(shape),
                )
            ]
        return []


def importer_of(definition: LayerDef) -> Mode | None:
    """What the option says for one layer; None: nothing.

    Raises:
        ConfigError: a value that it cannot have.
    """
    given: object = definition.options.custom_param_importer
    if not given:
        return None
    if callable(given):
        return given
    mode = next((mode for mode in _MODES if mode == given), None)
    if mode is not None:
        return mode
    raise ConfigError(
        "custom_param_importer is not understood",
        where=definition.key_origin("custom_param_importer"),
        expected=f"{', '.join(map(repr, _MODES))}, or a function",
        received=repr(given),
        hint=did_you_mean(given, _MODES) if isinstance(given, str) else None,
    )


def layer_importers(net: Net) -> tuple[Importer, ...]:
    """The layers that have the option, those inside of subnetworks before these; inside of loops it means nothing.

    Raises:
        ProblemList: values that it cannot have.
    """
    problems: list[UserError] = []
    found = []
    for definition, prefix in _layers(net, ""):
        try:
            mode = importer_of(definition)
        except ConfigError as error:
            problems.append(error)
            continue
        if mode is not None:
            where = definition.key_origin("custom_param_importer")
            found.append(Importer(definition.path, prefix, mode, where))
    if problems:
        raise ProblemList(problems)
    return tuple(found)


def _layers(net: Net, outer: str) -> Iterator[tuple[LayerDef, str]]:
    """Layers with the prefix of their variables' names, the inner ones first."""
    for definition in net.layers.values():
        prefix = _prefix(definition, outer)
        if definition.spec.name == "subnetwork":
            yield from _layers(definition.children["subnetwork"], prefix)
        yield definition, prefix


def _prefix(definition: LayerDef, outer: str) -> str:
    scope = definition.options.name_scope
    if scope is None:
        inner = definition.spec.variable_scope
        return f"{outer}{layer_scope(definition.name)}/{inner + '/' if inner else ''}"
    if scope.startswith("/"):
        return f"{scope[1:]}/" if scope[1:] else ""
    return f"{outer}{scope}/" if scope else outer


def _values(reader: CheckpointReader, prefix: str, names: Sequence[str]) -> dict[str, Array]:
    return {name.removeprefix(prefix): reader.read(name) for name in names}


def _stored(reader: CheckpointReader, name: str, initials: Mapping[str, Array]) -> Array:
    return reader.read(name)


def _fitted(reader: CheckpointReader, wanted: Wanted, fit: Fit, initials: Mapping[str, Array]) -> Array:
    return fit(wanted, reader.read(wanted.name), initials[wanted.name])
