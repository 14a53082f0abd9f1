# python in expressions: conditionals, chained methods, locals, lambdas, helper functions of the config
import numpy
extern_data = {"data": {"dim": 3}}
scale = 3.5
table = {"a": 0.5, "b": [1.0, 2.0]}
import tensorflow as tf
def helper(x, factor=2.0):
    return tf.nn.relu(x) * factor
def main_fn(source, self, power, **kwargs):
    x = source(0, as_data=True)
    y = x.placeholder
    if x.dim == 3 and len(x.batch_shape) == 3:
        y = helper(y, factor=power)
    for i in range(2):
        y = y + tf.where(y > 0.5, tf.zeros_like(y), tf.ones_like(y)) * float(i)
    return tf.cast(y, x.dtype)
def bias_fn(x):
    return tf.tanh(x) + scale
network = {
  "f": {"class": "eval", "eval": main_fn, "eval_locals": {"power": 1.5}, "from": "data"},
  "l": {"class": "eval", "eval": lambda source, **kw: tf.maximum(source(0), 0.25), "from": "data"},
  "cond": {"class": "eval", "eval": "source(0) * 2 if flag else source(0) * 3", "eval_locals": {"flag": False}, "from": "data"},
  "conf": {"class": "eval", "eval": "source(0) * self.network.get_config().typed_value('scale') + self.network.get_config().typed_value('table')['b'][1]", "from": "data"},
  "fn": {"class": "eval", "eval": "self.network.get_config().typed_value('bias_fn')(source(0))", "from": "data"},
  "lam": {"class": "eval", "eval": "(lambda a, b: a * b + 1.0)(source(0), source(0))", "from": "data"},
  "mth": {"class": "eval", "eval": "source(0) // 0.5 + source(0) % 0.3 - abs(source(0))", "from": "data"},
  "cmp": {"class": "eval", "eval": "tf.cast((source(0) > 0.1) & (source(0) < 0.9) | tf.math.logical_not(source(0) <= 2.0), 'float32')", "from": "data"},
  "trn": {"class": "eval", "eval": "self.network.cond_on_train(lambda: source(0) * 2.0, lambda: source(0) * 4.0)", "from": "data"},
  "kw": {"class": "eval", "eval": "tf.reduce_sum(input_tensor=source(0, as_data=True).placeholder, axis=source(0, as_data=True).get_axis_from_description('F'), keepdims=True) + source(0)", "from": "data"},
  "lens": {"class": "eval", "eval": "source(0) / tf.cast(source(0, as_data=True).get_sequence_lengths(), tf.float32)[:, None, None]", "from": "data"},
  "msk": {"class": "eval", "eval": "tf.where(source(0, as_data=True).get_sequence_mask_broadcast(), source(0), tf.zeros_like(source(0)))", "from": "data"},
  "src": {"class": "eval", "eval": "self.sources[0].output.placeholder + source(0)", "from": "data"},
  "obj": {"class": "eval", "from": ["f", "lens", "lam"], "eval": "source(0) + source(1) * source(2)", "loss": "as_is"}}
