# complex values go through other layers
extern_data = {"data": {"dim": 1}}
network = {"s": {"class": "stft", "frame_shift": 4, "frame_size": 8, "from": "data"},
  "angle": {"class": "eval", "eval": "tf.math.angle(source(0))", "from": "s", "out_type": {"dtype": "float32"}},
  "real": {"class": "eval", "eval": "tf.math.real(source(0))", "from": "s", "out_type": {"dtype": "float32"}},
  "imag": {"class": "eval", "eval": "tf.math.imag(source(0))", "from": "s", "out_type": {"dtype": "float32"}},
  "mag": {"class": "eval", "eval": "tf.abs(source(0))", "from": "s", "out_type": {"dtype": "float32"}},
  "power": {"class": "eval", "eval": "tf.math.real(source(0) * tf.math.conj(source(0)))", "from": "s", "out_type": {"dtype": "float32"}},
  "mask": {"class": "activation", "activation": "sigmoid", "from": "real"},
  "masked": {"class": "eval", "eval": "tf.complex(source(1), tf.zeros_like(source(1))) * source(0)", "from": ["s", "mask"], "out_type": {"dtype": "complex64"}},
  "y": {"class": "istft", "frame_shift": 4, "frame_size": 8, "from": "masked"}, "copy": {"class": "copy", "from": "s"}, "slice": {"class": "slice", "axis": "F", "slice_start": 1, "from": "s"}}
case = {"lens": {"data": [32, 16, 24]}}
