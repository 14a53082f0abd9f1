# axes inside expressions: squeeze, expand_dims, slices, tile, one_hot, argmax, concat, transpose, stack
extern_data = {"data": {"dim": 4}}
network = {
  "one": {"class": "linear", "activation": "sigmoid", "n_out": 1, "from": "data"},
  "sq": {"class": "eval", "eval": "tf.squeeze(source(0, auto_convert=False), axis=-1)", "from": "one", "out_type": {"shape": (None,), "dim": None, "feature_dim_axis": None}},
  "am": {"class": "eval", "eval": "tf.argmax(source(0, auto_convert=False), axis=-1, output_type=tf.int32)", "from": "data", "out_type": {"shape": (None,), "dim": 4, "sparse": True, "dtype": "int32"}},
  "ex": {"class": "eval", "eval": "tf.expand_dims(source(0, auto_convert=False), axis=-1) * [1.0, 2.0]", "from": "data", "out_type": {"shape": (None, 4, 2), "dim": 2}},
  "sl": {"class": "eval", "eval": "source(0)[:, :, 1:3]", "from": "data", "out_type": {"dim": 2, "shape": (None, 2)}},
  "sl2": {"class": "eval", "eval": "source(0, auto_convert=False)[..., 0]", "from": "data", "out_type": {"dim": None, "shape": (None,), "feature_dim_axis": None}},
  "tl": {"class": "eval", "eval": "tf.tile(source(0), [1, 1, 3])", "from": "one", "out_type": {"dim": 3, "shape": (None, 3)}},
  "oh": {"class": "eval", "eval": "tf.one_hot(source(0, auto_convert=False), 4)", "from": "am", "out_type": {"dim": 4, "shape": (None, 4), "sparse": False, "sparse_dim": None, "dtype": "float32"}},
  "cc": {"class": "eval", "eval": "tf.concat([source(0), source(1), -source(0)], axis=-1)", "from": ["data", "oh"], "out_type": {"dim": 12, "shape": (None, 12)}},
  "mx": {"class": "eval", "eval": "source(0) - tf.reduce_max(source(0), axis=2, keepdims=True)", "from": "data"},
  "fst": {"class": "eval", "eval": "source(0, auto_convert=False)[:, 0]", "from": "data", "out_type": {"dim": 4, "shape": (4,), "time_dim_axis": None}},
  "rev": {"class": "eval", "eval": "tf.reverse(source(0), axis=[-1])", "from": "data"},
  "cs": {"class": "eval", "eval": "tf.cumsum(source(0), axis=1)", "from": "data"},
  "sm": {"class": "eval", "eval": "tf.nn.softmax(source(0) * 2.0)", "from": "data"},
  "var": {"class": "eval", "eval": "tf.math.reduce_std(source(0), axis=-1, keepdims=True) + source(0)", "from": "data"},
  "pos": {"class": "eval", "eval": "tf.cast(tf.range(tf.shape(source(0))[1]), tf.float32)[None, :, None] + source(0)", "from": "data"},
  "parts": {"class": "eval", "eval": "tf.split(source(0), 2, axis=-1)[1] - tf.split(source(0), 2, axis=-1)[0]", "from": "data", "out_type": {"dim": 2, "shape": (None, 2)}},
  "obj": {"class": "eval", "from": "cc", "eval": "source(0) ** 2", "loss": "as_is"}}
