"""Starting TensorFlow: without its banner, and without the optimizer that our graphs do not need."""

from __future__ import annotations

import gc
import os
import sys
import tempfile

__all__ = ["hide_gpus", "start_tensorflow"]

_LEVEL = "TF_CPP_MIN_LOG_LEVEL"


def start_tensorflow() -> None:
    """Import TensorFlow. Unless the user set ``TF_CPP_MIN_LOG_LEVEL``, what it writes meanwhile is not shown.

    The banner is the lines about devices and instruction sets. It comes from native code before Python can configure
    anything, so stderr itself is turned away; if the import fails it is shown after all.
    """
    if "tensorflow" not in sys.modules:
        if _LEVEL in os.environ:
            import tensorflow  # noqa: F401
        else:
            _import_quietly()
        # The modules stay, and are most of what Python's garbage collector would go through while a graph is traced.
        gc.freeze()
    _switch_grappler_off()


def _import_quietly() -> None:
    os.environ[_LEVEL] = "3"
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as banner:
        os.dup2(banner.fileno(), 2)
        try:
            import tensorflow as tf

            tf.config.list_physical_devices()
        except BaseException:
            banner.seek(0)
            os.write(kept, banner.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def hide_gpus() -> None:
    """Leave the GPUs alone; only before TensorFlow has computed anything."""
    import tensorflow as tf

    if tf.config.get_visible_devices("GPU"):
        tf.config.set_visible_devices([], "GPU")
    _switch_grappler_off()


def _switch_grappler_off() -> None:
    """Without a GPU, run graphs as they were built; not where the user has options for that optimizer.

    Grappler takes half of the first call and makes steps of real batches at most 2 % faster (docs/performance.md): our
    passes have found what it looks for. On a GPU it also chooses layouts and places, so it stays on there. The option
    is the process's, TensorFlow has no smaller scope.
    """
    import tensorflow as tf

    given = tf.config.optimizer.get_experimental_options()
    asked = any(given.values()) or given.keys() - {"disable_meta_optimizer", "disable_model_pruning"}
    if not asked and not tf.config.get_visible_devices("GPU"):
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
