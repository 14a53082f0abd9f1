"""``docs/layers.md``, made from the dataclasses of options of what a dict may ask for: ``make options``."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from returnn_ir.layers.recurrent.cells.registry import LSTM_BLOCKS, OTHER_NAMES, UNITS
from returnn_ir.network.layer_options import LayerOptions, SourceOptions
from returnn_ir.network.layer_registry import LayerSpec, find_layer, layer_names
from returnn_ir.network.loss_registry import LossOptions, find_loss, loss_names
from returnn_ir.network.nested_options import OutType, ReuseParams
from returnn_ir.network.option_table import OPTIONS, OptionVerdict
from returnn_ir.options import MAX_SIZE, described, option_fields
from runtime.optimizers.registry import OptimizerOptions, OptimizerSpec, find_optimizer, optimizer_names

__all__ = ["PAGE", "attribute_docs", "layers_page", "option_classes", "options_table", "summary_of"]

PAGE = Path(__file__).parents[2] / "docs" / "layers.md"

_HEAD = """# Layers, losses, units and optimizers

Made by `make options` from the dataclasses of their options; a test compares.

A layer's table has its own options; those of all layers, and of all that join their sources, are listed first. An
option that is not done is in [options.md](options.md). A *layer name* may be `base:x`, `prev:x`, `a/b`; an *axis* is a
description such as `"T"`, `"F"`, `"stag:..."`, or a Dim.
"""

_OPTIMIZERS = """
## Optimizers

Case and `Optimizer` behind a name do not matter. The config's `optimizer_epsilon` and `momentum`, where they are there,
are the defaults of the options `epsilon` and `momentum`. What every optimizer takes:
"""

_SOURCES = {
    "concat": "joins its sources over features",
    "one": "one source",
    "many": "several sources",
    "none": "no sources",
}
_HEADER = "\n| option | type | default | what it is |\n|---|---|---|---|\n"
_PARTS = re.compile(r"\(([^()]*)\)")
_BETWEEN = re.compile(r" \| (?![^()]*\))")
_ENTRY = re.compile(r"^    (\w+): (.*(?:\n     .*)*)", re.MULTILINE)


def layers_page() -> str:
    """The whole page."""
    parts = [_HEAD, "\n## Options of all layers\n", options_table(LayerOptions, object, [""])]
    parts += ["\n## Options of layers that join their sources\n", options_table(SourceOptions, LayerOptions, [""])]
    parts += [
        "\n## `out_type`\n",
        options_table(OutType, object),
        "\n## `reuse_params`\n",
        options_table(ReuseParams, object),
    ]
    for family, specs in _families():
        parts.append(f"\n## Layers: {family}\n")
        parts.extend(_layer(names, spec) for names, spec in specs)
    parts += ["\n## Losses\n\nWhat every loss takes in `loss_opts`:\n", options_table(LossOptions, object)]
    parts.extend(_loss(name) for name in loss_names())
    parts += ["\n## Units\n\nOf `rec` and `rnn_cell`, with what they take in `unit_opts`. ", _other_units()]
    parts.extend(_unit(name) for name in sorted(UNITS))
    parts += [_OPTIMIZERS, options_table(OptimizerOptions, object)]
    parts.extend(_optimizer(spec) for spec in _optimizers())
    return "".join(parts)


def option_classes() -> list[type[Any]]:
    """Every class that a table is made of."""
    layers = {spec.options for spec in map(find_layer, layer_names()) if spec is not None}
    losses = {spec.options for spec in map(find_loss, loss_names()) if spec is not None}
    units = {unit.options for unit in UNITS.values()}
    optimizers = {spec.options for spec in _optimizers()}
    return sorted({LayerOptions, SourceOptions, OutType, ReuseParams, *layers, *losses, *units, *optimizers}, key=str)


def attribute_docs(cls: type[Any]) -> dict[str, str]:
    """What the docstrings of a dataclass and of its bases say about each field."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        _, _, attributes = (inspect.cleandoc(vars(base).get("__doc__") or "")).partition("Attributes:\n")
        found |= {name: " ".join(text.split()) for name, text in _ENTRY.findall(attributes)}
    return found


# ---------------------------------------------------------------- parts


