"""Configs that load parameters in every way there is; RETURNN's parameters for each are in ``data/loaded.json``.

``FOLDER`` has the checkpoints of :data:`CHECKPOINTS`, and those that a case copies to be its model's own (:data:`OWN`).
All initial values are constants, those of checkpoints are different numbers: each value says where it comes from.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

__all__ = ["CASES", "CHECKPOINTS", "ERRORS", "OWN", "checkpoint_values"]

_OUTPUT: dict[str, tuple[int, ...]] = {"output/W": (2, 2), "output/b": (2,), "global_step": ()}
_AM = {"h/W": (3, 2), "h/b": (2,), **_OUTPUT}
_LSTM = {"r/rec/W": (3, 8), "r/rec/W_re": (2, 8), "r/rec/b": (8,), **_OUTPUT}
_STATISTICS = ("mean", "variance", "beta", "gamma")

#: Name of the file to names and shapes of its variables.
CHECKPOINTS: Mapping[str, Mapping[str, tuple[int, ...]]] = {
    "am.003": _AM,
    "lm.007": {"h/W": (3, 2), "h/b": (2,), "global_step": ()},
    "part.005": {"h/W": (3, 2), "other/W": (1,), "global_step": ()},
    "renamed.004": {"hidden/weights": (3, 2), "hidden/bias": (2,), **_OUTPUT},
    "double.002": {"h/W": (3, 2), "h/b": (2,), "global_step": ()},
    "small.006": {**_AM, "h/W": (3, 1), "h/b": (1,), "output/W": (1, 2)},
    "large.006": {**_AM, "h/W": (4, 5), "h/b": (5,), "output/W": (5, 2)},
    "axes.001": {**_AM, "h/W": (3, 2, 1)},
    "scoped.003": {**_OUTPUT, "n/W": (3, 1), "n/b": (1,)},
    "sub.008": {"sub/h/W": (2, 1), "sub/h/b": (1,), "sub/output/W": (1, 2), "sub/output/b": (2,), **_OUTPUT},
    "whole.008": {"sub/h/W": (3, 2), "sub/h/b": (2,), "sub/output/W": (2, 2), "sub/output/b": (2,), **_OUTPUT},
    "inner.009": {"h/W": (3, 2), "h/b": (2,), "output/W": (2, 2), "output/b": (2,)},
    "norm0.002": {**{f"n/batch_norm/n_n_output_{s}": (1, 1, 3) for s in _STATISTICS}, **_OUTPUT, "output/W": (3, 2)},
    "norm1.002": {**{f"n/batch_norm/{s}": (1, 1, 3) for s in _STATISTICS}, **_OUTPUT, "output/W": (3, 2)},
    "cell.002": {"r/rec/lstm_cell/weights": (5, 8), "r/rec/lstm_cell/biases": (8,), **_OUTPUT},
    "rnncell.002": {"r/rec/rnn/lstm_cell/kernel": (5, 8), "r/rec/rnn/lstm_cell/bias": (8,), **_OUTPUT},
    "lstm.003": _LSTM,
    "smalllstm.003": {**_LSTM, "r/rec/W": (3, 4), "r/rec/W_re": (1, 4), "r/rec/b": (4,)},
    "loop.003": {"r/rec/x/W": (5, 1), "r/rec/output/W": (1, 2), "r/rec/output/b": (2,), **_OUTPUT},
    "wholeloop.003": {"r/rec/x/W": (5, 2), "r/rec/output/W": (2, 2), "r/rec/output/b": (2,), **_OUTPUT},
    "variable.003": {**_OUTPUT, "output/W": (3, 2)},
}

#: Names of cases to what their model's own checkpoints are copies of.
OWN = {
    "resumed": {"net.003": "am.003"},
    "resumed, with load_on_init": {"net.003": "whole.008"},
    "evaluated, with load_on_init": {"net.003": "whole.008"},
    "pretrained": {"net.pretrain.002": "am.003"},
    "searched without load": {"net.004": "part.005"},
}


def checkpoint_values(name: str) -> dict[str, NDArray[np.generic]]:
    """The variables of a checkpoint: numbers that no other variable of any checkpoint has."""
    first = 1000 * (1 + sorted(CHECKPOINTS).index(name))
    values: dict[str, NDArray[np.generic]] = {}
    for variable, shape in CHECKPOINTS[name].items():
        size = int(np.prod(shape))
        kind = np.int64 if variable == "global_step" else np.float64 if name.startswith("double") else np.float32
        values[variable] = np.arange(first, first + size).reshape(shape).astype(kind)
        first += size
    return values


_START = """
import numpy
extern_data = {"data": {"dim": 3}, "classes": {"dim": 2, "sparse": True}}
train = {"class": "Task12AXDataset", "num_seqs": 2}
learning_rate = 0.1
model = FOLDER + "/net"
num_epochs = 9
def linear(source, n_out=2, with_bias=True, **more):
    bias = {"bias_init": 0.5} if with_bias else {"with_bias": False}
    return {"class": "linear", "activation": "tanh", "n_out": n_out, "from": source, "forward_weights_init": 0.25,
            **bias, **more}
