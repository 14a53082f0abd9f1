# dct without options
extern_data = {"data": {"dim": 5}}
network = {"output": {"class": "dct", "from": "data"}}
