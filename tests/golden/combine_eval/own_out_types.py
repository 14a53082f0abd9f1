# out_type forms on eval: dict, n_out, dtype, sparse
import tensorflow as tf
extern_data = {"data": {"dim": 4}, "classes": {"dim": 4, "sparse": True}}
network = {
 "a": {"class": "eval", "from": "data", "eval": "tf.argmax(source(0, auto_convert=False), axis=-1, output_type=tf.int32)", "out_type": {"dtype": "int32", "dim": 4, "sparse": True, "shape": (None,)}},
 "b": {"class": "eval", "from": "data", "eval": "tf.reduce_sum(source(0, auto_convert=False), axis=-1, keepdims=True)", "out_type": {"dim": 1, "shape": (None, 1)}},
 "c": {"class": "eval", "from": "data", "eval": "tf.cast(source(0) > 0, tf.float32)", "out_type": {"dtype": "float32"}},
 "d": {"class": "eval", "from": "data:classes", "eval": "tf.cast(source(0, auto_convert=False) * 2, tf.float32)", "out_type": {"dtype": "float32", "sparse": False, "dim": None, "shape": (None,)}},
 "g": {"class": "linear", "from": "a", "n_out": 3, "activation": "tanh"},
 "i": {"class": "eval", "from": "data", "eval": "source(0) + a * b[1]", "eval_locals": {"a": 2.0, "b": [1., 3.]}},
 "j": {"class": "compare", "from": "data:classes", "value": 2, "kind": "greater_equal"},
}
case = {"time": {"data": 5, "classes": 5}}
