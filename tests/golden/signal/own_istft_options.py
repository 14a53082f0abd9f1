# inverse transform with much overlap, with a longer and a shorter FFT, odd sizes; gradients
extern_data = {"data": {"dim": 1}}
network = {"w": {"class": "linear", "n_out": 1, "with_bias": True, "from": "data"},
  "s": {"class": "stft", "frame_shift": 2, "frame_size": 8, "fft_size": 16, "from": "w"}, "i": {"class": "istft", "frame_shift": 2, "frame_size": 8, "fft_size": 16, "from": "s"}, 
  "s2": {"class": "stft", "frame_shift": 3, "frame_size": 7, "fft_size": 7, "from": "w"}, "i2": {"class": "istft", "frame_shift": 3, "frame_size": 7, "fft_size": 7, "from": "s2"},
  "s3": {"class": "stft", "frame_shift": 3, "frame_size": 8, "fft_size": 6, "from": "w"}, "i3": {"class": "istft", "frame_shift": 3, "frame_size": 8, "fft_size": 6, "from": "s3"},
  "obj": {"class": "eval", "from": "i", "eval": "tf.sin(source(0)) * source(0)", "loss": "as_is"}, "obj2": {"class": "eval", "from": "i2", "eval": "source(0) ** 2", "loss": "as_is"}}
case = {"lens": {"data": [32, 16, 23]}}
