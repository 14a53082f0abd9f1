# eval strings of published configs
extern_data = {"data": {"dim": 4}, "d2": {"dim": 4}, "d3": {"dim": 4}, "ix": {"dim": 7, "sparse": True}}
case = {"time": {"data": 5, "d2": 5, "d3": 5, "ix": 5}}
two = ["data", "data:d2"]; three = ["data", "data:d2", "data:d3"]
def E(s, f="data", **kw): return dict({"class": "eval", "eval": s, "from": f}, **kw)
network = {
 "p": {"class": "activation", "activation": "softmax", "from": "data"}, "p2": {"class": "activation", "activation": "softmax", "from": "data:d2"},
 "e1": E("source(0) + source(1) * source(2) * 0.5", three),
 "e2": E("tf.clip_by_value(source(0), source(1), source(1) + 1)", two),
 "e3": E("tf.compat.v1.log_sigmoid(-source(0))"),
 "e4": E("safe_log(source(0))", "p"),
 "e5": E("where_bc(tf.equal(source(0), source(1)), 1., 0.)", ["data:ix", "data:ix"], out_type={"dtype": "float32", "sparse": False, "dim": None, "shape": (None,)}),
 "e6": E("tf.math.l2_normalize(source(0), axis=2)"),
 "e7": E("source(2) * safe_log(source(0)) + source(3) * safe_log(source(1)) - tf.math.reduce_logsumexp(source(2) * safe_log(source(0)) + source(3) * safe_log(source(1)), axis=-1, keepdims=True)", ["p", "p2", "data:d2", "data:d3"]),
 "e8": E("tf.where(tf.cast(source(0),dtype=tf.bool), source(1), source(2))", three),
 "e9": E("tf.zeros_like(source(0))"), "e10": E("source(0)-source(0)"),
 "e11": E("tf.divide(source(0), 3.0) + tf.pow(tf.abs(source(1)), 1.5)", two),
 "e12": E("tf.math.divide_no_nan(source(0), source(1) - source(1))", two),
 "e13": E("source(0) / tf.norm(source(0), axis=-1, keepdims=True)"),
 "e14": E("tf.stop_gradient(source(0)) * source(1) + tf.math.square(source(0)) - tf.math.sqrt(tf.abs(source(1)))", two),
 "e15": E("tf.nn.softmax(source(0), axis=-1) * tf.ones_like(source(0))"),
 "e16": E("tf.math.floormod(source(0), 3)", "data:ix"), "e17": E("tf.math.floordiv(source(0), 2)", "data:ix"), 
 "e18": E("tf.minimum(source(0), source(1) - 1)", ["data:ix", "data:ix"]),
 "e19": E("tf.cast(tf.abs(source(0) - source(1)), tf.float32)", ["data:ix", "e17"], out_type={"dtype": "float32", "sparse": False, "dim": None, "shape": (None,)}),
 "e20": E("tf.round(source(0) * 3) + tf.floor(source(0)) - tf.math.ceil(source(0)) + tf.sign(source(0))"),

 "e23": E("tf.reduce_sum(source(0) * source(1), axis=-1, keepdims=True) * source(0)", two),
 "e24": E("tf.squeeze(tf.expand_dims(source(0), axis=1), axis=1) if 1 > 0 else source(0)"),
 "e25": E("tf.nn.relu(source(0)) + tf.nn.elu(source(0)) + tf.nn.leaky_relu(source(0), 0.3) + tf.nn.softplus(source(0)) + tf.tanh(source(0)) + tf.sigmoid(source(0)) + tf.nn.swish(source(0)) + tf.math.erf(source(0))"),
 "e26": E("tf.logical_or(tf.greater(source(0), 0.), tf.logical_not(tf.less_equal(source(1), 0.5)))", two, out_type={"dtype": "bool"}),
 "e27": E("tf.where(source(0), 1.0, 2.0)", "e26", out_type={"dtype": "float32"}),
 "e28": E("-source(0) ** 2 % 3 // 1 + abs(source(0)) + max(1, 2) + (source(0) if True else 0)"),
 "e29": E("tf.add(tf.multiply(source(0), 2.), tf.subtract(source(1), 1.))", two),
 "e30": E("tf.exp(tf.math.log1p(tf.math.abs(source(0)))) + tf.sin(source(0)) + tf.cos(source(0)) + tf.atan(source(0))"),
 "e31": E("tf.cast(source(0), 'float32') * tf.constant([1., 2., 3., 4.]) + tf.reshape(tf.constant(2.), [1, 1, 1])"),
 "e33": E("sum(source(i) for i in range(3)) / 3", three),
 "e34": E("tf.cumsum(source(0), axis=-1) + tf.reverse(source(0), axis=[-1])"),
 "e35": E("source(0) * tf.cast(tf.shape(source(0))[-1], tf.float32)"),
 "e36": E("tf.math.rsqrt(tf.square(source(0)) + 1.)"),
 "e37": E("tf.clip_by_value(source(0), -0.5, 0.5) + tf.nn.relu6(source(0) * 5)"),


 "e40": E("tf.nn.log_softmax(source(0))"),
 "loss": E("source(0) ** 2 + tf.abs(source(1)) + source(2)", ["e1", "e7", "e25"], loss="as_is"),
}
