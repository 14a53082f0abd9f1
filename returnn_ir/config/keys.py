"""Every config key of RETURNN, and of ours, with what happens to it here. ``docs/options.md`` is made from this table.

A key is done (with the module that reads it), has no effect here (with the reason), or is refused by ``returnn-run``
unless it has an off value (with the reason). Names and defaults are RETURNN's.
"""

from __future__ import annotations

from collections.abc import Mapping

from returnn_ir.config.key import ALL, EVAL, FORWARD, PRIORS, SEARCH, TRAIN, Key, Run, done, no_effect, refused

__all__ = ["KEYS", "NETWORK_KEYS", "TABLE"]

_RUN, _CUT, _START = (f"runtime.tasks.{name}" for name in ("run_options", "data_options", "start"))
_COMPILER, _PRECISION = "compiler.program.program", "compiler.program.mixed_precision"
_OPTIMIZER, _GRADIENTS, _SCHEDULE, _UPDATES, _LOSS_SCALE = (
    f"runtime.optimizers.{name}" for name in ("options", "gradients", "schedule", "update_options", "loss_scale")
)
_RATES, _SEARCH, _FORWARD = "runtime.learning_rate.options", "runtime.tasks.search.options", "runtime.tasks.forward"
_NAMES, _PRETRAIN = "returnn_ir.config.network_names", "returnn_ir.config.pretrain"
_SCHEDULE_OF_NETWORKS = "returnn_ir.config.network_schedule"
_DATA, _NETWORK = "returnn_ir.config.extern_data", "returnn_ir.construct.network_keys"

_EVALUATION, _TASKS = "runtime.tasks.evaluation_options", "runtime.tasks.run"

_GPU = "where a computation runs is up to TensorFlow"
_LOG, _LOGGED = "what is logged does not change a run", "runtime.tasks.log"
_DEBUG = "a debugging aid of RETURNN's TensorFlow session"
_UNUSED = "RETURNN reads it and does nothing with it"
_PROCESS = "how the process is run does not change what it computes"
_OTHER = "only RETURNN's PyTorch, JAX or RETURNN-frontend engines read it"
_TASK = "an option of a task that there is not"
_TOOL = "an option of a tool of RETURNN"
_RASR = "only read when RETURNN runs inside of RASR"


def _no_backend(value: object, run: Run) -> object:
    """``use_tensorflow``, which ``backend`` comes before."""
    return None if run.config.get("backend") else value


