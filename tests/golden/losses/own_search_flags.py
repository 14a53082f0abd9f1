# loss_only_on_non_search under the search flag: no loss
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True}}
network = {
    "a": {"class": "softmax", "from": "data", "loss": "ce", "loss_only_on_non_search": True, "target": "classes"},
    "b": {"class": "softmax", "from": "data", "loss": "ce", "target": "classes", "only_on_search": True},
}
case = {"search": True}
