"""``init_new_network_callback``: a config's function that sees the parameters before a changed network takes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from compiler.target.protocol import Array
from returnn_ir.config import Config
from returnn_ir.config.read import read_config
from returnn_ir.network.net import Net
from returnn_ir.options import Described

__all__ = ["NetworkCallback", "OldParams"]


@dataclass(frozen=True)
class _Keys:
    """The config's option."""

    init_new_network_callback: Annotated[Callable[..., Any] | None, Described("a function")] = None


@dataclass
class OldParams:
    """What the function may look at and change, as RETURNN's ``LayerNetworkParamsSerialized``.

    Attributes:
        values_dict: by layer of the root network, then by the rest of the variable's name, the values that the changed
            network can take over. What the function takes away starts anew.
        global_train_step: the number of updates so far.
    """

    values_dict: dict[str, dict[str, Array]]
    global_train_step: int


@dataclass(frozen=True)
class NetworkCallback:
    """The function, called as RETURNN calls it."""

    config: Config
    function: Callable[..., Any]

    @staticmethod
    def from_config(config: Config) -> NetworkCallback | None:
        """The function that the config gives, if it gives one.

        Raises:
            ConfigError: it is no function.
        """
        function = read_config(_Keys, config).init_new_network_callback
        return None if function is None else NetworkCallback(config, function)

    def call(self, values: Mapping[str, Array], step: int, epoch: int, net: Net) -> dict[str, Array]:
        """The values that are left, by variable name.

        The function gets no TensorFlow session (None), and of the new network the layers by name.
        """
        by_layer: dict[str, dict[str, Array]] = {}
        for name, value in values.items():
            layer, _, rest = name.partition("/")
            by_layer.setdefault(layer, {})[rest] = value
        old = OldParams(by_layer, step)
        self.config.call(self.function, session=None, new_epoch=epoch, new_network=net, old_network_params=old)
        return {
            f"{layer}/{rest}": value for layer, rest_of in old.values_dict.items() for rest, value in rest_of.items()
        }
