"""RETURNN's spellings of dims, as configs use them; each makes a :class:`returnn_ir.ir.dims.Dim`.

Documented at https://returnn.readthedocs.io (``Dim``, once ``DimensionTag``). ``name`` and ``description`` are the new
and the old word for the same thing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from returnn_ir.errors import ConfigError, did_you_mean
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
SINGLE_STEP_DIM = Dim("single-step", 1, declared=True)


class DimTypes(Enum):
    """What ``Dim.Types`` holds; ``Time`` is another word for ``Spatial``."""

    Batch = "batch"
    Spatial = "spatial"
    Time = Spatial
    Feature = "feature"


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


#: Options of RETURNN's Dim that describe run-time state; a config has no use for them.
_IGNORED_WHEN_NONE = ("capacity", "dyn_size_ext", "batch", "control_flow_ctx", "vocab", "bounded_by", "match_priority")
_OPTIONS = ("dimension", "name", "description", "kind", "auto_generated", *_IGNORED_WHEN_NONE)


class _DimSpelling(type):
    """Makes ``Dim(5, name="x")`` give our Dim, and ``isinstance(x, Dim)`` true for all of them."""

    def __call__(
        cls,
        dimension: int | None = None,
        *,
        name: str | None = None,
        description: str | None = None,
        kind: DimTypes | None = None,
        auto_generated: bool = False,
        **options: object,
    ) -> Dim:
        del auto_generated  # only changes RETURNN's own messages and merging of automatic dims
        for key, value in options.items():
            if key not in _IGNORED_WHEN_NONE:
                raise ConfigError(f"Dim has no option {key!r}", hint=did_you_mean(key, _OPTIONS))
            if value is not None and value != 0:
                raise ConfigError(f"the option {key!r} of Dim is not supported in a config", received=value)
        if not fits(dimension, Count | None):
            raise ConfigError(
                "the dimension of a Dim must be a number of entries or None",
                expected=f"int from 0 to {MAX_SIZE}",
                received=repr(dimension),
            )
        if kind is DimTypes.Batch:
            return BATCH
        return Dim(str(name or description or "unnamed"), dimension, feature=kind is DimTypes.Feature, declared=True)

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, Dim)


class _Dim(metaclass=_DimSpelling):
    Types = DimTypes


def _feature_dim(description: str, dimension: int | None, **options: object) -> Dim:
    return _make(DimTypes.Feature, description, dimension, options)


def _spatial_dim(description: str, dimension: int | None = None, **options: object) -> Dim:
    return _make(DimTypes.Spatial, description, dimension, options)


def _make(kind: DimTypes, description: str, dimension: int | None, options: dict[str, object]) -> Dim:
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
    "MarkedDim": MarkedDim,
    "ImplicitDim": ImplicitDim,
    "ImplicitSparseDim": ImplicitSparseDim,
    "ImplicitDynSizeDim": ImplicitDynSizeDim,
    "OptionalDim": OptionalDim,
}
