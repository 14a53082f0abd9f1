# the layer ctc_loss from behavior_version 30 on: without an alignment neither loss nor error signal
behavior_version = 30
extern_data = {"data": {"dim": 5}, "classes": {"dim": 4, "sparse": True, "available_for_inference": True}}
network = {
    "scores": {"class": "linear", "activation": None, "n_out": 5, "from": "data"},
    "log_probs": {"class": "activation", "activation": "log_softmax", "from": "scores"},
    "all": {"class": "ctc_loss", "logits": "scores", "targets": "data:classes"},
    "normalized": {"class": "ctc_loss", "logits": "log_probs", "targets": "data:classes", "logits_normalized": True},
    "once": {"class": "ctc_loss", "logits": "scores", "targets": "data:classes", "label_loop": False},
    "best": {"class": "ctc_loss", "logits": "scores", "targets": "data:classes", "max_approx": True},
    "sum": {"class": "combine", "kind": "add", "from": ["all", "normalized", "once", "best"], "loss": "as_is"},
}
case = {"lens": {"data": [7, 2, 1], "classes": [3, 4, 1]}}
