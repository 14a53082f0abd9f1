"""Values of config keys that ask for something, as Python text: those of refused keys, and of some that are not."""

from __future__ import annotations

#: Of each key that is refused.
EFFECTIVE = {
    "backend": '"torch"',
    "dataset_pipeline": "lambda context: None",
    "distributed_tf": "True",
    "eval_output_file": '"losses.txt"',
    "eval_output_file_per_seq": '"losses.txt"',
    "extra_updates": '{"output/b": lambda var: var}',
    "forward_callback": "lambda: None",
    "forward_use_search": "True",
    "get_model": "lambda **kwargs: None",
    "search_train_network_layers": '["output"]',
    "shuffle_frames_of_nseqs": "2",
    "start_batch": "3",
    "use_dummy_datasets": "True",
    "use_horovod": "True",
    "use_tensorflow": "False",
    "wrap_tf_session": "lambda session: session",
}

#: Of these there is a whole run, with exit code 2.
REFUSED_RUNS = (
    "backend", "wrap_tf_session", "extra_updates", "use_dummy_datasets", "get_model", "distributed_tf",
    "shuffle_frames_of_nseqs", "start_batch", "use_horovod", "use_tensorflow",
)  # fmt: skip

#: Keys without an effect: a run with them is the same to the last digit.
NO_EFFECT = {
    "cache_size": '"0"',
    "debug_print_layer_output_template": "True",
    "decouple_constraints_factor": "0.5",
    "exclude": "[1]",
    "log_grad_norm": "True",
    "init_train_epoch_posthook": '"f"',
    "restart_after_num_net_reinit": "1",
    "optimizer_use_locking": "True",
    "share_batches": "True",
    "tf_session_opts": '{"allow_soft_placement": True}',
    "use_train_proc_manager": "True",
}

#: Keys that are done: a run with them is another one.
CHANGES = {
    "accum_grad_multiple_step": "2",
    "batch_size": "100",
    "batching": '"reverse"',
    "calculate_exp_loss": "True",
    "chunking": '"20:10"',
    "context_window": '{"data": 3, "classes": 3}',
    "dry_run": "True",
    "gradient_clip": "0.001",
    "learning_rates": "[0.2, 0.1]",
    "maximize_grad_norm": "0.1",
    "max_pad_size": "0",
    "max_seq_length": "30",
    "max_seqs": "1",
    "mixed_precision": '"bfloat16"',
    "num_epochs": "1",
    "optimizer": '{"class": "adam"}',
    "param_dropout": "0.3",
    "random_seed": "7",
    "rmsprop": "0.9",
    "save_interval": "2",
    "seq_drop": "0.5",
    "window": '3\nextern_data = {"data": {"dim": 27}, "classes": {"dim": 2, "sparse": True}}',
    "start_epoch": "2",
}
