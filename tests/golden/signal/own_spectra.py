# mel filters with their defaults and with a band, all cosine transforms
extern_data = {"data": {"dim": 9}, "wide": {"dim": 513}}
network = {"pos": {"class": "activation", "activation": "abs", "from": "data"}, "power": {"class": "eval", "eval": "source(0) ** 2", "from": "data:wide"},
  "mel": {"class": "mel_filterbank", "n_out": 80, "from": "power"}, "band": {"class": "mel_filterbank", "sampling_rate": 8000, "fft_size": 16, "nr_of_filters": 3, "n_out": 3, "f_min": 100, "f_max": 3000, "from": "pos"},
  "c1": {"class": "dct", "type": 1, "from": "data"}, "c2": {"class": "dct", "norm": "ortho", "from": "data"}, "c3": {"class": "dct", "type": 3, "from": "data"},
  "o3": {"class": "dct", "type": 3, "norm": "ortho", "from": "data"}, "tm": {"class": "rec", "unit": "nativelstm2", "n_out": 4, "from": "data"}, "c4": {"class": "dct", "type": 4, "from": "tm"}, "o4": {"class": "dct", "type": 4, "norm": "ortho", "from": "data"}, "obj": {"class": "eval", "from": "c4", "eval": "source(0) ** 2", "loss": "as_is"}}
case = {"lens": {"data": [5, 1, 3], "wide": [2, 1, 3]}}
