# BLEU and edit distance of the same labels: nothing in common, shorter and longer than the target, repeated n-grams
extern_data = {"data": {"dim": 3, "sparse": True}, "classes": {"dim": 3, "sparse": True}, "other": {"dim": 3}}
network = {
    "best": {"class": "reduce", "mode": "argmax", "axis": "F", "from": "data:other", "loss": "bleu", "target": "classes"},
    "same": {"class": "copy", "from": "data", "loss": "bleu", "target": "data"},
    "wer": {"class": "copy", "from": "data", "loss": "edit_distance", "target": "classes"},
    "output": {"class": "copy", "from": "data", "loss": "bleu", "target": "classes", "loss_opts": {"scale": 0.5}},
}
case = {"batch": 5, "time": 13, "lens": {"data": [9, 1, 4, 12, 7], "other": [3, 2, 13, 5, 6], "classes": [8, 2, 4, 13, 7]}, "seed": 4}
