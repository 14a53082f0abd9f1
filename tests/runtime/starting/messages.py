"""What is said of the cases that end with an error; the folder of a test is left out of paths."""

from __future__ import annotations

__all__ = ["FURTHER", "MESSAGES"]

_PART = "load_ignore_missing_vars = True, if the file has only a part of the network"
_ENTRY = "net.py:22, key 'preload_from_files.a': "
_SMALL = "has another shape in the checkpoint small.006"
_LAYER = "layer 'h' (net.py:21, key 'custom_param_importer'): "
_NO_FIT = (
    "net.py:24, key 'preload_from_files.a': custom_missing_load_func gave 'output/{}' something that does not fit\n"
)

#: By the name of the case.
MESSAGES = {
    "load, variables missing": (
        "3 problems:\n"
        f"[1] part.005: the checkpoint has no variable 'h/b'\n  try: {_PART}\n"
        f"[2] part.005: the checkpoint has no variable 'output/W'\n  try: {_PART}\n"
        f"[3] part.005: the checkpoint has no variable 'output/b'\n  try: {_PART}"
    ),
    "import, variables missing": (
        "2 problems:\n"
        f"[1] lm.007: the checkpoint has no variable 'output/W'\n  try: {_PART}\n"
        f"[2] lm.007: the checkpoint has no variable 'output/b'\n  try: {_PART}"
    ),
    "preload, variables missing": (
        f"{_ENTRY}the checkpoint part.005 has no variable 'h/b' for 'lm_h/b'\n"
        "  try: 'ignore_missing': True, if the file has only a part of the network"
    ),
    "preload, another shape": (
        "3 problems:\n"
        f"[1] {_ENTRY}variable 'h/W' {_SMALL}\n  expected: [3, 2]\n  received: [3, 1]\n"
        f"[2] {_ENTRY}variable 'h/b' {_SMALL}\n  expected: [2]\n  received: [1]\n"
        f"[3] {_ENTRY}variable 'output/W' {_SMALL}\n  expected: [2, 2]\n  received: [1, 2]"
    ),
    "preload, nothing found": (
        f"{_ENTRY}the checkpoint cell.002 has none of the network's variables\n"
        "  expected: h/W, h/b\n"
        "  received: global_step, output/W, output/b, r/rec/lstm_cell/biases, r/rec/lstm_cell/weights"
    ),
    "preload, nothing with the prefix": (
        f"{_ENTRY}no variable of the network has 'lm_' in its name\n  received: h/W, h/b, output/W, output/b"
    ),
    "preload, everything ignored": (
        f"{_ENTRY}ignore_params and ignore_params_prefixes leave out every variable\n"
        "  received: h/W, h/b, output/W, output/b"
    ),
    "preload, no such file": (
        f"{_ENTRY}no such checkpoint: no.003\n"
        "  expected: the file no.003.index\n"
        "  try: in FOLDER there is: am.003, axes.001, cell.002, double.002, inner.009, large.006, lm.007, loop.003, "
        "lstm.003, norm0.002"
    ),
    "mapping to nothing": (
        "net.py:23, key 'preload_from_files.a': the checkpoint renamed.004 has no variable 'hidden/b', "
        "which var_name_mapping names\n  try: did you mean 'hidden/bias'?"
    ),
    "importer, unknown parameter": f"{_LAYER}layer 'h' has no parameter 'b', but the checkpoint has",
    "importer, other number of axes": (
        f"{_LAYER}parameter 'h/W' has another number of axes in the checkpoint\n"
        "  expected: as many axes as in [3, 2]\n  received: [3, 2, 1]"
    ),
    "custom function, wrong shape": (
        "2 problems:\n"
        f"[1] {_NO_FIT.format('W')}  expected: None, or an array of shape [2, 2]\n  received: [7]\n"
        f"[2] {_NO_FIT.format('b')}  expected: None, or an array of shape [2]\n  received: [7]"
    ),
    "nothing to load": "there is no checkpoint net.*\n  try: train first, or set load",
}

#: Lines of a config that are wrong, and the message.
FURTHER = [
    (
        'preload_from_files = {"a": "am.003"}',
        f"{_ENTRY}the entry 'a' has the wrong type\n"
        "  expected: a dict with 'filename', the path of a checkpoint\n  received: 'am.003' (str)",
    ),
    (
        'preload_from_files = {"a": {"prefx": "h"}}',
        "2 problems:\n"
        "[1] net.py:22, key 'preload_from_files.a.prefx': preload_from_files['a'] has no option 'prefx'\n"
        "  expected: one of custom_missing_load_func, filename, ignore_missing, ignore_params, ignore_params_prefixes, "
        "init_for_train, prefix, var_name_mapping\n  try: did you mean 'prefix'?\n"
        f"[2] {_ENTRY}preload_from_files['a']: option 'filename' is missing\n  expected: str",
    ),
    (
        'preload_from_files = {"a": at_first("am.003", ignore_params="h/W")}',
        "net.py:22, key 'preload_from_files.a.ignore_params': preload_from_files['a']: option 'ignore_params' has the "
        "wrong type\n  expected: a list of names\n  received: 'h/W' (str)",
    ),
    (
        'preload_from_files = {"a": preload("am.003", init_for_train="yes")}',
        "net.py:22, key 'preload_from_files.a.init_for_train': preload_from_files['a']: option 'init_for_train' has an "
        "unknown value\n  expected: True or False | 'always'\n  received: 'yes' (str)",
    ),
    (
        'network["h"]["custom_param_importer"] = "subsets"',
        f"{_LAYER}custom_param_importer is not understood\n"
        "  expected: 'subset', 'ifpossible', 'reset', or a function\n  received: 'subsets'\n"
        "  try: did you mean 'subset'?",
    ),
    (
        'network["h"]["custom_param_importer"] = lambda layer, **kwargs: layer.nothing\nload = FOLDER + "/am.003"',
        f"{_LAYER}custom_param_importer of layer 'h' fails: AttributeError: "
        "'ImportingLayer' object has no attribute 'nothing'",
    ),
    (
        'preload_from_files = {"a": at_first("lm.007", custom_missing_load_func=lambda name, **kwargs: 1 / 0)}',
        f"{_ENTRY}custom_missing_load_func fails for 'output/W': ZeroDivisionError: division by zero",
    ),
]
