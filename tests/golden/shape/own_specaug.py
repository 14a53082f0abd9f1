# SpecAugment through config function in eval mode and own functions
import tensorflow as tf
extern_data = {"data": {"dim": 6}}
def _mask(x, batch_axis, axis, pos, max_amount):
    ndim = x.get_shape().ndims
    n_batch = tf.shape(x)[batch_axis]
    dim = tf.shape(x)[axis]
    amount = tf.random.uniform(shape=(n_batch,), minval=1, maxval=max_amount + 1, dtype=tf.int32)
    pos2 = tf.minimum(pos + amount, dim)
    idxs = tf.expand_dims(tf.range(0, dim), 0)
    cond = tf.logical_and(tf.greater_equal(idxs, tf.expand_dims(pos, 1)), tf.less(idxs, tf.expand_dims(pos2, 1)))
    if batch_axis > axis:
        cond = tf.transpose(cond)
    cond = tf.reshape(cond, [tf.shape(x)[i] if i in (batch_axis, axis) else 1 for i in range(ndim)])
    from returnn.tf.util.basic import where_bc
    return where_bc(cond, 0.0, x)
def random_mask(x, batch_axis, axis, min_num, max_num, max_dims):
    n_batch = tf.shape(x)[batch_axis]
    num = tf.random.uniform(shape=(n_batch,), minval=min_num, maxval=max_num + 1, dtype=tf.int32)
    z = -tf.math.log(-tf.math.log(tf.random.uniform((n_batch, tf.shape(x)[axis]), 0, 1)))
    _, indices = tf.nn.top_k(z, tf.reduce_max(num))
    _, res = tf.while_loop(cond=lambda i, _: tf.less(i, tf.reduce_max(num)), body=lambda i, x: (i + 1, tf.where(tf.expand_dims(tf.expand_dims(tf.less(i, num), 1), 1), _mask(x, batch_axis, axis, indices[:, i], max_dims), x)), loop_vars=(0, x))
    return res
def transform(data, network, clip=False):
    x = data.placeholder
    from returnn.tf.compat import v1 as tfc
    if clip:
        x = tf.clip_by_value(x, -3.0, 3.0)
    def get_masked():
        x_masked = x
        x_masked = random_mask(x_masked, batch_axis=data.batch_dim_axis, axis=data.time_dim_axis, min_num=1, max_num=tf.maximum(tf.shape(x)[data.time_dim_axis] // 100, 2), max_dims=20)
        return x_masked
    x = network.cond_on_train(get_masked, lambda: x)
    return x
network = {
 "source": {"class": "eval", "eval": "self.network.get_config().typed_value('transform')(source(0, as_data=True), network=self.network, clip=True)", "from": "data"},
 "h": {"class": "linear", "activation": "relu", "n_out": 3, "from": "source"},
}
