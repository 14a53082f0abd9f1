# what follows a split of channels; noise of more frames than there are; complex projection with gradients
extern_data = {"data": {"dim": 6}}
network = {"split": {"class": "split_concatenated_multichannel", "nr_of_channels": 3, "n_out": 2, "from": "data"},
  "lin": {"class": "linear", "n_out": 4, "activation": "tanh", "with_bias": True, "from": "split"}, "conv": {"class": "conv", "filter_size": [3], "padding": "same", "n_out": 3, "with_bias": True, "from": "split"},
  "noise": {"class": "first_t_frames_noise_estimator", "nr_of_frames": 9, "n_out": 6, "from": "data"}, "clean": {"class": "combine", "kind": "sub", "from": ["data", "noise"]},
  "clp": {"class": "complex_linear_projection", "nr_of_filters": 4, "clp_weights_init": "glorot_normal", "from": "clean"},
  "obj": {"class": "eval", "from": "clp", "eval": "source(0) ** 2", "loss": "as_is"}, "obj2": {"class": "eval", "from": "lin", "eval": "source(0) ** 2", "loss": "as_is"}}
