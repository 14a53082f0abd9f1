"""RETURNN's spellings of dims, as configs use them; each makes a :class:`returnn_ir.ir.dims.Dim`.

Documented at https://returnn.readthedocs.io (``Dim``, once ``DimensionTag``). ``name`` and ``description`` are the new
and the old word for the same thing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from returnn_ir.config.tensor_template import TensorDictTemplate, TensorTemplate
from returnn_ir.config.vocabulary import ConfigVocabulary, number_of_labels
from returnn_ir.errors import ConfigError, did_you_mean
from returnn_ir.ir.dim_names import AT_RUN_TIME, DimOptions, Role
from returnn_ir.ir.dims import BATCH, Dim
from returnn_ir.options import MAX_SIZE, Count, fits

__all__ = [
    "DIM_NAMES",
    "SINGLE_STEP_DIM",
    "DimTypes",
    "ImplicitDim",
    "ImplicitDynSizeDim",
    "ImplicitSparseDim",
    "MarkedDim",
    "OptionalDim",
]

#: ``axis=single_step_dim`` makes a recurrent layer do one step.
SINGLE_STEP_DIM = Dim("single-step", 1, declared=True, options=DimOptions(role=Role.spatial, special=True))


class DimTypes:
    """What ``Dim.Types`` holds; ``Time`` is another word for ``Spatial``."""

    Unspecified = None
    Batch = Role.batch
    Spatial = Role.spatial
    Time = Role.spatial
    Feature = Role.feature
    Types = (Batch, Spatial, Feature)


@dataclass(frozen=True)
class MarkedDim:
    """A dim of an ``out_shape`` with a remark."""

    tag: Dim


class ImplicitDim(MarkedDim):
    """A dim that the tensor depends on without having it as an axis."""


class ImplicitSparseDim(ImplicitDim):
    """The dim of the labels."""


class ImplicitDynSizeDim(ImplicitDim):
    """A dim of some axis' lengths."""


class OptionalDim(MarkedDim):
    """A dim that may be missing."""


#: Options of RETURNN's Dim about a running network, or about how RETURNN itself came to a dim.
_OF_A_RUN = ("batch", "control_flow_ctx", "dyn_size", "dyn_size_ext", "src_data", "src_axis", "derived_from_op")
_WITHOUT_EFFECT = ("bounded_by", "derived_from_tag", "undefined")  # the compiler finds out by itself
_OPTIONS = (
    *("dimension", "name", "description", "kind", "auto_generated", "capacity", "vocab", "match_priority", "special"),
    *_OF_A_RUN,
    *_WITHOUT_EFFECT,
)


class _DimSpelling(type):
    """Makes ``Dim(5, name="x")`` give our Dim, and ``isinstance(x, Dim)`` true for all of them."""

    def __call__(
        cls,
        dimension: int | TensorTemplate | None = None,
        *,
        name: str | None = None,
        description: str | None = None,
        kind: Role | None = None,
        auto_generated: bool = False,
        match_priority: int = 0,
        special: bool = False,
        vocab: Any = None,
        capacity: int | None = None,
        **options: object,
    ) -> Dim:
        _check_options(options)
        size, lengths = _size_and_lengths(dimension, vocab)
        if kind is not None and not isinstance(kind, Role):
            raise ConfigError(
                "the kind of a Dim is none",
                expected="Dim.Types.Batch, Dim.Types.Spatial or Dim.Types.Feature",
                received=repr(kind),
            )
        if kind is Role.batch:
            return BATCH
        if name is None and description is None and isinstance(dimension, TensorTemplate):
            name = dimension.name
        said = DimOptions(kind, match_priority, auto_generated, special, lengths, vocab, capacity)
        return Dim(
            str(name or description or "unnamed"),
            size,
            feature=kind is Role.feature,
            declared=not auto_generated,
            options=said,
        )

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, Dim)

    def __getattr__(cls, name: str) -> object:
        if name in AT_RUN_TIME:
            return getattr(BATCH, name)  # says why not
        found = getattr(Dim, name, None)
        if found is None or name.startswith("__"):
            raise AttributeError(f"Dim has no attribute {name!r}")
        return found  # Dim.copy(dim), as a function


