# no-time inputs: dense and sparse, linear, softmax with ce, reduce, activations, eval, batch norm
extern_data = {"data": {"shape": (6,), "dim": 6}, "cls": {"shape": (), "dim": 4, "sparse": True}, "seq": {"dim": 3}}
network = {
 "l": {"class": "linear", "n_out": 4, "activation": "relu", "from": "data"},
 "ln": {"class": "layer_norm", "from": "l"},
 "emb": {"class": "linear", "n_out": 4, "activation": None, "from": "data:cls"},
 "both": {"class": "copy", "from": ["l", "emb"]},
 "add": {"class": "combine", "kind": "add", "from": ["l", "emb"]},
 "bc": {"class": "combine", "kind": "mul", "from": ["seqp", "emb"]},
 "seqp": {"class": "linear", "n_out": 4, "activation": "elu", "from": "data:seq"},
 "cc": {"class": "copy", "from": ["seqp", "emb"]},
 "rs": {"class": "reduce", "mode": "sum", "axes": "F", "from": "l"},
 "rb": {"class": "reduce", "mode": "max", "axes": "B", "from": "l"},
 "output": {"class": "softmax", "from": "both", "loss": "ce", "target": "cls"},
 "split": {"class": "split_dims", "axis": "F", "dims": (2, 3), "from": "data"},
 "sm": {"class": "softmax_over_spatial", "from": "split", "axis": "static:0"},
 "mg": {"class": "merge_dims", "axes": "static", "from": "sm"},
 "red": {"class": "reduce_out", "mode": "max", "num_pieces": 2, "from": "mg"},
 "exp": {"class": "expand_dims", "axis": "T", "from": "l"},
 "sq": {"class": "squeeze", "axis": "T", "from": "exp"},
 "len": {"class": "length", "from": "data:seq"},
}
