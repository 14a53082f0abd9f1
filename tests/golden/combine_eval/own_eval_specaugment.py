# SpecAugment as configs write it: masks in training only; in eval the function is the identity
extern_data = {"data": {"dim": 5}}
def _mask(x, batch_axis, axis, pos, max_amount):
    import tensorflow as tf
    from returnn.tf.util.basic import where_bc
    ndim = x.get_shape().ndims
    n_batch = tf.shape(x)[batch_axis]
    dim = tf.shape(x)[axis]
    amount = tf.random.uniform(shape=(n_batch,), minval=1, maxval=max_amount + 1, dtype=tf.int32)
    pos2 = tf.minimum(pos + amount, dim)
    idxs = tf.expand_dims(tf.range(0, dim), 0)
    pos_bc = tf.expand_dims(pos, 1)
    pos2_bc = tf.expand_dims(pos2, 1)
    cond = tf.logical_and(tf.greater_equal(idxs, pos_bc), tf.less(idxs, pos2_bc))
    if batch_axis > axis:
        cond = tf.transpose(cond)
    cond = tf.reshape(cond, [tf.shape(x)[i] if i in (batch_axis, axis) else 1 for i in range(ndim)])
    return where_bc(cond, 0.0, x)
def transform(data, network, max_time_dim=3):
    x = data.placeholder
    import tensorflow as tf
    step = network.global_train_step
    step1 = tf.where(tf.greater_equal(step, 1000), 1, 0)
    def get_masked():
        x_masked = x
        x_masked = _mask(x_masked, data.batch_dim_axis, data.time_dim_axis, tf.random.uniform((tf.shape(x)[data.batch_dim_axis],), maxval=tf.shape(x)[data.time_dim_axis], dtype=tf.int32), max_time_dim + step1)
        return x_masked
    x = network.cond_on_train(get_masked, lambda: x)
    return x
network = {"source": {"class": "eval", "eval": "self.network.get_config().typed_value('transform')(source(0, as_data=True), network=self.network)", "from": "data"},
  "l": {"class": "linear", "activation": "tanh", "n_out": 2, "from": "source"},
  "gs": {"class": "global_train_step"},
  "obj": {"class": "eval", "from": "l", "eval": "source(0) ** 2", "loss": "as_is"}}
