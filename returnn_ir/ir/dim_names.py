"""What RETURNN calls the properties of a dim, for the code of a config.

Documented at https://returnn.readthedocs.io (``Dim``). What only a running network could answer (sizes as tensors,
masks, batches, contexts) is refused by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, NoReturn

from returnn_ir.errors import ConfigError

if TYPE_CHECKING:
    from returnn_ir.ir.dims import Dim

__all__ = ["AT_RUN_TIME", "Answer", "DimNames", "DimOptions", "Role"]


class Role(Enum):
    """What a dim is for; RETURNN's ``Dim.Types`` has these."""

    batch = "batch"
    spatial = "spatial"
    feature = "feature"

    def __repr__(self) -> str:
        return f"<{self.value} Entity>"


@dataclass(frozen=True)
class DimOptions:
    """What a config says of a dim beside its size.

    Attributes:
        role: None where it says none.
        match_priority: of several axes with one dim, the one with the highest is meant.
        auto_generated: the dim counts as one that a layer made.
        special: it stands for something else than an axis.
        lengths: the dims of its lengths, where they are declared: none for one length, the batch for one per sequence.
        vocab: the names of what it numbers.
        capacity: of the axis in memory; it is never more than its entries here.
    """

    role: Role | None = None
    match_priority: int = 0
    auto_generated: bool = False
    special: bool = False
    lengths: tuple[Dim, ...] | None = None
    vocab: Any = None
    capacity: int | None = None


class Answer(int):
    """Yes or no, to be called or not: RETURNN asks ``dim.is_static()``, everybody here ``dim.is_static``.

    ``called`` is RETURNN's answer where that is another one: its batch is dynamic, as its size comes with the data.
    """

    called: bool

    def __new__(cls, value: bool, called: bool | None = None) -> Answer:
        """An answer."""
        made = super().__new__(cls, value)
        made.called = value if called is None else called
        return made

    def __call__(self) -> bool:
        """RETURNN's answer."""
        return self.called

    def __repr__(self) -> str:
        return repr(bool(self))


#: What of RETURNN's Dim has a value in a running network only.
AT_RUN_TIME = (
    "copy_from",
    "derive_from",
    "derived_from_op",
    "dyn_size_ext",
    "get_all_dimension_tags",
    "get_derived_bases_set",
    "get_dyn_size_ext_for_batch_ctx",
    "get_dyn_size_ext_for_device",
    "get_for_batch_ctx",
    "get_mask",
    "get_size_tensor",
    "get_tag_from_size_tensor",
    "is_dim_known_in_batch_ctx",
    "is_same_size_tensor",
    "set_dyn_size_ext_for_batch_ctx",
    "set_tag_on_size_tensor",
    "transform_tensors",
)


