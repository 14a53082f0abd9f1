"""Tensors, and descriptions of axes, on which RETURNN's answers were recorded: plain data, for both sides."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DESCRIPTIONS", "TENSORS", "VERSIONS", "Axis", "Tensor"]


@dataclass(frozen=True)
class Axis:
    """One dim; of one name it is one dim. A priority makes it a copy of the dim with that name."""

    name: str
    size: int | None = None
    kind: str | None = "spatial"
    priority: int = 0


@dataclass(frozen=True)
class Tensor:
    """Axes and roles; a role of -1 is RETURNN's default."""

    axes: tuple[Axis, ...]
    time: int | None = -1
    feature: int | None = -1
    labels: bool = False


_BATCH = Axis("batch", kind="batch")
_TIME, _OTHER = Axis("time"), Axis("enc-time")
_SPACE, _HEADS = Axis("space", 4), Axis("att-heads", 2)
_FEATURE, _MODEL = Axis("in-feature", 6, "feature"), Axis("model", 4, "feature")
_PLAIN, _ONE = Axis("plain", 3, None), Axis("one", 1)

TENSORS: dict[str, Tensor] = {
    "BTF": Tensor((_BATCH, _TIME, _FEATURE)),
    "TBF": Tensor((_TIME, _BATCH, _FEATURE)),
    "BFT": Tensor((_BATCH, _FEATURE, _TIME)),
    "BTSF": Tensor((_BATCH, _TIME, _SPACE, _FEATURE)),
    "BTSM": Tensor((_BATCH, _TIME, _SPACE, _MODEL)),
    "BTOF": Tensor((_BATCH, _TIME, _OTHER, _FEATURE)),
    "BTO": Tensor((_BATCH, _TIME, _OTHER)),
    "BTHFM": Tensor((_BATCH, _TIME, _HEADS, _FEATURE, _MODEL)),
    "BSF": Tensor((_BATCH, _SPACE, _FEATURE)),
    "BF": Tensor((_BATCH, _FEATURE)),
    "B": Tensor((_BATCH,)),
    "F": Tensor((_FEATURE,)),
    "S": Tensor((_SPACE,)),
    "TF": Tensor((_TIME, _FEATURE)),
    "TO": Tensor((_TIME, _OTHER)),
    "none": Tensor(()),
    "BT labels": Tensor((_BATCH, _TIME), labels=True),
    "BTS labels": Tensor((_BATCH, _TIME, _SPACE), labels=True),
    "B labels": Tensor((_BATCH,), labels=True),
    "BTP": Tensor((_BATCH, _TIME, _PLAIN)),
    "BPTF": Tensor((_BATCH, _PLAIN, _TIME, _FEATURE)),
    "BTO1F": Tensor((_BATCH, _TIME, _ONE, _FEATURE)),
    "BTSF, time is space": Tensor((_BATCH, _TIME, _SPACE, _FEATURE), time=2),
    "BTSF, feature is space": Tensor((_BATCH, _TIME, _SPACE, _FEATURE), feature=2),
    "BTF, no time": Tensor((_BATCH, _TIME, _FEATURE), time=None),
    "BTF, no feature": Tensor((_BATCH, _TIME, _FEATURE), feature=None),
    "BTO, feature is time": Tensor((_BATCH, _TIME, _OTHER), feature=1),
    "BFF'": Tensor((_BATCH, _FEATURE, Axis("in-feature", 6, "feature", 1))),
    "TT'F": Tensor((_BATCH, _TIME, Axis("time", None, "spatial", 2), _FEATURE)),
}

DESCRIPTIONS: tuple[object, ...] = (
    *("B", "batch", "T", "time", "T?", "F", "feature", "non_spatial", "spatial", "spatial_except_time"),
    *("except_time", "except_batch", "*", "dyn", "dynamic", "static", "bt", "tb", "bf", "TF", "btf", "ff", "", None),
    *("s:0", "s:1", "S:-1", "spatial:0", "spatial:-1", "spatial:3", "d:0", "D:-1", "dyn:0", "dynamic:1", "dyn:-2"),
    *("static:0", "static:-1", "static:1", "except_batch:0", "except_batch:-1", "except_batch:5"),
    *("dim:4", "dim:6", "dim:2", "dim:1", "dim:9", "dim:-1", "DIM:6"),
    *("stag:time", "stag:TIME", "stag:enc", "stag:space", "stag:spac", "stag:in-feature", "stag:model", "stag:heads"),
    *("stag:att-heads", "stag:", "stag:nothing", "stag:e", "stag:plain", "stag:batch"),
    *("stag-single:0:time", "stag-single:1:time", "stag-single:-1:time", "stag-single:0:e", "stag-single:2:nothing"),
    *("tag:time", "tag:in-feature", "tag:model", "tag:batch", "tag:feature", "tag:x"),
    *(0, 1, 2, -1, -2, 7, ("B", "T"), ("T", "F"), ("F", "T", "F"), ("T", 0), ("stag:time", "dim:6"), ("spatial", "F")),
    (),
    *("dim=batch", "dim=time", "dim=enc-time", "dim=space", "dim=in-feature", "dim=model", "dim=plain", "dim=one"),
    *("x", "t:0", "spatial:", "dim:", "stag-single:x:time", "bx", "time?", "f?"),
)

VERSIONS = (4, 6, 12, 21)