TABLE: Mapping[str, tuple[Key, ...]] = {
    "The network and its data": (
        done("network", "returnn_ir.config.options", "the network dict, or the name of a JSON file with it"),
        done("get_network", _SCHEDULE_OF_NETWORKS, "the network of an epoch"),
        refused("get_model", False, ALL, "the network is code of RETURNN's frontend, not a network dict"),
        done("extern_data", _DATA, "the inputs by data key"),
        done("num_inputs", _DATA, "the size of the default input, where there is no extern_data"),
        done("num_outputs", _DATA, "the sizes of the other inputs, where there is no extern_data"),
        done("sparse_input", _DATA, "the default input holds labels, where there is no extern_data"),
        done("default_input", _DATA, "the data key of the default input (data)"),
        done("target", _DATA, "the data key of the default target (classes)"),
        done("behavior_version", "returnn_ir.config.options", "which of RETURNN's defaults hold (0)"),
        done("optimize_move_layers_out", _NETWORK, "whether layers leave loops (True)"),
        done("conv_pad_seq_len_to_power", _NETWORK, "pads the longest sequence of a batch"),
        done("inf_value", _NETWORK, "what stands for infinity in masks (infinity)"),
        done("tf_native_ctc_zero_infinity", _NETWORK, "an impossible alignment costs nothing"),
        done("param_variational_noise", _NETWORK, "noise on all parameters", TRAIN),
        done("param_dropout", _NETWORK, "dropout on all parameters", TRAIN),
        done("param_dropout_min_ndim", _NETWORK, "dropout only on parameters with that many axes", TRAIN),
        done("padding", _NETWORK, "ours: raw, or masked: no layer sees padding"),
        done("search_scores", _NETWORK, "ours: returnn, or independent of the rest of a batch"),
        done("fusion", _COMPILER, "ours: which kernels are required, preferred or never used"),
        done("mixed_precision", _PRECISION, "ours: bfloat16 or float16, what products compute in", TRAIN),
        done("tf_amp", _PRECISION, "the same, or a dict with it as dtype", TRAIN),
        refused("backend", "tensorflow-net-dict", ALL, "it names an engine without network dicts"),
        refused("use_tensorflow", True, ALL, "without TensorFlow a network means what it meant in Theano", _no_backend),
        refused("search_train_network_layers", False, TRAIN, "training builds no second network that searches"),
        done("reinit_network_each_epoch", _RUN, "the optimizer starts anew in each epoch", TRAIN),
        no_effect("flat_net_construction", "a network of any depth is built"),
        no_effect("onnx_export", "exports need no other network"),
        no_effect("restart_after_num_net_reinit", "memory does not grow with the networks of a training"),
        done("init_new_network_callback", "runtime.tasks.training.callback", "sees what a changed network gets", TRAIN),
    ),
    "Names in a network dict that are no layers": (
        done("#config", _NAMES, "values of the config's options while the network is trained", TRAIN),
        done("#trainable", _NAMES, "whether the network's parameters are trained (True)", TRAIN),
        no_effect("#finish_all_data", "does nothing without use_horovod"),
        done("#copy_param_mode", _NAMES, "how parameters get into the network: subset, ifpossible or reset", TRAIN),
        done("#repetition", _PRETRAIN, "the epochs of this step of a pretraining", TRAIN),
        no_effect("#info", "a remark of the config's own"),
    ),
    "Batches": (
        done("batch_size", _RUN, "frames with padding, for all data keys or each (1)"),
        done("eval_batch_size", _RUN, "the same where nothing is trained; RETURNN's newer engines have it"),
        done("max_seqs", _RUN, "sequences; -1: any number"),
        done(
            "max_seq_length", _RUN, "longer sequences are left out of train and dev; 0: none is", TRAIN | EVAL | SEARCH
        ),
        done("min_seq_length", _RUN, "shorter sequences are left out", TRAIN),
        done("max_pad_size", _RUN, "padding frames", TRAIN),
        done("batching", _RUN, "the order of sequences in training", TRAIN),
        done("chunking", _CUT, "training data in pieces: 'SIZE:STEP', numbers or dicts by data key, a function"),
        done("chunking_variance", _CUT, "up to this share is taken off size and step, at random"),
        done("min_chunk_size", _CUT, "no piece begins where for any data key no more than this is left"),
        done("chunk_eval", _CUT, "dev and eval are cut as the training data"),
        done("on_size_limit", _CUT, "ignore, or chunk: dev and eval are cut by batch_size (ignore)"),
        done("context_window", _CUT, "frames around each piece, with zeros beyond a sequence's borders"),
        done("window", _CUT, "each frame of HDF and generated data is joined with its neighbours"),
        refused("shuffle_frames_of_nseqs", 0, TRAIN, "in RETURNN only HDFDataset has it, and fails with it"),
        done("shuffle_batches", _RUN, "batches that are kept because the order did not change are shuffled", TRAIN),
        done("seq_drop", _RUN, "the probability with which a sequence, or piece, is left out", TRAIN),
        done("seq_drop_freq", _RUN, "in epochs that are a multiple of it, batches that are kept are made anew", TRAIN),
        done("inc_seq_length", _RUN, "what max_seq_length grows by in each epoch, if both are whole numbers", TRAIN),
        done("enforce_min_len1", _RUN, "a batch of empty sequences has one frame of padding"),
        no_effect("share_batches", _UNUSED),
        no_effect("update_batch_size", _UNUSED),
        no_effect("cache_size", "how much data is kept in memory"),
        no_effect("lm_dataset_debug_limit_line_count", "an option of a dataset that there is not"),
        no_effect("file_cache_opts", "files are read where they are"),
    ),
    "Epochs and checkpoints": (
        done("task", _TASKS, "train, eval, forward, search, or another one of docs/training.md (train)"),
        done("train", _RUN, "the training data", TRAIN | PRIORS),
        done("dev", _RUN, "evaluated after every epoch", TRAIN | EVAL),
        done("eval", _RUN, "evaluated after every epoch; the data of other tasks"),
        done("eval_datasets", _RUN, "further data to evaluate, by name", TRAIN | EVAL),
        done("num_epochs", _RUN, "the last epoch; 0: no end (5)", TRAIN),
        done("model", _RUN, "path of the checkpoints up to the epoch"),
        done(
            "save_interval", _RUN, "epochs from checkpoint to checkpoint; the last one is saved in any case (1)", TRAIN
        ),
        done("load", _RUN, "a checkpoint; a training without one of its own goes on from there"),
        done("load_epoch", _RUN, "the epoch of the model to load"),
        done("epoch", _RUN, "the same; of the data whose posteriors make priors", EVAL | FORWARD | PRIORS),
        done("import_model_train_epoch1", _RUN, "a checkpoint with the parameters that a training starts from", TRAIN),
        done("cleanup_old_models", "runtime.checkpoints.cleanup", "which checkpoints are deleted", TRAIN),
        done("random_seed", _RUN, "of initial values and of what is drawn", TRAIN),
        done("stop_on_nonfinite_train_score", _RUN, "whether a score that is not finite ends the run (True)", TRAIN),
        done("dry_run", _RUN, "neither checkpoints nor scores are written", TRAIN),
        done("calculate_exp_loss", _RUN, "scores also as exp(score), under their key with :exp", TRAIN),
        done(
            "preload_from_files", "runtime.checkpoints.preload", "further checkpoints that parameters come from first"
        ),
        done("start_epoch", _START, "the first epoch of a training; auto: behind its newest checkpoint (auto)", TRAIN),
        refused("start_batch", "auto", TRAIN, "a training starts with whole epochs, in RETURNN too"),
        done("save_epoch1_initial_model", _RUN, "the initial parameters are saved as epoch 0", TRAIN),
        done(
            "use_last_best_model", "runtime.learning_rate.last_best", "goes back to a better epoch than the last", TRAIN
        ),
        done("load_ignore_missing_vars", _START, "parameters that a checkpoint lacks keep their initial values"),
        done("allow_random_model_init", _START, "the run needs no checkpoint", EVAL | FORWARD | SEARCH),
        no_effect("init_train_epoch_posthook", _UNUSED),
        no_effect("ctc_prior_file", _UNUSED),
        no_effect("exclude", _UNUSED),
    ),
    "The optimizer": (
        done("optimizer", _OPTIMIZER, "the update rule and its options (gradient descent)", TRAIN),
        done("optimizer_epsilon", _OPTIMIZER, "epsilon of rules that have one (1e-16)", TRAIN),
        done("momentum", _OPTIMIZER, "of rules that have one, or the rule of that name", TRAIN),
        done("adam", _OPTIMIZER, "the old way to choose the rule, before behavior_version 2", TRAIN),
        done("nadam", _OPTIMIZER, "the old way to choose the rule, before behavior_version 2", TRAIN),
        done("adadelta", _OPTIMIZER, "the old way to choose the rule, before behavior_version 2", TRAIN),
        done("adagrad", _OPTIMIZER, "the old way to choose the rule, before behavior_version 2", TRAIN),
        done("rmsprop", _OPTIMIZER, "the old way to choose the rule; a float is its decay", TRAIN),
        done("gradient_noise", _GRADIENTS, "standard deviation of noise on gradients", TRAIN),
        done("gradient_clip", _GRADIENTS, "by value", TRAIN),
        done("gradient_clip_norm", _GRADIENTS, "by the norm of each variable's gradient", TRAIN),
        done("gradient_clip_avg_norm", _GRADIENTS, "by that norm, divided by the number of entries", TRAIN),
        done("gradient_clip_global_norm", _GRADIENTS, "by the norm of all gradients", TRAIN),
        done("gradient_nan_inf_filter", _GRADIENTS, "zero for what is not finite", TRAIN),
        done("grad_norm_to_clip_to_zero", _GRADIENTS, "no update above this global norm", TRAIN),
        done("grad_scaler", _LOSS_SCALE, "the loss scale of mixed_precision float16, or None; enabled: False", TRAIN),
        done("accum_grad_multiple_step", _GRADIENTS, "the gradients of so many steps make one update", TRAIN),
        # its reader is the one that chooses other kernels for it, so that networks are compiled anew where it changes
        done("maximize_grad_norm", _COMPILER, "the share of the global norm that is maximised", TRAIN),
        done("global_norm_tag", _GRADIENTS, "whose gradients the global norm is of: a tag in updater_opts", TRAIN),
        done("gradient_clip_global_norm_tag", _GRADIENTS, "the same for clipping", TRAIN),
        done("decouple_constraints", _NETWORK, "L2 makes parameters smaller before each update, and is no loss"),
        no_effect("decouple_constraints_factor", "RETURNN computes a factor from it that it does not use"),
        refused("extra_updates", False, TRAIN, "only the optimizer updates parameters"),
        done("reset_updater_vars_mod_step", _UPDATES, "steps of an epoch from which the state starts again", TRAIN),
        no_effect("optimizer_use_locking", "one thread updates the parameters"),
        done(
            "deterministic_train",
            _COMPILER,
            "gradients are summed in a fixed order; on a GPU without cuDNN's LSTM",
            TRAIN,
        ),
    ),
    "Learning rates": (
        done("learning_rate", _RATES, "of the first epoch (1)", TRAIN),
        done("learning_rates", _RATES, "by epoch", TRAIN),
        done("min_learning_rate", _RATES, "no control goes below (0)", TRAIN),
        done("dynamic_learning_rate", _SCHEDULE, "the rate in an epoch, by the step", TRAIN),
        done("learning_rate_control", _RATES, "constant, newbob, newbob_abs or newbob_multi_epoch (constant)", TRAIN),
        done("learning_rate_control_error_measure", _RATES, "the score that controls", TRAIN),
        done("learning_rate_control_relative_error_relative_lr", _RATES, "divides by the relative rate", TRAIN),
        done("learning_rate_control_min_num_epochs_per_new_lr", _RATES, "no change before (0)", TRAIN),
        done("learning_rate_decay", _RATES, "a factor or a function (0.5)", TRAIN),
        done("newbob_learning_rate_decay", _RATES, "the same, by its old name", TRAIN),
        done("learning_rate_growth", _RATES, "a factor or a function (1)", TRAIN),
        done("newbob_learning_rate_growth", _RATES, "the same, by its old name", TRAIN),
        done("newbob_error_threshold", _RATES, "of newbob_abs (-0.01)", TRAIN),
        done("newbob_relative_error_threshold", _RATES, "the rate decays above (-0.01)", TRAIN),
        done("newbob_relative_error_grow_threshold", _RATES, "the rate grows below", TRAIN),
        done("newbob_relative_error_div_by_old", _RATES, "relative to the old score, not the new one", TRAIN),
        done("newbob_multi_num_epochs", _RATES, "whose scores newbob_multi_epoch averages (5)", TRAIN),
        done("newbob_multi_update_interval", _RATES, "epochs from change to change", TRAIN),
        done("learning_rate_file", _RATES, "where rates and scores are kept", TRAIN | EVAL),
        no_effect("check_learning_rates", _TOOL),
    ),
    "Pretraining": (
        done("pretrain", _PRETRAIN, "the networks of the first epochs: a dict of options, or default"),
        done("pretrain_copy_output_layer", _PRETRAIN, "whether output layers keep their parameters"),
        done("pretrain_greedy", _PRETRAIN, "False: all layers are trained, the only way that there is"),
        done("pretrain_repetitions", _PRETRAIN, "epochs of each step (1)"),
        done("pretrain_construction_algo", _PRETRAIN, "what makes the networks (from_output)"),
        done("pretrain_learning_rate", _RATES, "of the epochs of the pretraining (learning_rate)", TRAIN),
        done("use_learning_rate_control_always", _RATES, "rates are controlled while pretraining, too (False)", TRAIN),
    ),
    "Evaluation, forward and search": (
        done("train_in_eval", _EVALUATION, "every batch of an evaluation updates the parameters in memory", EVAL),
        done("eval_learning_rate", _EVALUATION, "of these updates (learning_rate)", EVAL),
        done("eval_use_train_flag", _EVALUATION, "layers are evaluated as in training, with dropout", TRAIN | EVAL),
        refused("eval_output_file", (), EVAL, "losses are printed, not written"),
        refused("eval_output_file_per_seq", (), EVAL, "there are no losses of single sequences"),
        no_effect("loss_name", "does nothing without eval_output_file"),
        no_effect("output_per_seq_format", "does nothing without eval_output_file_per_seq"),
        no_effect("output_per_seq_file_format", "does nothing without eval_output_file_per_seq"),
        done("forward_data", _FORWARD, "train, dev, eval or a dataset (eval)", FORWARD),
        done("forward_output_layer", _FORWARD, "the layer to write (output)", FORWARD | PRIORS),
        done("output_file", _FORWARD, "the HDF file to write, or the text file with the priors", FORWARD | PRIORS),
        done("forward_override_hdf_output", _FORWARD, "write it even if it exists", FORWARD),
        done("forward_batch_size", _FORWARD, "frames of a batch (batch_size)", FORWARD),
        refused("forward_use_search", False, FORWARD, "task = search is the one that searches"),
        refused("forward_callback", False, FORWARD, "the output goes to an HDF file"),
        no_effect("combine_labels", _UNUSED),
        no_effect("allow_skipping_seqs_in_forward", "does nothing without forward_callback"),
        done("search_data", _SEARCH, "train, dev, eval or a dataset (eval)", SEARCH),
        done("search_do_eval", _SEARCH, "whether to compare with the targets (True)", SEARCH),
        done("search_output_layer", _SEARCH, "a layer, or a list of them (output)", SEARCH),
        done("search_output_file", _SEARCH, "where hypotheses are written", SEARCH),
        done("search_output_file_format", _SEARCH, "txt or py (txt)", SEARCH),
        *(
            no_effect(name, _TASK)
            for name in (
                "analyze_dataset",
                "data_key",
                "hyper_param_tuning",
                "sil_label_idx",
                "statistics",
                "statistics_dtype",
                "statistics_save_prefix",
                "web_server_port",
            )
        ),
    ),
    "Several machines": (
        refused("use_horovod", False, TRAIN, "one process trains"),
        *(
            no_effect(name, "does nothing without use_horovod")
            for name in (
                "horovod_avg_grad",
                "horovod_dataset_distribution",
                "horovod_param_sync_step",
                "horovod_param_sync_time_diff",
                "horovod_reduce_type",
                "horovod_scale_lr",
            )
        ),
        refused("distributed_tf", False, TRAIN, "one process trains"),
        refused("dataset_pipeline", False, ALL, "data comes from datasets, not from functions over tf.data"),
        no_effect("__debug_dummy_distributed_rank_and_size", "one process trains"),
    ),
    "The process and TensorFlow": (
        done("log", _LOGGED, "files and commands that get the log, beside the console"),
        done("log_verbosity", _LOGGED, "of each: 1 scores only, 3, 4 epochs, 5 every step (3)"),
        done("log_format", _LOGGED, "of each: default, raw, timed or verbose (default)"),
        done("log_batch_size", _RUN, "whether each step's line has the sizes of its batch", TRAIN | EVAL),
        done("device", _RUN, "cpu, or gpu: a GPU where there is one (gpu)"),
        done("startup_callback", "runtime.tasks.run", "a function that is called first of all"),
        refused("use_dummy_datasets", False, ALL, "there are no data made up for a test"),
        no_effect("dummy_dataset_num_seqs", "does nothing without use_dummy_datasets"),
        no_effect("train_dummy_dataset_num_seqs", "does nothing without use_dummy_datasets"),
        no_effect("need_data", "only the data that a task needs are loaded"),
        refused("wrap_tf_session", False, ALL, "there is no TensorFlow session"),
        *(no_effect(name, _GPU) for name in ("check_unsupported_device", "tf_session_opts")),
        *(
            no_effect(name, _PROCESS)
            for name in (
                "EnableAutoNumpySharedMemPickling",
                "ipython",
                "patch_atfork",
                "use_hot_reloading",
                "use_train_proc_manager",
                "watch_memory",
            )
        ),
        *(
            no_effect(name, _LOG)
            for name in (
                "log_grad_norm",
                "store_metadata_mod_step",
                "store_tf_profile",
                "tf_log_dir",
                "tf_log_memory_usage",
                "tf_run_options",
            )
        ),
        *(
            no_effect(name, _DEBUG)
            for name in (
                "debug_add_check_numerics_on_output",
                "debug_add_check_numerics_ops",
                "debug_grad_summaries",
                "debug_objective_loss_summaries",
                "debug_print_layer_output",
                "debug_print_layer_output_shape",
                "debug_print_layer_output_template",
                "debug_rec_layer",
                "debug_runtime_sanity_checks",
                "debug_save_updater_vars",
                "debug_shell_in_runner",
                "debug_shell_in_runner_step",
                "debug_unnormalized_loss_summaries",
            )
        ),
    ),
    "Other engines and programs": (
        *(
            no_effect(name, _OTHER)
            for name in (
                "PYTORCH_CUDA_ALLOC_CONF",
                "apply_cleanup_old_models_to_optim_states",
                "debug_shell_before_train_loop",
                "default_float_dtype",
                "epoch_end",
                "epoch_start",
                "export",
                "forward_auto_split_batch_on_oom",
                "forward_step",
                "grad_clip",
                "jax_amp",
                "jax_compilation_cache_dir",
                "jax_data_prefetch",
                "jax_default_matmul_precision",
                "jax_jit",
                "jax_static_shapes",
                "jax_time_buckets",
                "load_model_post_hooks",
                "model_outputs",
                "num_allowed_consec_invalid_gradient_steps",
                "online_shuffle_batches",
                "packed_batch_size",
                "packed_fallback_allowed",
                "packed_tensors",
                "reset_dev_memory_caches",
                "rf_att_dropout_broadcast",
                "rf_batch_norm_distributed",
                "rf_conformer_conv_norm_use_mask",
                "rf_dropout_broadcast",
                "rf_module_output_keep_dtype",
                "rf_native_opt",
                "rf_packed_att_fast_paths",
                "rf_packed_warn_regap",
                "rf_scatter_use_fixed_masking",
                "rf_specaugment_num_masks_per_seq",
                "rf_use_consistent_same_padding",
                "sort_dataset",
                "stop_for_resubmission_safety_factor",
                "stop_for_resubmission_when_low_time_left",
                "tensorboard_opts",
                "tf_data_provider_capacity",
                "tf_jit",
                "tf_static_shapes",
                "torch_amp",
                "torch_batching",
                "torch_cuda_graph",
                "torch_dataloader_opts",
                "torch_distributed",
                "torch_log_memory_usage",
                "torch_profile",
                "train_step",
                "use_lovely_tensors",
                "use_tensorboard",
            )
        ),
        *(
            no_effect(name, _RASR)
            for name in (
                "SprintInterfacePythonFeatureScorer",
                "extract",
                "sprint_interface_custom_dataset",
                "sprint_interface_dataset_opts",
                "sprint_trainer_exec_path",
            )
        ),
        *(
            no_effect(name, _TOOL)
            for name in (
                "blocks_debug_dump_output",
                "blocks_mt_model",
                "dump_data",
                "wer_data",
            )
        ),
    ),
}

KEYS: Mapping[str, Key] = {key.name: key for group in TABLE.values() for key in group if not key.name.startswith("#")}
"""By name, those of a config."""

NETWORK_KEYS: Mapping[str, Key] = {key.name: key for group in TABLE.values() for key in group if key.name[0] == "#"}
"""By name, those of a network dict."""
