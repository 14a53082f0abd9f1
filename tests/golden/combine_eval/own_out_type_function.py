# out_type as functions: a shape of their own, a copy of a source's, the lengths of another source; own feature sizes
extern_data = {"data": {"dim": 3}, "other": {"dim": 4, "available_for_inference": True}}


def summed(sources, **kwargs):
    from returnn.tf.util.data import Data

    return Data(name="summed", shape=())


def same(sources, network, name, **kwargs):
    return sources[0].output.copy_template(name=name)


def labels(sources, **kwargs):
    from returnn.tf.util.data import Data

    return Data(name="labels", sparse=True, dim=4, size_placeholder={0: sources[1].output.get_sequence_lengths()})


network = {
    "summed": {
        "class": "eval", "from": ["data", "data:other"], "out_type": summed,
        "eval": "tf.reduce_max(source(0, auto_convert=False), axis=[1, 2])"
        " + tf.reduce_max(source(1, auto_convert=False), axis=[1, 2])"},
    "same": {"class": "eval", "from": "data", "eval": "tf.tanh(source(0))", "out_type": same},
    "labels": {
        "class": "eval", "from": ["data", "data:other"], "out_type": labels,
        "eval": "(source(0, auto_convert=False), tf.argmax(source(1, auto_convert=False), axis=2,"
        " output_type=tf.int32))[1]"},
    "output": {"class": "linear", "from": "same", "n_out": 2, "activation": None},
}
case = {"time": {"data": 6, "other": 5}}
