"""Starting TensorFlow: what it is told, and what is left to the user. Each case is a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import os, sys
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
from compiler.tensorflow.start import start_tensorflow
{before}
start_tensorflow()
import gc
import tensorflow as tf
print(tf.config.optimizer.get_experimental_options()["disable_meta_optimizer"], gc.get_freeze_count() > 10000)
"""


@pytest.mark.parametrize(
    ("before", "printed"),
    [
        pytest.param("", "True True", id="without a GPU"),
        pytest.param(
            "import tensorflow as tf\ntf.config.optimizer.set_experimental_options({'constant_folding': True})",
            "False False",
            id="the user has options, and imported TensorFlow",
        ),
        pytest.param(
            "import tensorflow as tf\ntf.config.get_visible_devices = lambda kind: ['gpu0']",
            "False False",
            id="a GPU",
        ),
    ],
)
def test_options_of_graphs(before: str, printed: str) -> None:
    command = [sys.executable, "-c", SCRIPT.format(before=before)]
    run = subprocess.run(command, check=False, capture_output=True, text=True)
    assert run.stdout.strip() == printed, run.stderr
