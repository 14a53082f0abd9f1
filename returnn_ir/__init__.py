"""The IR of RETURNN network dicts, and the front end that makes it.

``load(path)`` parses a config's network; ``compiler.compile`` makes a program of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from returnn_ir.config import Assumptions
    from returnn_ir.network.net import Net

__all__ = ["load"]


def load(
    path: str | Path,
    overrides: Sequence[str] = (),
    *,
    epoch: int | None = None,
    mode: str | None = None,
    assume: Assumptions | None = None,
) -> Net:
    """Load a config file and parse its network.

    >>> from tempfile import TemporaryDirectory
    >>> config = '''
    ... extern_data = {"data": {"dim": 8}, "classes": {"dim": 10, "sparse": True}}
    ... network = {
    ...     "lstm": {"class": "rec", "unit": "nativelstm2", "n_out": 64, "from": "data"},
    ...     "output": {"class": "softmax", "from": "lstm", "loss": "ce", "target": "classes"},
    ... }
    ... '''
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "net.py"
    ...     _ = path.write_text(config)
    ...     net = load(path)
    >>> [layer.path for layer in net.all_layers()]
    ['lstm', 'output']
    >>> net.layers["lstm"].options.n_out
    64

    Args:
        path: a config in any of RETURNN's three syntaxes.
        overrides: ``["++key", "value", ...]`` as on RETURNN's command line.
        epoch: whose network, where it changes (``pretrain``, ``get_network``); counted from 1. None: the last one's.
        mode: what the network is loaded for. Many configs define another network where ``task`` is "search"; it is
            while they load for mode ``search``, unless ``overrides`` set it.
        assume: ``Assumptions(files=True)`` of :mod:`returnn_ir.config` checks a config without the files that it
            names; ``net.config.assumed`` lists them. None: nothing is assumed.

    Raises:
        UserError: everything that is wrong with the file and its network, with file and line.
    """
    from returnn_ir.config import NOTHING_ASSUMED, load_config_for
    from returnn_ir.errors import ConfigError
    from returnn_ir.network.net import load_net

    if isinstance(overrides, str):
        hint = f"overrides={overrides.split()!r}"
        raise ConfigError("'overrides' is a list of words", received=repr(overrides), hint=hint)
    return load_net(load_config_for(path, overrides, mode, assume=assume or NOTHING_ASSUMED), epoch)
