# self_attention goes on from the keys and values of the run before (numbers of the third run), or of the last one only
behavior_version = 21
extern_data = {"data": {"dim": 5}, "classes": {"dim": 4, "sparse": True}}
_opts = {"class": "self_attention", "num_heads": 2, "total_key_dim": 4, "n_out": 6, "attention_left_only": True, "initial_state": "keep_over_epoch"}
network = {
    "h": {"class": "linear", "from": "data", "n_out": 4, "activation": "tanh"},
    "a": {**_opts, "from": "h"},
    "b": {**_opts, "from": "a", "restrict_state_to_last_seq": True},
    "output": {"class": "softmax", "from": "b", "loss": "ce", "target": "classes"},
}
case = {"repeat": 3}
