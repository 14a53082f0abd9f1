"""Record what RETURNN's dims answer: ``python -m tests.config.record_dim_names`` with a Python that has RETURNN.

Writes ``data/dims.json``: RETURNN's public names of Dim, Tensor and the modules that a config imports them from, the
fields of each dim that an expression makes, and the answers to questions; null where RETURNN refuses.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.config.dim_expressions import ANSWERS, FIELDS, MADE, PREAMBLE


def names() -> dict[str, object]:
    """A namespace in which an expression is evaluated, anew for each."""
    import returnn.tensor
    import returnn.tensor.marked_dim as marked
    import returnn.tf.util.data as data

    found: dict[str, object] = {**vars(data), **vars(marked), **vars(returnn.tensor)}
    exec("from copy import copy, deepcopy\n" + PREAMBLE, found)
    return found


def fields(dim: Any) -> list[object]:
    """Its fields, as JSON takes them."""
    found = [eval(f"dim.{field}", {"dim": dim}) for field in FIELDS]
    return [v if isinstance(v, (int, str, type(None))) else getattr(v, "name", bool(v)) for v in found]


def public(thing: object) -> list[str]:
    """The names that somebody else may use."""
    return sorted(name for name in dir(thing) if not name.startswith("_"))


def main() -> None:
    """Record everything."""
    import returnn.tensor
    import returnn.tf.util.data as data
    from returnn.util.basic import BehaviorVersion

    BehaviorVersion.set(21)
    recorded = {
        "Dim": public(returnn.tensor.Dim),
        "Dim operators": sorted(set(dir(returnn.tensor.Dim)) - set(dir(object)) - set(public(returnn.tensor.Dim))),
        "Tensor": public(returnn.tensor.Tensor),
        "TensorDict": public(returnn.tensor.TensorDict),
        "returnn.tensor": public(returnn.tensor),
        "returnn.tf.util.data": public(data),
        "made": {text: fields(eval(text, names())) for text in MADE},
        "answers": {text: repr(eval(text, names())) for text in ANSWERS},
    }
    path = Path(__file__).parent / "data" / "dims.json"
    path.write_text(json.dumps(recorded, indent=0, ensure_ascii=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
