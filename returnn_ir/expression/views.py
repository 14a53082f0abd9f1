"""RETURNN's objects as expressions see them: a source's data, the layer (``self``), the network, the config.

They answer what can be known while the network is compiled; everything else is an :class:`UnsupportedError`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from returnn_ir.axes.output import LayerOutput
from returnn_ir.expression.access import shown
from returnn_ir.expression.positional import Positional, UnsupportedError
from returnn_ir.expression.sizes import Size
from returnn_ir.expression.trace import traceable
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.hypotheses import beam_of

if TYPE_CHECKING:
    from returnn_ir.expression.tracer import Tracer

__all__ = ["ConfigView", "DataView", "LayerView", "NetworkView", "SourceLayerView"]


class _View:
    """Refuses what it does not know."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise UnsupportedError(f"{type(self).__name__.removesuffix('View').lower()}.{name}")


@shown("placeholder")
class DataView(_View):
    """A source as RETURNN's ``Data``: ``source(0, as_data=True)``.

    Args:
        output: the source.
        placeholder: its value over the axes that the expression counts.
        behavior_axes: which axis of the output stands where; None for inserted ones.
    """

    def __init__(self, b: Tracer, output: LayerOutput, placeholder: Positional, special: LayerOutput) -> None:
        self._b = b
        self._output = output
        self._special = special
        self.placeholder = placeholder

    def _number(self, dim: Dim | None) -> int | None:
        return self.placeholder.axes.index(dim) if dim is not None and dim in self.placeholder.axes else None

    @property
    def batch_dim_axis(self) -> int | None:
        """The number of the batch axis."""
        return self._number(self._special.batch_dim)

    @property
    def time_dim_axis(self) -> int | None:
        """The number of the time axis."""
        return self._number(self._special.time_dim)

    @property
    def feature_dim_axis(self) -> int | None:
        """The number of the feature axis."""
        return self._number(self._special.feature_dim)

    def get_axis_from_description(self, axis: object, allow_int: bool = True) -> int:
        """The number of the axis that a description names."""
        if isinstance(axis, int) and not isinstance(axis, bool) and allow_int:
            return self.placeholder.axis_number(axis)
        number = self._number(self._b.axis(self._special, axis, "eval"))
        if number is None:
            raise UnsupportedError(f"the axis {axis!r} that only broadcasts")
        return number

    def get_axes_from_description(self, axes: object) -> list[int]:
        """The numbers of the axes that a description names."""
        found = [self._number(d) for d in self._b.axes(self._special, axes, "eval")]
        return [n for n in found if n is not None]

    @property
    def dim(self) -> int | None:
        """The size of the feature axis, or the number of labels."""
        found = self._output.feature_or_sparse_dim
        return found.size if found is not None else None

    @property
    def sparse(self) -> bool:
        """Whether these are labels."""
        return self._output.sparse_dim is not None

    @property
    def sparse_dim(self) -> Dim | None:
        """What the labels number."""
        return self._output.sparse_dim

    @property
    def dtype(self) -> str:
        """The element type's name."""
        return self._output.dtype

    @property
    def batch_ndim(self) -> int:
        """The number of axes."""
        return self.placeholder.rank

    @property
    def ndim(self) -> int:
        """The number of axes without the batch."""
        return self.placeholder.rank - (self.batch_dim_axis is not None)

    @property
    def batch_shape(self) -> tuple[int | None, ...]:
        """The static sizes."""
        return tuple(self.placeholder.shape)

    @property
    def shape(self) -> tuple[int | None, ...]:
        """The static sizes without the batch."""
        return tuple(s for i, s in enumerate(self.placeholder.shape) if i != self.batch_dim_axis)

    @property
    def dim_tags(self) -> tuple[Dim | None, ...]:
        """The axes."""
        return self.placeholder.axes

    @property
    def is_batch_major(self) -> bool:
        """Whether the batch axis is the first."""
        return self.batch_dim_axis == 0

    @property
    def is_time_major(self) -> bool:
        """Whether the time axis is the first."""
        return self.time_dim_axis == 0

    def have_time_axis(self) -> bool:
        """Whether there is a time axis."""
        return self.time_dim_axis is not None

    def have_batch_axis(self) -> bool:
        """Whether there is a batch axis."""
        return self.batch_dim_axis is not None

    def have_feature_axis(self) -> bool:
        """Whether there is a feature axis."""
        return self.feature_dim_axis is not None

    def get_sequence_lengths(self) -> Positional:
        """The lengths of the time axis, [B] int32."""
        time = self._special.time_dim
        if time is None:
            raise UnsupportedError("the lengths of data without a time axis")
        length = self._b.cast(self._b.length(time), "int32")
        return Positional(self._b, length, length.dims)

    def get_sequence_mask(self) -> Positional:
        """True on the valid frames, [B, T] or, if the time stands first, [T, B]."""
        time = self._special.time_dim
        if time is None:
            raise UnsupportedError("the mask of data without a time axis")
        mask = self._b.mask(time)
        return Positional(self._b, mask, [d for d in self.placeholder.axes if d in mask.dims])

    @property
    def size_placeholder(self) -> dict[int, Positional]:
        """Lengths of the dynamic axes, by their numbers without the batch."""
        axes = [d for i, d in enumerate(self.placeholder.axes) if i != self.batch_dim_axis]
        lengths = {i: self._b.cast(self._b.length(d), "int32") for i, d in enumerate(axes) if d and d.is_dynamic}
        return {i: Positional(self._b, length, length.dims) for i, length in lengths.items()}

    def get_dynamic_axes(self) -> list[int]:
        """The axes with lengths."""
        return [i for i, d in enumerate(self.placeholder.axes) if d is not None and d.is_dynamic]

    def get_static_axes(self) -> list[int]:
        """The other axes, without the batch."""
        dynamic = self.get_dynamic_axes()
        return [i for i in range(self.batch_ndim) if i != self.batch_dim_axis and i not in dynamic]

    def get_dynamic_size(self, axis: int) -> Positional:
        """The lengths of an axis, [B] int32."""
        dim = self.placeholder.axes[axis]
        if dim is None or not dim.is_dynamic:
            raise UnsupportedError(f"the lengths of axis {axis}")
        length = self._b.cast(self._b.length(dim), "int32")
        return Positional(self._b, length, length.dims)

    @property
    def time_dim_axis_excluding_batch(self) -> int | None:
        """The number of the time axis, the batch not counted."""
        batch, time = self.batch_dim_axis, self.time_dim_axis
        return time if time is None or batch is None or time < batch else time - 1

    def get_dim_tag(self, axis: object) -> Dim | None:
        """The axis that a number or a description names."""
        return self.placeholder.axes[self.get_axis_from_description(axis)]

    def get_batch_dim(self) -> Size:
        """The number of sequences."""
        return self._size(self._special.batch_dim)

    def time_dimension(self) -> Size:
        """The number of frames of the longest sequence."""
        return self._size(self._special.time_dim)

    def _size(self, dim: Dim | None) -> Size:
        if dim is None:
            raise UnsupportedError("the size of an axis that the data lacks")
        return Size(self._b, dim)

    def get_sequence_mask_broadcast(self, axis: object = None) -> Positional:
        """True on the valid frames, over the data's axes."""
        dim = self._special.time_dim if axis is None else self._b.axis(self._special, axis, "eval")
        if dim is None:
            raise UnsupportedError("the mask of data without a time axis")
        mask = self._b.mask(dim)
        return Positional(self._b, mask, [d if d in mask.dims else None for d in self.placeholder.axes])

    def copy(self, name: object = None) -> DataView:
        """Itself."""
        return self

    def _in_order(self, axes: list[Dim | None]) -> DataView:
        moved = Positional(self._b, self.placeholder.value, axes)
        return DataView(self._b, self._output, moved, self._special)

    def _with_front(self, *dims: Dim | None) -> DataView:
        front = [d for d in dims if d is not None and d in self.placeholder.axes]
        return self._in_order([*front, *(d for d in self.placeholder.axes if d is None or d not in front)])

    def copy_as_batch_major(self) -> DataView:
        """With the batch axis in front."""
        return self._with_front(self._special.batch_dim)

    def copy_as_time_major(self) -> DataView:
        """With the time axis in front."""
        return self._with_front(self._special.time_dim)

    def copy_as_bt_or_tb_major(self) -> DataView:
        """With batch and time in front."""
        front = [d for d in self.placeholder.axes if d in (self._special.batch_dim, self._special.time_dim)]
        return self._with_front(*front)

    def copy_with_feature_last(self) -> DataView:
        """With the feature axis behind all others."""
        feature = self._special.feature_dim
        others = [d for d in self.placeholder.axes if d is None or d is not feature]
        return self._in_order([*others, *(d for d in self.placeholder.axes if d is not None and d is feature)])

    def decided_score(self) -> Positional:
        """The score of the hypothesis that was decided on, [B, 1]."""
        if beam_of(self._output.value) is not None:
            raise UnsupportedError("the scores of all hypotheses; the layer choice_get_beam_scores gives them")
        score = self._b.op("beam_scores", self._output.value)
        return Positional(self._b, score, [*score.dims, None])

    def get_placeholder_as_batch_major(self) -> Positional:
        """The value with the batch axis in front."""
        return self.copy_as_batch_major().placeholder

    def get_placeholder_as_time_major(self) -> Positional:
        """The value with the time axis in front."""
        return self.copy_as_time_major().placeholder


