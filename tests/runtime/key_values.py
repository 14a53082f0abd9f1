"""Values of config keys that ask for something, as Python text: those of refused keys, and of some that are not."""

from __future__ import annotations

#: Of each key that is refused.
EFFECTIVE = {
    "accum_grad_multiple_step": "2",
    "backend": '"torch"',
    "chunk_eval": "True",
    "chunking": '"1"',
    "context_window": "3",
    "dataset_pipeline": "lambda context: None",
    "decouple_constraints": "True",
    "distributed_tf": "True",
    "enforce_min_len1": "True",
    "eval_output_file": '"losses.txt"',
    "eval_output_file_per_seq": '"losses.txt"',
    "eval_use_train_flag": "True",
    "extra_updates": '{"output/b": lambda var: var}',
    "forward_callback": "lambda: None",
    "forward_use_search": "True",
    "get_model": "lambda **kwargs: None",
    "global_norm_tag": '"a"',
    "gradient_clip_global_norm_tag": '"a"',
    "inc_seq_length": "1.0",
    "maximize_grad_norm": "0.1",
    "on_size_limit": '"chunk"',
    "preload_from_files": '{"a": {"filename": "a", "init_for_train": True}, "b": {"filename": "b"}}',
    "reinit_network_each_epoch": "True",
    "reset_updater_vars_mod_step": "100",
    "search_train_network_layers": '["output"]',
    "seq_drop": "0.1",
    "shuffle_batches": "True",
    "shuffle_frames_of_nseqs": "2",
    "start_batch": "3",
    "start_epoch": "2",
    "startup_callback": "lambda config: None",
    "train_in_eval": "True",
    "use_dummy_datasets": "True",
    "use_horovod": "True",
    "use_last_best_model": "True",
    "use_tensorflow": "False",
    "window": "3",
    "wrap_tf_session": "lambda session: session",
}

#: Of these there is a whole run, with exit code 2.
REFUSED_RUNS = (
    "accum_grad_multiple_step", "chunking", "context_window", "extra_updates", "preload_from_files",
    "seq_drop", "startup_callback", "use_horovod", "use_tensorflow", "window",
)  # fmt: skip

#: Keys without an effect: a run with them is the same to the last digit.
NO_EFFECT = {
    "cache_size": '"0"',
    "debug_print_layer_output_template": "True",
    "deterministic_train": "True",
    "exclude": "[1]",
    "load_ignore_missing_vars": "True",
    "log_verbosity": "5",
    "optimizer_use_locking": "True",
    "seq_drop_freq": "2",
    "share_batches": "True",
    "tf_session_opts": '{"allow_soft_placement": True}',
    "use_train_proc_manager": "True",
}

#: Keys that are done: a run with them is another one.
CHANGES = {
    "batch_size": "100",
    "batching": '"reverse"',
    "calculate_exp_loss": "True",
    "dry_run": "True",
    "gradient_clip": "0.001",
    "learning_rates": "[0.2, 0.1]",
    "max_pad_size": "0",
    "max_seq_length": "30",
    "max_seqs": "1",
    "num_epochs": "1",
    "optimizer": '{"class": "adam"}',
    "param_dropout": "0.3",
    "random_seed": "7",
    "rmsprop": "0.9",
    "save_interval": "2",
}
