# gradients through spectra: odd frame, FFT shorter than the frame, shift beyond the frame
extern_data = {"data": {"dim": 3}, "raw": {"dim": 1}}
network = {"mono": {"class": "linear", "n_out": 1, "with_bias": True, "from": "data"},
  "odd": {"class": "stft", "frame_shift": 2, "frame_size": 5, "fft_size": 8, "from": "mono"}, "cut": {"class": "stft", "frame_shift": 3, "frame_size": 8, "fft_size": 8, "from": "mono"},
  "far": {"class": "stft", "frame_shift": 7, "frame_size": 4, "from": "mono"}, "short": {"class": "stft", "frame_shift": 3, "frame_size": 8, "fft_size": 6, "from": "data:raw"},
  "abs": {"class": "activation", "activation": "abs", "from": "odd"}, "mel": {"class": "mel_filterbank", "sampling_rate": 100, "fft_size": 8, "nr_of_filters": 2, "n_out": 2, "from": "abs"},
  "abs2": {"class": "eval", "out_type": {"dtype": "float32"}, "eval": "tf.abs(source(0)) + 1.0", "from": "cut"},
  "obj": {"class": "eval", "from": "mel", "eval": "source(0) ** 2", "loss": "as_is"}, "obj2": {"class": "eval", "from": "abs2", "eval": "tf.math.log(source(0))", "loss": "as_is"}}
case = {"lens": {"data": [31, 17, 9], "raw": [13, 9, 11]}}
