"""Layer classes that RETURNN has and this compiler does not build, each with the reason and what to use instead."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["REFUSED_CLASSES"]

_FAILS = "fails in RETURNN itself with TensorFlow 2"
_SEGMENTAL = "is of the segmental models, whose layers fail in RETURNN itself since it has Dim objects"
_SI6 = "needs the package tfSi6Proc, which is not public"
_WINDOWED = "the layer 'window' gives windows of a sequence as a further axis"

#: By class: why not, as the end of a sentence that begins with the class, and what to try.
REFUSED_CLASSES: Mapping[str, tuple[str, str]] = {
    ":i": ("is made by a loop itself", "read the layer ':i' inside of a recurrent subnetwork"),
    "alternating_real_to_complex": (_FAILS, 'an eval layer with "tf.complex(...)"'),
    "apply_length_distribution": (_SEGMENTAL, 'a combine layer of kind "mul"'),
    "batch_median_pooling": (_FAILS, "the layer 'split_dims' on the batch, and 'reduce'"),
    "batch_softmax": (_FAILS, "'merge_dims' of time and features, and 'softmax_over_spatial'"),
    "classes_to_length_distribution": (_SEGMENTAL, _WINDOWED),
    "classes_to_length_distribution_global": (_SEGMENTAL, _WINDOWED),
    "classes_to_segments": (_SEGMENTAL, _WINDOWED),
    "fill_unused": (_FAILS, "'seq_len_mask' with 'mask_value'"),
    "flatten_time": (_FAILS, "the layer 'merge_dims'"),
    "kenlm": ("needs the KenLM library and a file of it at run time", "combine the scores outside of the model"),
    "mask_based_gevbeamforming": (_SI6, "beamforming before the model"),
    "mask_based_mvdrbeamforming": (_SI6, "beamforming before the model"),
    "parametric_wiener_filter": (_SI6, "the filter before the model"),
    "remove": (_FAILS, "'masked_computation', or 'boolean_mask'"),
    "segment_alignment": (_SEGMENTAL, _WINDOWED),
    "segment_input": (_SEGMENTAL, _WINDOWED),
    "swap_time_feature": (_FAILS, "the layer 'transpose', or 'reinterpret_data'"),
    "tile_features": (_FAILS, "the layer 'tile'"),
    "unsegment_input": (_SEGMENTAL, _WINDOWED),
}
