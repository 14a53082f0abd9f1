"""What a model file is written in: the version of ONNX's operator set, and whether it has onnxruntime's own ops."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from returnn_ir.errors import TargetError, did_you_mean

__all__ = ["CONTRIB", "DEFAULT_OPSET", "IR_VERSIONS", "Format", "Profile"]

#: The domain of onnxruntime's own ops ("contrib ops"), and its only version.
CONTRIB = ("com.microsoft", 1)

#: The IR version that came with each opset; onnxruntime 1.31 loads up to opset 26 and IR 13 (onnx, docs/Versioning.md).
IR_VERSIONS = {17: 8, 18: 8, 19: 9, 20: 9, 21: 10, 22: 10, 23: 11, 24: 12, 25: 13, 26: 13}

DEFAULT_OPSET = 21


class Profile(StrEnum):
    """Whose operators a file has; files and command lines have these names."""

    PORTABLE = "portable"  #: ONNX's own: any runtime loads the file
    ONNXRUNTIME = "onnxruntime"  #: fused ones of onnxruntime, too, which no other runtime has

    @classmethod
    def of(cls, name: str) -> Profile:
        """A profile by name.

        Raises:
            TargetError: there is none of that name.
        """
        known = [profile.value for profile in cls]
        if name not in known:
            hint = did_you_mean(str(name), known)
            raise TargetError(f"unknown profile {name!r}", expected=", ".join(known), hint=hint)
        return cls(name)


@dataclass(frozen=True)
class Format:
    """What a check and an emitter have to know of the file.

    Attributes:
        opset: the version of ONNX's operator set, 17 to 26.
        profile: whether onnxruntime's own ops may be used.
    """

    opset: int = DEFAULT_OPSET
    profile: Profile = Profile.PORTABLE

    def __post_init__(self) -> None:
        if self.opset not in IR_VERSIONS:
            raise TargetError(
                "unknown ONNX opset",
                where="--opset",
                expected=f"{min(IR_VERSIONS)} to {max(IR_VERSIONS)}",
                received=self.opset,
            )

    @property
    def ir_version(self) -> int:
        """The version of the file format that belongs to the opset."""
        return IR_VERSIONS[self.opset]
