"""Starting TensorFlow without its banner: the lines about devices and instruction sets that it writes to stderr."""

from __future__ import annotations

import os
import sys
import tempfile

__all__ = ["hide_gpus", "start_tensorflow"]

_LEVEL = "TF_CPP_MIN_LOG_LEVEL"


def start_tensorflow() -> None:
    """Import TensorFlow. Unless the user set ``TF_CPP_MIN_LOG_LEVEL``, what it writes meanwhile is not shown.

    The banner comes from native code before Python can configure anything, so stderr itself is turned away; if the
    import fails it is shown after all.
    """
    if _LEVEL in os.environ or "tensorflow" in sys.modules:
        import tensorflow  # noqa: F401

        return
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