def output(source="h", **more):
    return {"class": "softmax", "from": source, "loss": "ce", "forward_weights_init": 0.25, "bias_init": 0.5, **more}
def preload(name, **more):
    return {"filename": f"{FOLDER}/{name}", **more}
def at_first(name, **more):
    return preload(name, init_for_train=True, **more)
"""


def _config(network: str, *lines: str) -> str:
    return "\n".join([_START, network, *lines, ""])


def _base(*lines: str) -> str:
    return _config('network = {"h": linear("data"), "output": output()}', *lines)


def _two(name: str, *lines: str) -> str:
    """With a second hidden layer."""
    both = f'{{"class": "combine", "kind": "add", "from": ["h", "{name}"]}}'
    return _config(
        f'network = {{"h": linear("data"), "{name}": linear("data"), "s": {both}, "output": output("s")}}', *lines
    )


def _imported(options: str, file: str) -> str:
    return _config(f'network = {{"h": linear("data", {options}), "output": output()}}', f'load = FOLDER + "/{file}"')


def _sub(options: str, *lines: str) -> str:
    return _config(
        'inner = {"h": linear("data"), "output": linear("h")}',
        f'sub = {{"class": "subnetwork", "from": "data", "subnetwork": inner, {options}}}',
        'network = {"sub": sub, "output": output("sub")}',
        *lines,
    )


def _rec(unit: str, options: str, file: str) -> str:
    inits = '"forward_weights_init": 0.25, "recurrent_weights_init": 0.75, "bias_init": 0.5'
    rec = f'{{"class": "rec", "unit": "{unit}", "n_out": 2, "from": "data", {inits}, {options}}}'
    return _config(f'network = {{"r": {rec}, "output": output("r")}}', f'load = FOLDER + "/{file}"')


_MISSING = """
def missing(name, shape, reader):
    if name == "output/b":
        return None
    assert reader.has_tensor("h/W") and not reader.has_tensor(name)
    assert reader.get_variable_to_shape_map()["h/W"] == [3, 2]
    return numpy.full(shape, reader.get_tensor("h/W").sum() + len(name), "float32")
"""
_FILL = """
def fill(layer, values_dict, session):
    assert sorted(values_dict) == ["W", "b"] and sorted(layer.params) == ["W", "b"]
    shape = tuple(layer.params["W"].get_shape().as_list())
    old = session.run(layer.params["W"])
    layer.params["W"].load(old + values_dict["W"][:shape[0], :shape[1]], session)
    layer.network.get_var_assigner(layer.params["b"]).assign(values_dict["b"][-2:], session=session)
"""
_LOOP = """
network = {"r": {"class": "rec", "from": "data", "custom_param_importer": "subset", "unit": {
               "x": linear(["data:source", "prev:output"], with_bias=False), "output": linear("x")}},
           "output": output("r")}
"""
_VARIABLE = """
network = {"v": {"class": "variable", "shape": [3], "init": 0.25, "non_critical_for_restore": True},
           "s": {"class": "combine", "kind": "add", "from": ["data", "v"]}, "output": output("s")}
"""
_SHARED = """
network = {"h": linear("data"), "g": linear("data", reuse_params="h"),
           "s": {"class": "combine", "kind": "add", "from": ["h", "g"]}, "output": output("s")}