@shown()
class ConfigView(_View):
    """The config: ``self.network.get_config()``."""

    def __init__(self, b: Tracer) -> None:
        self._b = b

    def _get(self, key: str, default: Any) -> Any:
        return traceable(self._b, self._b.config_options.get(key, default))

    def typed_value(self, key: str, default: Any = None, index: int | None = None) -> Any:
        """An option's value; a function of the config works on symbolic tensors too."""
        value = self._get(key, default)
        return value if index is None else value[index]

    value = typed_value

    def float(self, key: str, default: Any = None) -> Any:
        """A number."""
        return float(self._get(key, default))

    def int(self, key: str, default: Any = None) -> Any:
        """An integer."""
        return int(self._get(key, default))

    def bool(self, key: str, default: Any = None) -> Any:
        """A truth value."""
        return bool(self._get(key, default))

    def has(self, key: str) -> Any:
        """Whether the config has the option."""
        return key in self._b.config_options

    @property
    def typed_dict(self) -> Mapping[str, Any]:
        """All options."""
        return {k: traceable(self._b, v) for k, v in self._b.config_options.items()}


@shown("_config")
class NetworkView(_View):
    """The network: ``self.network``."""

    def __init__(self, b: Tracer) -> None:
        self._b = b

    def get_config(self) -> ConfigView:
        """The config."""
        return ConfigView(self._b)

    @property
    def _config(self) -> ConfigView:
        return ConfigView(self._b)

    @property
    def train_flag(self) -> bool:
        """Whether this program trains; a constant of the program."""
        return self._b.training

    @property
    def search_flag(self) -> bool:
        """Whether this program searches; a constant of the program."""
        return self._b.searching

    @property
    def eval_flag(self) -> bool:
        """Whether losses are computed."""
        return self._b.mode != "forward"

    @property
    def global_train_step(self) -> Positional:
        """The number of training steps so far, int64."""
        return Positional(self._b, self._b.train_step(), ())

    def cond_on_train(self, fn_train: Callable[[], Any], fn_eval: Callable[[], Any]) -> Any:
        """One of both: the mode is known."""
        return fn_train() if self._b.training else fn_eval()

    @property
    def parent_net(self) -> None:
        """Not asked for its own sake."""
        raise UnsupportedError("network.parent_net")


@shown("name", "output", "network")
class SourceLayerView(_View):
    """A source layer: ``self.sources[0]`` or ``source(0, as_layer=True)``."""

    def __init__(self, name: str, data: DataView, network: NetworkView) -> None:
        self.name = name
        self.output = data
        self.network = network

    @property
    def search_choices(self) -> SearchChoicesView:
        """The search that the source was decided in."""
        return SearchChoicesView(self.output)


@shown()
class SearchChoicesView(_View):
    """``self.sources[0].search_choices``, of a source that one hypothesis was decided on."""

    def __init__(self, data: DataView) -> None:
        self._data = data

    @property
    def beam_scores(self) -> Positional:
        """The score of that hypothesis, [B, 1]."""
        return self._data.decided_score()


@shown("name", "network", "sources")
class LayerView(_View):
    """The layer that the expression belongs to: ``self``."""

    def __init__(self, b: Tracer, sources: list[SourceLayerView]) -> None:
        self.name = b.name
        self.network = NetworkView(b)
        self.sources = sources
