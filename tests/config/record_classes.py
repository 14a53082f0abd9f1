"""Writes the names of RETURNN's classes: ``python tests/config/record_classes.py`` where RETURNN can be imported."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

DATA = Path(__file__).parent / "data" / "returnn_classes.json"


def record() -> dict[str, list[str]]:
    """By kind, the names that a config can use."""
    from returnn.datasets import basic as datasets
    from returnn.datasets.util import vocabulary
    from returnn.tf import updater
    from returnn.tf.layers import basic
    from returnn.tf.layers.rec import RecLayer

    basic.get_layer_class("linear")
    basic.get_loss_class("ce")
    RecLayer._create_rnn_cells_dict()
    updater._init_optimizer_classes_dict()
    datasets.get_dataset_class("HDFDataset")
    found = {
        "layer class": basic._LayerClassDict,
        "loss": basic._LossClassDict,
        "unit": RecLayer._rnn_cells_dict,
        "optimizer": updater._OptimizerClassesDict,
        "dataset class": datasets._dataset_classes,
        "vocabulary class": [
            name
            for name, value in vars(vocabulary).items()
            if inspect.isclass(value) and issubclass(value, vocabulary.Vocabulary)
        ],
    }
    return {kind: sorted(name for name in names if name[0].isalpha()) for kind, names in found.items()}


if __name__ == "__main__":
    DATA.write_text(json.dumps(record(), indent=1) + "\n", encoding="utf-8")