"""
_MAPPING = 'mapping = {"h/W": "hidden/weights", "h/b": "hidden/bias", "no/W": "no", "output/W": "hidden/weights"}'
_INNER = '"load_on_init": FOLDER + "/inner.009"'

CASES = {
    # one checkpoint
    "load": _base('load = FOLDER + "/am.003"'),
    "load, with load_epoch": _base('load = FOLDER + "/am.003.index"', "load_epoch = 6"),
    "import": _base('import_model_train_epoch1 = FOLDER + "/am.003.meta"'),
    "resumed": _base('load = FOLDER + "/lm.007"', 'preload_from_files = {"a": at_first("lm.007")}'),
    "pretrained": _base(),
    "load_ignore_missing_vars": _base('load = FOLDER + "/part.005"', "load_ignore_missing_vars = True"),
    "not critical": _config(_VARIABLE, 'load = FOLDER + "/variable.003"'),
    "shared parameters": _config(_SHARED, 'load = FOLDER + "/am.003"'),
    # preload_from_files
    "preload of all": _base('preload_from_files = {"a": at_first("am.003")}'),
    "preload with import": _two(
        "lm_h",
        'preload_from_files = {"lm": at_first("lm.007", prefix="lm_")}',
        'import_model_train_epoch1 = FOLDER + "/am.003"',
    ),
    "the first of two files": _base(
        'preload_from_files = {"b": at_first("am.003"), "a": at_first("part.005", ignore_missing=True)}'
    ),
    "not for training": _base(
        'preload_from_files = {"a": preload("lm.007"), "b": preload("lm.007", init_for_train=None)}',
        'import_model_train_epoch1 = FOLDER + "/am.003"',
    ),
    "always": _base('preload_from_files = {"a": preload("am.003", init_for_train="always")}'),
    "always, behind the first epoch": _base(
        'preload_from_files = {"a": preload("lm.007", init_for_train="always")}', 'load = FOLDER + "/am.003"'
    ),
    "ignore_params": _base(
        'preload_from_files = {"a": at_first("am.003", ignore_params=("h/W",), ignore_params_prefixes={"output/"})}'
    ),
    "prefix": _two("x_lm_h", 'preload_from_files = {"a": at_first("lm.007", prefix="x_lm_")}'),
    "prefix in the middle": _two("h_lm_", 'preload_from_files = {"a": at_first("lm.007", prefix="_lm_")}'),
    "ignored behind the prefix": _two(
        "lm_h", 'preload_from_files = {"a": at_first("lm.007", prefix="lm_", ignore_params=["h/W"])}'
    ),
    "empty prefix": _base('preload_from_files = {"a": at_first("part.005", prefix="", ignore_missing=True)}'),
    "var_name_mapping": _base(
        _MAPPING, 'preload_from_files = {"a": at_first("renamed.004", var_name_mapping=mapping)}'
    ),
    "mapping with prefix": _two(
        "lm_h", _MAPPING, 'preload_from_files = {"a": at_first("renamed.004", prefix="lm_", var_name_mapping=mapping)}'
    ),
    "custom_missing_load_func": _base(
        _MISSING, "more = {'custom_missing_load_func': missing, 'ignore_missing': True}",
        'preload_from_files = {"a": at_first("part.005", **more)}',
    ),
    "float64": _base('preload_from_files = {"a": at_first("double.002", ignore_missing=True)}'),
    "searched": _base(
        'task = "search"', 'load = FOLDER + "/am.003"',
        'preload_from_files = {"a": preload("lm.007", ignore_missing=True), "b": at_first("small.006")}',
    ),
    "searched without load": _base(
        'task = "search"', 'preload_from_files = {"a": preload("am.003", ignore_params=["h/W"])}'
    ),
    "random model": _base(
        'task = "search"', "allow_random_model_init = True",
        'preload_from_files = {"a": preload("lm.007", ignore_missing=True)}',
    ),
    # old names
    "renames of cells": _rec("standardlstm", "", "cell.002"),
    "renames of cells in rnn": _rec("standardlstm", "", "rnncell.002"),
    **{
        f"batch norm {old} in {new}": _config(
            f'norm = {{"class": "batch_norm", "from": "data", "param_version": {new}}}',
            'network = {"n": norm, "output": output("n")}',
            f'load = FOLDER + "/norm{old}.002"',
        )
        for old, new in ((0, 0), (0, 1), (1, 1), (0, 2), (1, 2))
    },
    # custom_param_importer
    **{
        f"importer {mode} of {name}": _config(
            f"mode = {mode!r}",
            'network = {"h": linear("data", custom_param_importer=mode), "output": output(custom_param_importer=mode)}',
            f'load = FOLDER + "/{name}.006"',
        )
        for mode in ("subset", "ifpossible", "reset")
        for name in ("small", "large")
    },
    "importer of an LSTM": _rec("lstm", '"custom_param_importer": "subset"', "smalllstm.003"),
    "importer of a subnetwork": _sub('"custom_param_importer": "subset"', 'load = FOLDER + "/sub.008"'),
    "importer of a loop": _config(_LOOP, 'load = FOLDER + "/loop.003"'),
    "importer inside of a layer": _config(
        'inner = {"h": linear("data", custom_param_importer="reset"), "output": linear("h")}',
        'sub = {"class": "subnetwork", "from": "data", "subnetwork": inner}',
        'network = {"sub": sub, "output": output("sub")}',
        'load = FOLDER + "/whole.008"',
    ),
    "importer inside of a loop": _config(
        _LOOP.replace('"custom_param_importer": "subset", ', "").replace('linear("x")', 'linear("x", **reset)'),
        'load = FOLDER + "/wholeloop.003"',
    ).replace("import numpy", 'reset = {"custom_param_importer": "reset"}'),
    "importer inside and outside": _config(
        'inner = {"h": linear("data", custom_param_importer="reset"), "output": linear("h")}',
        'sub = {"class": "subnetwork", "from": "data", "subnetwork": inner, "custom_param_importer": "subset"}',
        'network = {"sub": sub, "output": output("sub")}',
        'load = FOLDER + "/sub.008"',
    ),
    "importer with a name scope": _imported('name_scope="n", custom_param_importer="subset"', "scoped.003"),
    "importer without values": _imported('custom_param_importer="subset"', "renamed.004"),
    "importer, not of preload": _config(
        'network = {"h": linear("data", custom_param_importer="reset"), "output": output()}',
        'preload_from_files = {"a": at_first("am.003")}',
    ),
    "importing function": _config(
        _FILL,
        'network = {"h": linear("data", custom_param_importer=fill), "output": output(custom_param_importer="subset")}',
        'load = FOLDER + "/large.006"',
    ),
    # load_on_init
    "load_on_init": _sub(_INNER),
    "load_on_init wins": _sub(_INNER, 'load = FOLDER + "/whole.008"'),
    "load_on_init of what load lacks": _sub(_INNER, 'load = FOLDER + "/lstm.003"'),
    "load_on_init and preload": _sub(_INNER, 'preload_from_files = {"a": at_first("whole.008")}'),
    "resumed, with load_on_init": _sub(_INNER),
    "evaluated, with load_on_init": _sub(_INNER, 'task = "search"'),
}  # fmt: skip

#: What RETURNN ends with an error.
ERRORS = {
    "load, variables missing": _base('load = FOLDER + "/part.005"'),
    "import, variables missing": _base('import_model_train_epoch1 = FOLDER + "/lm.007"'),
    "preload, variables missing": _two("lm_h", 'preload_from_files = {"a": at_first("part.005", prefix="lm_")}'),
    "preload, another shape": _base('preload_from_files = {"a": at_first("small.006")}'),
    "preload, nothing found": _base(
        'preload_from_files = {"a": at_first("cell.002", ignore_missing=True, ignore_params_prefixes=["output"])}'
    ),
    "preload, nothing with the prefix": _base('preload_from_files = {"a": at_first("am.003", prefix="lm_")}'),
    "preload, everything ignored": _base(
        'preload_from_files = {"a": at_first("am.003", ignore_params_prefixes=["h", "output"])}'
    ),
    "preload, no such file": _base('preload_from_files = {"a": at_first("no.003")}'),
    "mapping to nothing": _base(
        'mapping = {"h/W": "hidden/weights", "h/b": "hidden/b"}',
        'preload_from_files = {"a": at_first("renamed.004", var_name_mapping=mapping)}',
    ),
    "importer, unknown parameter": _imported('with_bias=False, custom_param_importer="subset"', "am.003"),
    "importer, other number of axes": _imported('custom_param_importer="subset"', "axes.001"),
    "custom function, wrong shape": _base(
        "def missing(name, shape, reader):\n    return numpy.zeros((7,), 'float32')",
        'preload_from_files = {"a": at_first("lm.007", custom_missing_load_func=missing)}',
    ),
    "nothing to load": _base('task = "search"'),
}
