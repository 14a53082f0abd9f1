"""The names of RETURNN's classes, so that what is not built here is told apart from what nobody has.

What is registered here decides what is built: of a name that is in a table and not registered, messages say so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from returnn_ir.errors import did_you_mean

__all__ = ["NAMES", "Kind", "hint_for", "not_built", "not_known"]

Kind = Literal["layer class", "loss", "vocabulary class"]

_LAYERS = """
    accumulate_mean activation alternating_real_to_complex apply_length_distribution batch_median_pooling
    batch_norm batch_softmax boolean_mask cast choice choice_get_beam_scores choice_get_src_beams
    classes_to_length_distribution classes_to_length_distribution_global classes_to_segments combine
    combine_dims compare complex_linear_projection complex_to_alternating_real concat concat_attention cond
    constant conv copy ctc_loss cum_concat cumsum dct decide decide_keep_beam dot dot_attention dropout
    edit_distance edit_distance_table elemwise_prod eval expand_dims fast_bw fill_unused
    first_t_frames_noise_estimator flatten_batch flatten_time fold forced_align forward framewise_statistics
    gather gather_nd gating gauss_window_attention generic_attention get_last_hidden_state get_rec_accumulated
    global_train_step gradient hdf_dump hidden identity image_summary istft kenlm layer_norm length linear loss
    mask_based_gevbeamforming mask_based_mvdrbeamforming masked_computation math_norm mel_filterbank merge_dims
    multichannel_multiresolution_stft_layer multichannel_stft_layer norm normalize_length_scores
    optimal_completions pad parametric_wiener_filter pool positional_encoding postfix_in_time prefix_in_time
    print rand_int random random_state_init range range_from_length range_in_axis rec rec_last_output
    rec_unstack reduce reduce_out reinterpret_data relative_positional_encoding remove repeat reshape resize
    rnn_cell scaled_grad scatter_nd search_sorted segment_alignment segment_input self_attention seq_len_mask
    shift_axis signal_masking slice slice_nd softmax softmax_over_spatial source
    sparse_softmax_cross_entropy_with_logits split split_batch_beam split_batch_time
    split_concatenated_multichannel split_dims squeeze stack stft subnetwork swap_axes swap_time_feature switch
    synthetic_gradient tikhonov_regularization tile tile_features time_chunking time_unchunking top_k train_flag
    transpose transposed_conv twod_lstm unflatten_batch unflatten_nd unmask unsegment_input variable
    variable_assign variable_read weighted_sum window
"""
_LOSSES = """
    as_is bin_ce bleu ce ctc deep_clustering edit_distance expected_loss fast_bw generic_ce l1 mean_l1 mse
    sampling_loss search_score sprint sse_sigmoid triplet_loss via_layer
"""
_VOCABULARIES = """
    BytePairEncoding CharacterTargets HuggingFaceTokenizer SamplingBytePairEncoding SentencePieces
    Utf8ByteTargets Vocabulary
"""
#: By kind. Units, optimizers and datasets are told apart where they are registered.
NAMES: dict[Kind, frozenset[str]] = {
    "layer class": frozenset(_LAYERS.split()),
    "loss": frozenset(_LOSSES.split()),
    "vocabulary class": frozenset(_VOCABULARIES.split()),
}

_FAILS = "fails in RETURNN itself with TensorFlow 2"
_SEGMENTAL = "is of the segmental models, whose layers fail in RETURNN itself since it has Dim objects"
_SI6 = "needs the package tfSi6Proc, which is not public"
_WINDOWED = "the layer 'window' gives windows of a sequence as a further axis"

#: Layer classes that are not to be built: why not, as the end of a sentence that begins with "it", and what to try.
_LAYER_REASONS: Mapping[str, tuple[str, str]] = {
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
_REASONS: Mapping[Kind, Mapping[str, tuple[str, str | None]]] = {
    "layer class": _LAYER_REASONS,
    "loss": {"deep_clustering": (_FAILS, None)},
    "vocabulary class": {},
}


def not_built(kind: Kind, registered: Iterable[str]) -> dict[str, str]:
    """The names that RETURNN has and that are not registered here, with the reason or ``""``."""
    return {name: _reason(kind, name) for name in sorted(NAMES[kind] - set(registered))}


def not_known(kind: Kind, name: str) -> str:
    """What a message says of a name that is not registered here: RETURNN has it, or nobody."""
    if name not in NAMES[kind]:
        return f"unknown {kind} {name!r}"
    reason = _reason(kind, name)
    return f"RETURNN has the {kind} {name!r}, it is not built here" + (f": {reason}" if reason else "")


def _reason(kind: Kind, name: str) -> str:
    reason, _ = _REASONS[kind].get(name, ("", None))
    return f"it {reason}" if reason else ""


def hint_for(kind: Kind, name: str, registered: list[str]) -> str | None:
    """What to try: another way, where to see what there is, or a name that is nearly the same."""
    if name in NAMES[kind]:
        _, instead = _REASONS[kind].get(name, ("", None))
        return instead or "docs/support.md lists what is built, and what is not"
    return did_you_mean(name, registered)