class DimNames:
    """RETURNN's names, over what a Dim has."""

    __slots__ = ()

    if TYPE_CHECKING:  # what the class below has

        @property
        def name(self) -> str:
            """The name."""

        @property
        def description(self) -> str:
            """The longer name."""

        @property
        def size(self) -> int | None:
            """The fixed size."""

        @property
        def feature(self) -> bool:
            """Whether this is said to be features."""

        @property
        def is_derived(self) -> bool:
            """Whether this is computed from other dims."""

        @property
        def is_batch(self) -> bool:
            """Whether this is the batch, or a product with it."""

        @property
        def options(self) -> DimOptions:
            """What else the user said of it."""

        @property
        def base(self) -> Dim:
            """What this is a copy of."""

        @property
        def lengths(self) -> tuple[Dim, ...] | None:
            """What the lengths are over."""

    def __getattr__(self, name: str) -> NoReturn:
        if name in AT_RUN_TIME:
            raise ConfigError(
                f"{name} of a Dim is about tensors of a running network, and a config has none while it loads",
                received=str(self),
                hint="a layer gives them: 'length', 'range_in_axis', 'seq_len_mask'",
            )
        raise AttributeError(f"Dim has no attribute {name!r}")

    # ---------------------------------------------------------------- what it is

    @property
    def dimension(self) -> int | None:
        """The size, None where it comes with the data."""
        return self.size

    @property
    def kind(self) -> Role | None:
        """What the dim is for."""
        if self.is_batch and not self.is_derived:
            return Role.batch
        return Role.feature if self.feature else self.options.role

    @property
    def match_priority(self) -> int:
        """Of several axes with one dim, the one with the highest is meant."""
        return self.options.match_priority

    @property
    def auto_generated(self) -> bool:
        """Whether it counts as a dim that a layer made."""
        return self.options.auto_generated

    @property
    def special(self) -> bool:
        """Whether it is no axis of a tensor."""
        return self.options.special

    @property
    def vocab(self) -> Any:
        """The names of what it numbers."""
        return self.options.vocab

    @property
    def capacity(self) -> int | None:
        """The size of the axis in memory."""
        return self.options.capacity or self.size

    @property
    def undefined(self) -> bool:
        """A dim of a config is never one that nobody named."""
        return False

    @property
    def same_as(self) -> Dim | None:
        """What this is a copy of."""
        return self.base if self.base is not self else None

    @property
    def dyn_size(self) -> None:
        """The lengths: there are none before the network runs."""

    batch = control_flow_ctx = dyn_size

    # ---------------------------------------------------------------- questions

    def is_batch_dim(self) -> bool:
        """Whether this is the batch."""
        return self.kind is Role.batch

    def is_feature_dim(self) -> bool:
        """Whether this is said to be features."""
        return self.kind is Role.feature

    def is_spatial_dim(self) -> bool:
        """Whether this is said to be an axis in time or space."""
        return self.kind is Role.spatial

    def is_dynamic_seq_length(self) -> bool:
        """Whether there is a length per sequence."""
        return self.size is None and not self.is_batch_dim() and self.lengths != ()

    def is_dim_known(self) -> bool:
        """Whether the size, or what the lengths are, is known."""
        return self.size is not None or self.is_batch_dim() or self.lengths is not None

    def is_constant_static_dim(self) -> bool:
        """Whether this is only a number: a config makes no such dims."""
        return False

    def need_masking(self) -> bool:
        """Whether entries of the axis may be padding."""
        if self.is_batch_dim():
            return False
        if self.size is not None:
            return self.capacity != self.size
        return self.lengths != ()

    def can_be_used_as_dim(self) -> bool:
        """Whether a tensor may have such an axis."""
        return not self.special

    def get_dim_value(self) -> int:
        """The size.

        Raises:
            ConfigError: it comes with the data.
        """
        if self.size is None:
            raise ConfigError(
                "the size of a Dim is asked for while the config loads, and it comes with the data",
                expected="a Dim with a fixed size",
                received=str(self),
                hint="the layer 'length' gives it",
            )
        return self.size

    get_dim_value_tensor = get_size_tensor_or_int = get_dim_value

    def short_repr(self) -> str:
        """RETURNN's short text for it."""
        if self.is_batch_dim():
            return "B"
        text = ("F" if self.is_feature_dim() else "") + repr(self.base.description)
        if self.special:
            return f"{text}!"
        if self.size is not None:
            return f"{text}({self.size})"
        lengths = self.lengths
        return f"{text}[{'?' if lengths is None else ','.join(d.short_repr() for d in lengths)}]"

    # ---------------------------------------------------------------- without effect

    def reset_eager(self) -> None:
        """Nothing is kept that could be reset."""

    reset_raw = reset_batch_ctx = reset_batch_and_raw = complete_dyn_size = reset_eager

    # ---------------------------------------------------------------- order, for sorted()

    def __lt__(self, other: object) -> bool:
        return isinstance(other, DimNames) and self._order() < other._order()

    def __gt__(self, other: object) -> bool:
        return isinstance(other, DimNames) and self._order() > other._order()

    def __le__(self, other: object) -> bool:
        return not self > other

    def __ge__(self, other: object) -> bool:
        return not self < other

    def _order(self) -> tuple[str, int]:
        return self.base.description, -1 if self.size is None else self.size

    def __copy__(self) -> DimNames:
        return self

    def __deepcopy__(self, memo: object) -> DimNames:
        return self
