# python functions with tensorflow code and helpers of returnn in eval
import tensorflow as tf
from returnn.tf.util.basic import safe_log, where_bc, sequence_mask
extern_data = {"data": {"dim": 4}, "classes": {"dim": 3, "sparse": True}}
case = {"lens": {"data": [5, 2, 1], "classes": [5, 2, 1]}}
bias_weight = 0.5
def scale(x, by=2.0):
    return x * by
def f1(source, self, **kwargs):
    x = source(0, as_data=True)
    y = x.placeholder
    return scale(tf.nn.relu(y)) + bias_weight
def f2(source, **kwargs):
    x = source(0, auto_convert=False, as_data=True)
    mask = x.get_sequence_mask()
    return where_bc(tf.expand_dims(mask, -1), x.placeholder, tf.zeros_like(x.placeholder))
def f4(source, **kwargs):
    x = source(0, as_data=True, auto_convert=False).copy_with_feature_last()
    n = tf.cast(x.size_placeholder[0], tf.float32)
    frames = tf.cast(tf.range(x.time_dimension()), tf.float32)
    return x.placeholder * tf.expand_dims(tf.expand_dims(n, 1), 2) + tf.reshape(frames, [1, -1, 1]) + tf.cast(x.get_batch_dim(), tf.float32)
def f3(source, alpha, **kwargs):
    a, b = source(0), source(1)
    m = tf.reduce_max(a, axis=-1, keepdims=True)
    return tf.math.log(tf.reduce_sum(tf.exp(a - m), axis=-1, keepdims=True)) + m + alpha * b
network = {
 "a": {"class": "eval", "from": "data", "eval": f1}, "b": {"class": "eval", "from": "data", "eval": f2}, "c": {"class": "eval", "from": ["data", "a"], "eval": f3, "eval_locals": {"alpha": 0.25}},
 "d": {"class": "eval", "from": "data", "eval": "self.network.get_config().typed_value('scale')(source(0), by=self.network.get_config().typed_value('bias_weight'))"},
  "ic": {"class": "copy", "from": "a"},
 "f": {"class": "eval", "from": "data", "eval": f4},
 "loss": {"class": "eval", "from": ["a", "b", "c"], "eval": "source(0) + source(1) * source(2)", "loss": "as_is"},
}
