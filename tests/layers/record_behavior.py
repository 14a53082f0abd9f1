"""Record what RETURNN's behaviour versions change: ``python -m tests.layers.record_behavior``, with RETURNN installed.

Writes ``data/behavior.json``: by version, for the version before it and for itself: the axes of the output and the
shapes of the parameters, or null where RETURNN refuses the network.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.layers.behavior_versions import CHANGES, INPUTS


def outcome(version: int, network: str) -> dict[str, Any] | None:
    """What RETURNN makes of a network in a behaviour version."""
    import tensorflow as tf
    from returnn.config import Config
    from returnn.tf.network import ExternData, TFNetwork
    from returnn.util.basic import BehaviorVersion

    BehaviorVersion._reset()
    found: dict[str, Any] = {}
    exec(INPUTS + "network = {" + network + "}", found)
    config = Config({"extern_data": found["extern_data"], "behavior_version": version})
    BehaviorVersion.set(version)
    with tf.Graph().as_default():
        extern = ExternData()
        extern.init_from_config(config, auto_create_placeholders=True)
        net = TFNetwork(config=config, extern_data=extern, train_flag=False)
        try:
            net.construct_from_dict(found["network"])
        except Exception:  # whatever it is: RETURNN does not take this
            return None
        output = net.get_layer("output").output
        axes = ["batch" if d.is_batch_dim() else d.dimension for d in output.dim_tags]
        params = {p.name.removesuffix(":0"): list(map(int, p.shape)) for p in net.get_params_list()}
    return {"axes": axes, "params": params}


def main() -> None:
    """Record everything."""
    recorded = {
        str(version): [outcome(v, change.network) for v in (version - 1, version)]
        for version, change in CHANGES.items()
        if change.network is not None
    }
    path = Path(__file__).parent / "data" / "behavior.json"
    path.write_text(json.dumps(recorded, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
