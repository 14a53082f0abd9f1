"""``PYTHON -m tests.returnn_nets.collect CHECKOUT FOLDER``: run RETURNN's tests, write the networks they construct.

PYTHON has RETURNN's requirements, and for its frontend's tests (``test_rf_*``) PyTorch. A test runs until its last
network is constructed; what it goes on to say of it does not matter here.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from tests.recording.config_text import CannotWrite, ConfigText

__all__ = ["Collector", "main"]

#: Networks of one test.
_MOST = 8
#: Seconds for one test.
_LONGEST = 20
_CLASSIC = ("test_TFNetworkLayer", "test_TFNetworkRecLayer", "test_TFNetworkSigProcLayer", "test_TFUpdater")
_GIVEN = ("seq_tag", "seq_idx")  # data that RETURNN adds by itself


class _Enough(BaseException):
    """Nothing of a running test is needed any more; no ``except Exception`` of it catches this."""


class Collector:
    """Stands in for ``TFNetwork.construct_from_dict`` while a test runs."""

    def __init__(self, folder: Path, construct: Callable[..., Any]) -> None:
        self._folder = folder
        self._construct = construct
        self._test = ""
        self._number = 0

    def run(self, name: str, test: Callable[[], object]) -> None:
        """Run one test and write its networks."""
        self._test, self._number = name, 0
        signal.alarm(_LONGEST)
        try:
            test()
        except _Enough:
            pass
        except BaseException as error:
            print(f"{name}: the test raised {type(error).__name__}")
        finally:
            signal.alarm(0)

    def construct_from_dict(self, network: Any, net_dict: dict[str, Any], *args: Any, **options: Any) -> object:
        """Write a network that is no part of another one, and construct it."""
        parents = (network.parent_net, network.parent_layer, network.extra_parent_net)
        if all(parent is None for parent in parents):
            self._number += 1
            self._write(network, net_dict)
            if self._number >= _MOST:
                raise _Enough
        return self._construct(network, net_dict, *args, **options)

    def _write(self, network: Any, net_dict: dict[str, Any]) -> None:
        name = f"{self._test}_{self._number}"
        try:
            text = _config(self._test, network, net_dict)
        except CannotWrite as error:
            print(f"{name}: {error}")
            return
        (self._folder / f"{name}.py").write_text(text, encoding="utf-8")


def _config(test: str, network: Any, net_dict: dict[str, Any]) -> str:
    from returnn.util.basic import BehaviorVersion

    out = ConfigText()
    written = out.value(net_dict)
    data = {
        repr(key): out.value(_by_dims(d) if out.has_dims else _by_shape(d))
        for key, d in network.extern_data.data.items()
        if key not in _GIVEN
    }
    config = network.get_config(consider_global_config=False)
    target = config.typed_value("target") if config is not None else None
    assignments = {
        "behavior_version": repr(BehaviorVersion.get()),
        "extern_data": "{" + ", ".join(f"{key}: {value}" for key, value in data.items()) + "}",
        **({"target": repr(target)} if isinstance(target, str) else {}),
        "network": written,
        "case": repr({"search": bool(network.search_flag)}),
    }
    return out.text(test, assignments)


def _by_dims(data: Any) -> dict[str, Any]:
    sparse = {"sparse_dim": data.sparse_dim} if data.sparse_dim is not None else {}
    return {"dim_tags": data.dim_tags, "dtype": data.dtype, **sparse, **_both(data)}


def _by_shape(data: Any) -> dict[str, Any]:
    if data.sparse:
        dim = {"sparse": True, "dim": data.dim}
    elif data.feature_dim_axis is None:
        dim = {"dim": None, "feature_dim_axis": None}
    else:
        dim = {"dim": data.dim}
    axes = {"shape": data.shape, "batch_dim_axis": data.batch_dim_axis}
    return {**axes, **dim, "dtype": data.dtype, **_both(data)}


def _both(data: Any) -> dict[str, Any]:
    return {"time_dim_axis": data.time_dim_axis, "available_for_inference": data.available_for_inference}


def _prepare_frontend(checkout: Path) -> list[str]:
    """The modules with RETURNN's frontend tests; their models become network dicts without being run by PyTorch."""
    try:
        utils: Any = importlib.import_module("rf_utils")
    except ImportError as error:
        print(f"no frontend tests: {error}")
        return []

    def run_model(extern_data: Any, get_model: Any, forward_step: Any, **options: Any) -> Any:
        sizes = {key: options[key] for key in ("dyn_dim_max_sizes", "dyn_dim_min_sizes") if key in options}
        extern_data.reset_content()
        utils.tensor_dict_fill_random_numpy_(extern_data, rnd=42, **sizes)
        return utils._run_model_net_dict_tf(extern_data, get_model, forward_step)

    utils.run_model = run_model
    return sorted(path.stem for path in (checkout / "tests").glob("test_rf_*.py"))


def _stop(signum: int, frame: FrameType | None) -> None:
    raise _Enough


def main(checkout: Path, folder: Path, only: str = "") -> None:
    """Collect from all modules whose tests construct networks."""
    sys.path[:0] = [str(checkout / "tests"), str(checkout)]
    os.chdir(checkout / "tests")
    signal.signal(signal.SIGALRM, _stop)
    import tensorflow as tf
    from returnn.tf.network import TFNetwork
    from returnn.util.basic import BehaviorVersion

    collector = Collector(folder, TFNetwork.construct_from_dict)
    TFNetwork.construct_from_dict = lambda *args, **options: collector.construct_from_dict(*args, **options)
    for module in (*_CLASSIC, *_prepare_frontend(checkout)):
        try:
            tests = vars(importlib.import_module(module))
        except ImportError as error:
            print(f"{module}: {error}")
            continue
        for name, test in sorted(tests.items()):
            full = f"{module.removeprefix('test_')}_{name.removeprefix('test_')}"
            if name.startswith("test_") and callable(test) and only in full:
                BehaviorVersion._reset()
                tf.compat.v1.reset_default_graph()
                collector.run(full, test)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve(), *sys.argv[3:])
