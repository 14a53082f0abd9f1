"""What RETURNN's behaviour versions change, resolved once into named rules (RETURNN docs: behavior_version)."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Behavior"]


@dataclass(frozen=True)
class Behavior:
    """The rules of one behaviour version; layers ask these names and never the number."""

    version: int
    default_from_data: bool  # below 1: no "from" means "data"
    dot_defaults: bool  # below 3: dot's integer axes and defaults; from 3 it finds the axes by itself
    explicit_broadcast: bool  # from 4: a source has all axes of the result unless the layer allows otherwise
    integer_axes: bool  # below 5: an axis may be an integer
    merge_keeps_order: bool  # from 6: merge_dims takes the order of the list
    order_dependent_axes: bool  # below 7: "static:0" and the like
    spatial_dims_by_order: bool  # below 8: conv and pool take all spatial axes in their order
    conv_bias: bool  # from 10: conv has a bias by default
    broadcast_matches: bool  # below 11: an axis of size one matches any other
    new_batch_norm: bool  # from 12: batch_norm's other defaults
    dot_matches_sizes: bool  # below 14: dot's common axes may be of one size only
    strict_dims: bool  # from 16: dims are equal only if they are the same
    zoneout_output: bool  # from 17: zoneout's output is the zoned-out one
    window_order: bool  # from 18: window puts its axes in front instead of behind the one it slides over
    pad_ragged: bool  # from 21: padding comes directly behind each sequence
    ctc_zero_infinity: bool  # from 30: impossible CTC targets count nothing

    @staticmethod
    def of(version: int) -> Behavior:
        """The rules of a version."""
        return Behavior(
            version=version,
            default_from_data=version < 1,
            dot_defaults=version < 3,
            explicit_broadcast=version >= 4,
            integer_axes=version < 5,
            merge_keeps_order=version >= 6,
            order_dependent_axes=version < 7,
            spatial_dims_by_order=version < 8,
            conv_bias=version >= 10,
            broadcast_matches=version < 11,
            new_batch_norm=version >= 12,
            dot_matches_sizes=version < 14,
            strict_dims=version >= 16,
            zoneout_output=version >= 17,
            window_order=version >= 18,
            pad_ragged=version >= 21,
            ctc_zero_infinity=version >= 30,
        )
