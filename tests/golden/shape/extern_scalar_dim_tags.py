# data without axes: one number for the whole batch
extern_data = {"data": {"dim": 5}, "cond": {"dim_tags": (), "dtype": "float32", "available_for_inference": True}}
network = {"output": {"class": "combine", "kind": "add", "from": ["data", "data:cond"]}}
case = {"train": False, "search": False}
