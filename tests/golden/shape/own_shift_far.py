# axes shifted by more than they are long, with and without padding and adjusted lengths
extern_data = {"data": {"dim": 3}}


def _shift(source, amount, pad=True, adjust=True, axis="T"):
    return {"class": "shift_axis", "axis": axis, "amount": amount, "pad": pad, "adjust_size_info": adjust,
            "pad_value": 0.5, "from": source}


network = {
    "w": {"class": "linear", "n_out": 3, "activation": None, "from": "data"},
    "far": _shift("w", 9),
    "far_left": _shift("w", -9),
    "far_kept": _shift("w", 9, adjust=False),
    "far_left_kept": _shift("w", -9, adjust=False),
    "far_cut": _shift("w", 9, pad=False),
    "all": _shift("w", 7, adjust=False),
    "near": _shift("w", 3, adjust=False),
    "near_left": _shift("w", -3, adjust=False),
    "obj": {"class": "eval", "from": ["near", "near_left", "far_kept", "all"], "loss": "as_is",
            "eval": "source(0) * source(1) + source(2) + source(3)"},
}
