# code asks the network: layers and data around the loop, lengths, the step of the loop, the size of its own output
from returnn.tensor import Dim, batch_dim

time = Dim(None, name="time")
feat = Dim(5, name="feat")
classes_dim = Dim(4, name="classes")
behavior_version = 30
extern_data = {
    "data": {"dim_tags": [batch_dim, time, feat]},
    "classes": {"dim_tags": [batch_dim, time], "sparse_dim": classes_dim, "available_for_inference": False},
}


def around(source, self, **kwargs):
    import tensorflow as tf

    net = self.network
    base = net.parent_net
    assert base.parent_net is None and net.is_inside_rec_layer() and not base.is_inside_rec_layer()
    enc = base.get_layer("enc").output
    lens = tf.cast(enc.get_sequence_lengths(), tf.float32)
    step = tf.cast(net.get_rec_step_index(), tf.float32)
    h = net.get_layer("h").output.placeholder
    data = base.extern_data.data["data"]
    assert "data" in base.extern_data.data and data.dim == 5
    mean = tf.reduce_sum(data.placeholder, axis=[1, 2]) / (lens * 5.0)
    return source(0) * (step + 1.0) / tf.reshape(lens, [-1, 1]) + h * self.output.dim + tf.expand_dims(mean, 1)


def beside(source, self, **kwargs):
    import tensorflow as tf

    net = self.network
    labels = net.get_layer("data:classes").output
    mask = tf.cast(net.layers["enc"].output.get_sequence_mask(), tf.float32)[:, :, None]
    size = tf.cast(net.get_data_batch_dim(), tf.float32)
    return source(0) + 0.1 * mask * tf.one_hot(labels.placeholder, labels.dim) / size


network = {
    "enc": {"class": "linear", "from": "data", "n_out": 4, "activation": "tanh"},
    "dec": {"class": "rec", "from": "enc", "unit": {
        "h": {"class": "linear", "from": ["data:source", "prev:e"], "n_out": 4, "activation": "tanh"},
        "e": {"class": "eval", "from": "h", "eval": around},
        "s": {"class": "subnetwork", "from": "e", "subnetwork": {"output": {
            "class": "eval", "from": "data",
            "eval": "source(0) * tf.cast(self.network.parent_net.get_rec_step_index() % 2, tf.float32)"}}},
        "output": {"class": "combine", "kind": "add", "from": ["e", "s", "prev:output"]}}},
    "seen": {"class": "eval", "from": "enc", "eval": beside},
    "output": {"class": "softmax", "from": ["dec", "seen"], "out_dim": classes_dim, "loss": "ce", "target": "classes"},
}
