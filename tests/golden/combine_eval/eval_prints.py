# code that prints, checks and writes summaries besides computing: py_print, tf.print, tf.Print, assertions, dependencies
extern_data = {"data": {"dim": 5}, "classes": {"dim": 4, "sparse": True}}


def noted(source, self, network=None, **kwargs):
    import tensorflow as tf
    from returnn.tf.util.basic import check_input_dim, py_print

    x = source(0)
    x = check_input_dim(x, axis=-1, dim=4)
    ops = [
        tf.print("x", x, tf.shape(x), summarize=4),
        tf.debugging.assert_less(tf.reduce_max(tf.abs(x)), 100.0),
        tf.compat.v1.Assert(tf.reduce_all(tf.math.is_finite(x)), [x]),
    ]
    tf.compat.v1.summary.scalar("mean", tf.reduce_mean(x))
    tf.compat.v1.summary.histogram("hist", x)
    with tf.control_dependencies(ops), tf.name_scope("noted"):
        x = tf.identity(x)
    with tf.device("/cpu:0"):
        x = x * 2.0
    return py_print(x, [tf.shape(x)], message="twice")


network = {
    "h": {"class": "linear", "from": "data", "n_out": 4, "activation": "tanh"},
    "a": {"class": "eval", "from": "h", "eval": "py_print(source(0), ['h', source(0)], summarize=3)"},
    "b": {"class": "eval", "from": "a", "eval": "tf.compat.v1.Print(source(0), [tf.shape(source(0))], message='x', summarize=3)"},
    "c": {"class": "eval", "from": "b", "eval": noted},
    "output": {"class": "softmax", "from": "c", "loss": "ce", "target": "classes"},
}
