#!rnn.py
"""Two look-ups of the same labels in one embedding, and one of distances in a table of their own."""

learning_rate = 0.1
optimizer = {"class": "momentum", "momentum": 0.9}
gradient_clip_global_norm = 0.5
extern_data = {"data": {"dim": 7, "sparse": True}, "classes": {"dim": 5, "sparse": True}}
network = {
    "embed": {"class": "linear", "activation": None, "with_bias": False, "n_out": 4, "from": "data"},
    "again": {
        "class": "linear", "activation": None, "with_bias": False, "n_out": 4, "from": "data",
        "reuse_params": "embed",
    },
    "pos": {"class": "relative_positional_encoding", "from": "embed", "n_out": 2, "clipping": 2},
    "att": {
        "class": "self_attention", "num_heads": 2, "total_key_dim": 4, "n_out": 4, "from": "embed",
        "key_shift": "pos",
    },
    "both": {"class": "combine", "kind": "mul", "from": ["att", "again"]},
    "output": {"class": "softmax", "from": "both", "loss": "ce"},
}  # fmt: skip