def _families() -> Iterable[tuple[str, list[tuple[list[str], LayerSpec]]]]:
    """Layers by the folder that they are in, each once with all its names."""
    grouped: dict[str, dict[tuple[Callable[..., Any], type[Any]], tuple[list[str], LayerSpec]]] = {}
    for name in layer_names():
        spec = find_layer(name)
        assert spec is not None
        family = grouped.setdefault(spec.build.__module__.split(".")[2], {})
        family.setdefault((spec.build, spec.options), ([], spec))[0].append(name)
    return [(family, list(specs.values())) for family, specs in sorted(grouped.items())]


def _layer(names: list[str], spec: LayerSpec) -> str:
    base = SourceOptions if issubclass(spec.options, SourceOptions) else LayerOptions
    heading = ", ".join(f"`{name}`" for name in names)
    text = f"\n### {heading}\n\n{summary_of(spec.build)} ({_SOURCES[spec.sources]})\n"
    return text + options_table(spec.options, base, names)


def _loss(name: str) -> str:
    spec = find_loss(name)
    assert spec is not None
    table = options_table(spec.options, LossOptions, [f"loss {name}"])
    return f"\n### Loss `{name}`\n\n{summary_of(spec.compute)}\n{table}"


def _unit(name: str) -> str:
    unit = UNITS[name]
    only = " Only in `rec`." if unit.whole else ""
    summary = summary_of(unit.make).partition("`: ")[2] or summary_of(unit.make)
    return f"\n### Unit `{name}`\n\n{summary}{only}\n{options_table(unit.options, object)}"


def _other_units() -> str:
    others = ", ".join(f"`{name}` is `{unit}`" for name, unit in OTHER_NAMES.items())
    blocks = ", ".join(f"`{name}`" for name in LSTM_BLOCKS)
    return f"Case and `Cell` behind a name do not matter. {others}; {blocks} are the LSTM that the layer has.\n"


def _optimizers() -> list[OptimizerSpec]:
    return [spec for spec in map(find_optimizer, optimizer_names()) if spec is not None]


def _optimizer(spec: OptimizerSpec) -> str:
    return (
        f"\n### Optimizer `{spec.name}`\n\n{summary_of(spec.update)}\n{options_table(spec.options, OptimizerOptions)}"
    )


def summary_of(function: Callable[..., Any]) -> str:
    return inspect.cleandoc(function.__doc__ or "").split("\n\n")[0].replace("\n", " ").replace("``", "`")


def options_table(cls: type[Any], base: type[Any], owners: Iterable[str] = ()) -> str:
    """The options that a class has more than a base of it.

    Args:
        owners: whose rows in the table of options that are not done count.
    """
    inherited = {f.name for f in option_fields(base)} if base is not object else set()
    docs, defaults = attribute_docs(cls), {f.name: f for f in fields(cls)}
    notes = {row.name: row for row in OPTIONS if row.owner in owners}
    rows = []
    for option in option_fields(cls):
        if option.name not in inherited:
            names = " or ".join(f"`{key}`" for key in option.keys)
            text = docs[option.name].replace("``", "`")
            if option.name in notes:
                row = notes[option.name]
                text += f" *{'No effect' if row.verdict is OptionVerdict.NO_EFFECT else 'Refused'}*: {row.text}."
            cells = names, _type(option.hint), _default(defaults[option.name]), text
            rows.append("| " + " | ".join(cells) + " |\n")
    return _HEADER + "".join(rows) if rows else ""


def _type(hint: Any) -> str:
    """A type in words; the largest size of an axis is left away.

    Python keeps one of two unions that differ in their order, which one depends on what was imported first; here they
    are sorted.
    """
    text = _PARTS.sub(lambda match: f"({_sorted(match[1])})", described(hint))
    text = _sorted(text)
    for low in (0, 1):
        text = text.replace(f"from {low} to {MAX_SIZE}", f">= {low}")
    return _code(text.replace("float that is finite", "finite float"))


def _sorted(union: str) -> str:
    return " | ".join(sorted(_BETWEEN.split(union), key=lambda part: (part == "None", part)))


def _default(field: Any) -> str:
    if field.default is MISSING:
        return "required" if field.default_factory is MISSING else _code(repr(field.default_factory()))
    plain = isinstance(field.default, (bool, int, float, str, tuple, type(None)))
    return _code(repr(field.default)) if plain else ""  # a mark for what was not given


def _code(text: str) -> str:
    return "`" + text.replace("|", "\\|") + "`"


if __name__ == "__main__":
    PAGE.write_text(layers_page(), encoding="utf-8")
    print(f"wrote {PAGE}")