def _check_options(options: dict[str, object]) -> None:
    for key, value in options.items():
        if key not in _OPTIONS:
            raise ConfigError(f"Dim has no option {key!r}", hint=did_you_mean(key, _OPTIONS))
        if value is not None and key in _OF_A_RUN:
            raise ConfigError(
                f"the option {key!r} of Dim is about a running network",
                received=value,
                hint="Dim(Tensor(name, dims=[batch_dim], dtype='int32')) says what the lengths are over",
            )


def _size_and_lengths(dimension: object, vocab: object) -> tuple[int | None, tuple[Dim, ...] | None]:
    """The size of a dim, and what its lengths are over."""
    if isinstance(dimension, TensorTemplate):
        if "int" not in dimension.dtype:
            raise ConfigError(
                "the lengths of a Dim are whole numbers",
                expected="Tensor(..., dtype='int32')",
                received=dimension.dtype,
            )
        return None, dimension.dims
    if not (dimension is None or isinstance(dimension, int)) or not fits(dimension, Count | None):
        raise ConfigError(
            "the dimension of a Dim must be a number of entries, a Tensor of lengths or None",
            expected=f"int from 0 to {MAX_SIZE}",
            received=repr(dimension),
        )
    if dimension is None and vocab:
        return _num_labels(vocab), None
    return dimension, None


def _num_labels(vocab: object) -> int:
    """The size of a dim of labels."""
    if isinstance(vocab, ConfigVocabulary):
        return vocab.num_labels
    size = number_of_labels(vocab) if isinstance(vocab, dict) else None
    if size is None:
        raise ConfigError(
            "the vocab of a Dim does not say how many labels it has",
            expected="a dict with 'vocab_file' or a list of 'labels', or a Vocabulary",
            received=repr(vocab),
            hint="give the dimension",
        )
    return size


class _Dim(metaclass=_DimSpelling):
    Types = DimTypes

    @staticmethod
    def get_existing_tag_from_collection(
        other: Dim, tags: Iterable[Dim], is_equal_opts: dict[str, object] | None = None
    ) -> Dim | None:
        """The first of ``tags`` that is the same axis."""
        return next((tag for tag in tags if tag.is_equal(other, **(is_equal_opts or {}))), None)

    @staticmethod
    def get_uniq_collection(tags: Iterable[Dim], is_equal_opts: dict[str, object] | None = None) -> list[Dim]:
        """Each axis once."""
        found: list[Dim] = []
        for tag in tags:
            if not any(tag.is_equal(known, **(is_equal_opts or {})) for known in found):
                found.append(tag)
        return found


def _feature_dim(description: str, dimension: int | None, **options: object) -> Dim:
    return _make(Role.feature, description, dimension, options)


def _spatial_dim(description: str, dimension: int | None = None, **options: object) -> Dim:
    return _make(Role.spatial, description, dimension, options)


def _make(kind: Role, description: str, dimension: int | None, options: dict[str, object]) -> Dim:
    return _DimSpelling.__call__(_Dim, dimension, description=description, kind=kind, **options)  # type: ignore[arg-type]


#: The names that RETURNN's modules offer for dims.
DIM_NAMES: dict[str, object] = {
    "Dim": _Dim,
    "DimensionTag": _Dim,
    "DimTypes": DimTypes,
    "FeatureDim": _feature_dim,
    "SpatialDim": _spatial_dim,
    "batch_dim": BATCH,
    "single_step_dim": SINGLE_STEP_DIM,
    "Tensor": TensorTemplate,
    "Data": TensorTemplate,
    "TensorDict": TensorDictTemplate,
    "MarkedDim": MarkedDim,
    "ImplicitDim": ImplicitDim,
    "ImplicitSparseDim": ImplicitSparseDim,
    "ImplicitDynSizeDim": ImplicitDynSizeDim,
    "OptionalDim": OptionalDim,
}
