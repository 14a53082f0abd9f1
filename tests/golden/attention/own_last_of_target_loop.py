# a loop over the target with self-attention, an end layer, and the last outputs
extern_data = {"data": {"dim": 4}, "classes": {"dim": 4, "sparse": True}}
network = {"output": {"class": "rec", "from": [], "target": "classes", "max_seq_len": 5, "unit": {
  "output": {"class": "choice", "target": "classes", "beam_size": 2, "from": "p", "initial_output": 0, "need_last": True}, "end": {"class": "compare", "from": "output", "value": 0},
  "emb": {"class": "linear", "activation": None, "n_out": 4, "from": "prev:output"},
  "att": {"class": "self_attention", "num_heads": 2, "n_out": 4, "total_key_dim": 4, "attention_left_only": True, "from": "emb"},
  "s": {"class": "linear", "activation": "tanh", "n_out": 3, "from": ["att", "prev:s"], "need_last": True, "is_output_layer": True},
  "p": {"class": "softmax", "target": "classes", "loss": "ce", "from": "s"}}},
  "last": {"class": "rec_last_output", "rec_layer": "output", "sub_layer_name": "s"}, "acc": {"class": "get_rec_accumulated", "from": "output", "sub_layer": "s"}}
case = {"time": {"data": 7, "classes": 4}}
