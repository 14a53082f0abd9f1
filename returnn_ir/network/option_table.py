"""Layer options that are not simply done: those without an effect here, and those that are refused, with the reason.

Every other field of a layer's options class has a reader; a test looks for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from returnn_ir.errors import ConfigError

if TYPE_CHECKING:
    from returnn_ir.config import Config
    from returnn_ir.network.net import LayerDef, Net

__all__ = ["OPTIONS", "OptionRow", "OptionVerdict", "refused_in_run", "refused_options"]


class OptionVerdict(Enum):
    """Where an option is refused that has another value than its off value."""

    NO_EFFECT = "no effect"
    CHECK = "refused"
    LOADING = "refused by returnn-run, and where a checkpoint is exported"
    EXPORT = "refused where a checkpoint is exported"


@dataclass(frozen=True)
class OptionRow:
    """One option of a layer class, or with ``owner`` empty one that all layers have.

    Attributes:
        text: why it has no effect, or why it is refused.
        off: the values that ask for nothing; None is always one.
        besides: the layer classes that do it.
    """

    owner: str
    name: str
    verdict: OptionVerdict
    text: str
    off: tuple[object, ...] = ()
    besides: tuple[str, ...] = ()


_NONE, _CHECK, _LOADING, _EXPORT = OptionVerdict
_PLACE = "where a computation runs, and in which memory layout, is up to the target"
_DEBUG = "what is printed does not change a result"
_FILE = "a compiled program writes no HDF file, which a note says"
_STATISTICS = "the statistics are collected beside the network; as a layer it is the constant 0"
_AUTOMATON = "only for automata from RASR, which are refused"
_META = "a training with this layer is refused"

OPTIONS: tuple[OptionRow, ...] = (
    OptionRow("", "param_device", _NONE, _PLACE),
    OptionRow("", "encapsulate", _NONE, "the layers inside of a layer are always its own"),
    OptionRow("", "collocate_with", _NONE, "a layer means the same in its loop and outside of it"),
    OptionRow("", "debug_print_layer_output", _NONE, _DEBUG),
    OptionRow(
        "", "control_dependencies_on_output", _NONE, "the operations that it gives are not run, which a note says"
    ),
    OptionRow("", "custom_param_importer", _EXPORT, "a checkpoint's values are taken as they are"),
    OptionRow("", "state", _CHECK, "a layer in a loop keeps its own state", besides=("rec", "rnn_cell")),
    OptionRow("rec", "use_global_rec_step_offset", _CHECK, "a loop's steps are counted from 0", (False,)),
    OptionRow("rec", "debug", _NONE, _DEBUG),
    OptionRow("dot", "debug", _NONE, _DEBUG),
    OptionRow("edit_distance_table", "debug", _NONE, _DEBUG),
    OptionRow("optimal_completions", "debug", _NONE, _DEBUG),
    OptionRow("rec", "cheating", _NONE, "it is an option of choice"),
    *(
        OptionRow(owner, name, _NONE, "only choice searches")
        for owner in ("decide", "decide_keep_beam", "split_batch_beam")
        for name in ("search", "add_to_beam_scores")
    ),
    OptionRow("length", "sparse", _NONE, "a length is a number of no axis"),
    OptionRow("conv", "auto_use_channel_first", _NONE, _PLACE),
    OptionRow("conv", "filter_perm", _NONE, "the axes of a filter are known by themselves"),
    OptionRow("pool", "use_channel_first", _NONE, _PLACE),
    OptionRow("scatter_nd", "filter_invalid_indices", _NONE, "positions outside are always left out"),
    OptionRow("reinterpret_data", "batch_dim_base", _NONE, "axes are known by themselves, the batch too"),
    OptionRow("squeeze", "allow_no_op", _NONE, "where no axis fits, the source stays as it is"),
    OptionRow("top_k", "sorted", _NONE, "the entries are always sorted"),
    OptionRow("subnetwork", "rec_previous_layer", _CHECK, "a loop knows the layers of its previous step"),
    OptionRow("variable", "saveable", _LOADING, "every variable is in the checkpoint", (True,)),
    OptionRow("fast_bw", "sprint_opts", _NONE, _AUTOMATON),
    OptionRow("fast_bw", "tdp_scale", _NONE, _AUTOMATON),
    OptionRow("synthetic_gradient", "meta_loss_scale", _NONE, _META),
    OptionRow("tikhonov_regularization", "meta_loss_scale", _NONE, _META),
    OptionRow("twod_lstm", "bias_init", _NONE, "the cells have no bias"),
    OptionRow("framewise_statistics", "sil_label_idx", _NONE, _STATISTICS),
    OptionRow("framewise_statistics", "histogram_num_bins", _NONE, _STATISTICS),
    OptionRow("image_summary", "max_outputs", _NONE, "no pictures are written for TensorBoard, which a note says"),
    *(
        OptionRow("hdf_dump", name, _NONE, _FILE)
        for name in ("filename", "extra", "dump_whole_batches", "labels", "extend_existing_file", "dump_per_run")
    ),
)

_REFUSED = tuple(row for row in OPTIONS if row.verdict is not _NONE)


def refused_options(definition: LayerDef, config: Config | None, *verdicts: OptionVerdict) -> Iterator[ConfigError]:
    """The options of one layer that one of these verdicts refuses; the config knows their lines."""
    for row in _REFUSED:
        if (
            row.verdict not in verdicts
            or row.owner not in ("", definition.spec.name)
            or definition.spec.name in row.besides
        ):
            continue
        value = getattr(definition.options, row.name)
        if value is not None and value not in row.off:
            place = definition.key_origin(row.name) if config is None else config.origin(definition.path, row.name)
            yield ConfigError(
                f"the option {row.name!r} is not available: {row.text}",
                where=place,
                received=repr(value),
                hint=f"leave {row.name!r} out",
            )


def refused_in_run(net: Net) -> list[ConfigError]:
    """What ``returnn-run`` refuses, of all layers."""
    layers = net.all_layers()
    return [problem for one in layers for problem in refused_options(one, net.config, _LOADING)]
