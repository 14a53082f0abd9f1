# several channels and resolutions: padded last frame, windows of ones, frames longer than sequences
extern_data = {"data": {"dim": 2}}
network = {"a": {"class": "multichannel_multiresolution_stft_layer", "frame_shift": 3, "frame_sizes": [6, 10, 4], "fft_sizes": [6, 16, 4], "nr_of_channels": 2, "pad_last_frame": True, "from": "data"},
  "b": {"class": "multichannel_multiresolution_stft_layer", "frame_shift": 3, "frame_sizes": [6, 10, 4], "fft_sizes": [8, 10, 4], "nr_of_channels": 2, "from": "data"},
  "c": {"class": "multichannel_stft_layer", "frame_shift": 3, "frame_size": 3, "fft_size": 4, "nr_of_channels": 2, "window": "None", "pad_last_frame": True, "from": "data"},
  "d": {"class": "multichannel_stft_layer", "frame_shift": 5, "frame_size": 7, "fft_size": 7, "nr_of_channels": 2, "window": "ones", "from": "data"},
  "e": {"class": "multichannel_stft_layer", "frame_shift": 8, "frame_size": 5, "fft_size": 5, "nr_of_channels": 2, "from": "data"}}
case = {"lens": {"data": [25, 14, 8]}}
