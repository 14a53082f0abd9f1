# states kept from run to run: three runs, one-part states, both directions, no_init
extern_data = {"data": {"dim": 3}}
network = {
    "g": {"class": "rec", "unit": "gru", "n_out": 2, "initial_state": "keep_over_epoch", "from": "data"},
    "l": {"class": "rec", "unit": "nativelstm2", "direction": -1, "n_out": 2, "initial_state": {"h": "keep_over_epoch", "c": 0}, "from": "data"},
}
case = {"repeat": 3}
