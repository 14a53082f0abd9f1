# more functions in eval strings: trigonometry, comprehensions, cross entropies of logits
extern_data = {"data": {"dim": 4}, "ix": {"dim": 4, "sparse": True}}
case = {"lens": {"data": [5, 1, 3], "ix": [5, 1, 3]}, "time": 5}
two = ["data", "x"]
def E(s, f="data", **kw): return dict({"class": "eval", "eval": s, "from": f}, **kw)
network = {
 "x": {"class": "linear", "activation": "tanh", "n_out": 4, "from": "data"},
 "t1": E("tf.tan(source(0)) + tf.atan(source(0))"), "t2": E("tf.asin(tf.clip_by_value(source(0), -0.9, 0.9)) + tf.acos(tf.clip_by_value(source(0), -0.9, 0.9))"),
 "t3": E("tf.sinh(source(0)) + tf.cosh(source(0)) + tf.asinh(source(0)) + tf.math.atanh(tf.clip_by_value(source(0), -0.9, 0.9))"),
 "t4": E("tf.math.erfc(source(0)) + tf.math.xlogy(tf.nn.relu(source(0)), tf.abs(source(1)))", two),
 "t5": E("tf.math.multiply_no_nan(source(0), tf.nn.relu(source(1)))", two),
 "t6": E("sum(source(i) * (i + 1) for i in range(2)) / 3", two), "t7": E("sum([source(i) for i in range(2) if i != 5])", two),
 "t8": E("tf.nn.softmax_cross_entropy_with_logits(labels=tf.nn.softmax(source(1)), logits=source(0))[..., None] + source(0)", two),
 "t10": E("tf.expand_dims(tf.math.reduce_euclidean_norm(source(0), axis=-1), 2) + source(0) * tf.nn.l2_loss(source(0)) * 0"),
 "loss": E("source(0) + source(1) + source(2)", ["t3", "t6", "t8"], loss="as_is"),
}
