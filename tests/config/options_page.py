"""``docs/options.md``, made from the tables of config keys and of layer options: ``make options``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from returnn_ir.config.key import ALL, Key, Verdict
from returnn_ir.config.keys import TABLE
from returnn_ir.network.option_table import OPTIONS, OptionVerdict

PAGE = Path(__file__).parents[2] / "docs" / "options.md"

_HEAD = """# Config keys and layer options

Made by `make options` from `returnn_ir/config/keys.py` and `returnn_ir/network/option_table.py`; a test compares.

A key of a config is *done*; or it has *no effect* here, for the reason that is given; or `returnn-run` *refuses* it,
unless it has the value in brackets or is left out. All keys that a run refuses are reported at once, before data and
models are loaded. `returnn-compile` refuses none of them: a note lists those that a training would refuse. An unknown
key is a variable of the config's own; one that is named nearly like a key gets a warning.
"""

_OPTIONS = """
## Options of layers

Every other option of a layer is done.

| layer | option | what happens |
|---|---|---|
"""

_REFUSALS = {
    OptionVerdict.CHECK: "refused",
    OptionVerdict.LOADING: "refused by `returnn-run`, and by `returnn-compile --checkpoint`",
    OptionVerdict.EXPORT: "refused by `returnn-compile --checkpoint`",
}


def options_page() -> str:
    """The whole page."""
    parts = [_HEAD]
    for title, keys in TABLE.items():
        parts.append(f"\n## {title}\n\n| key | tasks | what happens |\n|---|---|---|\n")
        parts.extend(_row(key) for key in keys)
    parts.append(_OPTIONS)
    for row in OPTIONS:
        happens = "no effect" if row.verdict is OptionVerdict.NO_EFFECT else _REFUSALS[row.verdict] + _brackets(row.off)
        parts.append(f"| {row.owner or 'all'} | `{row.name}` | {happens}: {row.text} |\n")
    return "".join(parts)


def _row(key: Key) -> str:
    tasks = "" if key.verdict is Verdict.NO_EFFECT else "all" if key.tasks == ALL else ", ".join(sorted(key.tasks))
    happens = {
        Verdict.DONE: key.text,
        Verdict.NO_EFFECT: f"*no effect*: {key.text}",
        Verdict.REFUSED: f"*refused*{_brackets(key.off)}: {key.text}",
    }[key.verdict]
    return f"| `{key.name}` | {tasks} | {happens} |\n"


def _brackets(off: Iterable[object]) -> str:
    values = ", ".join(f"`{value!r}`" for value in off if value != {})
    return f" ({values})" if values else ""


if __name__ == "__main__":
    PAGE.write_text(options_page(), encoding="utf-8")
    print(f"wrote {PAGE}")
