# weighted_sum with padding but without size; keep_dims
extern_data = {"data": {"dim": 3, "shape": (None, 4, 3)}}
network = {
  "same": {"class": "weighted_sum", "axes": "dim:4", "padding": "same", "keep_dims": True, "from": "data"},
  "valid": {"class": "weighted_sum", "axes": "dim:4", "padding": "valid", "from": "data"},
  "kept": {"class": "weighted_sum", "axes": "dim:4", "keep_dims": True, "from": "data"},
  "whole": {"class": "weighted_sum", "axes": "dim:4", "size": (4,), "padding": "valid", "keep_dims": False, "from": "data"}}
