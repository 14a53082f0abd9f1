"""What a loop and the layers that reach into it agree on: the axis that it declares, and the names of its last step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from returnn_ir.axes.output import LayerOutput
from returnn_ir.errors import ConfigError
from returnn_ir.ir.dims import Dim
from returnn_ir.network.layer_options import Axis, LayerOptions
from returnn_ir.options import option_class

if TYPE_CHECKING:
    from returnn_ir.construct.layer_builder import LayerBuilder
    from returnn_ir.network.net import Net

__all__ = ["LAST", "RecUnstackOptions", "declared_time", "last_parts"]

#: What follows a layer's name in the part that holds its last step.
LAST = "/:last"


def last_parts(last: Mapping[str, LayerOutput]) -> dict[str, LayerOutput]:
    """Outputs of the last step, by layer, as parts of a loop's output."""
    return {f"{name}{LAST}": output for name, output in last.items()}


@option_class
class RecUnstackOptions(LayerOptions):
    """Options of ``rec_unstack``.

    Attributes:
        axis: the axis that becomes the loop's.
        declare_rec_time: the loop runs over this axis.
    """

    axis: Axis = None
    declare_rec_time: bool = False


def declared_time(b: LayerBuilder, net: Net) -> Dim | None:
    """The axis that a rec_unstack with ``declare_rec_time`` makes that of its loop, as the network around knows it."""
    for definition in net.layers.values():
        options = definition.options
        if isinstance(options, RecUnstackOptions) and options.declare_rec_time:
            source = definition.sources[0] if definition.sources else ""
            if not source.startswith("base:"):
                raise ConfigError(
                    "declare_rec_time needs a source from outside of the loop",
                    where=definition.key_origin("from"),
                    expected="base:LAYER",
                    received=source,
                )
            x = b.layer(source.removeprefix("base:"))
            return b.axis(x, options.axis if options.axis is not None else "T")
    return None
