"""What RETURNN's modules offer to a config while it loads, and their old names."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from returnn_ir.config import dataset_base
from returnn_ir.config.dim_tags import DIM_NAMES
from returnn_ir.config.numbers_dict import NumbersDict
from returnn_ir.config.returnn_helpers import HyperParam, from_utf8, login_name, no_exception_hook
from returnn_ir.config.vocabulary import ConfigVocabulary

if TYPE_CHECKING:
    from returnn_ir.config.author_files import AuthorFiles
    from returnn_ir.config.helper_modules import HelperModules
    from returnn_ir.config.options import Config

__all__ = ["OLD_MODULES", "LayerClassStub", "WrapEpochValue", "shim_names"]

#: Top-level module names from before RETURNN was a package, to today's path below ``returnn``.
OLD_MODULES: dict[str, str] = {
    "better_exchook": "util.better_exchook",
    "BundleFile": "datasets.bundle_file",
    "CachedDataset": "datasets.cached",
    "CachedDataset2": "datasets.cached2",
    "Config": "config",
    "Dataset": "datasets.basic",
    "Debug": "util.debug",
    "DebugHelpers": "util.debug_helpers",
    "EngineBase": "engine.base",
    "EngineBatch": "engine.batch",
    "Fsa": "util.fsa",
    "GeneratingDataset": "datasets.generating",
    "HDFDataset": "datasets.hdf",
    "HyperParamTuning": "tf.hyper_param_tuning",
    "LearningRateControl": "learning_rate_control",
    "LmDataset": "datasets.lm",
    "Log": "log",
    "MetaDataset": "datasets.meta",
    "NativeOp": "native_op",
    "NormalizationData": "datasets.normalization_data",
    "NumpyDumpDataset": "datasets.numpy_dump",
    "Pretrain": "pretrain",
    "RawWavDataset": "datasets.raw_wav",
    "rnn": "__main__",
    "SprintCache": "sprint.cache",
    "SprintControl": "sprint.control",
    "SprintDataset": "datasets.sprint",
    "SprintErrorSignals": "sprint.error_signals",
    "SprintExternInterface": "sprint.extern_interface",
    "SprintInterface": "sprint.interface",
    "StereoDataset": "datasets.stereo",
    "TaskSystem": "util.task_system",
    "TFCompat": "tf.compat",
    "TFDataPipeline": "tf.data_pipeline",
    "TFDistributed": "tf.distributed",
    "TFEngine": "tf.engine",
    "TFHorovod": "tf.horovod",
    "TFKenLM": "tf.util.ken_lm",
    "TFNativeOp": "tf.native_op",
    "TFNetwork": "tf.network",
    "TFNetworkLayer": "tf.layers.basic",
    "TFNetworkRecLayer": "tf.layers.rec",
    "TFNetworkSegModLayer": "tf.layers.segmental_model",
    "TFNetworkSigProcLayer": "tf.layers.signal_processing",
    "TFSprint": "tf.sprint",
    "TFUpdater": "tf.updater",
    "TFUtil": "tf.util.basic",
    "Util": "util.basic",
}


class WrapEpochValue:
    """A value of the network dict that depends on the pretraining epoch."""

    def __init__(self, func: Callable[..., object]) -> None:
        self.func = func

    def get_value(self, epoch: int) -> object:
        """The value in ``epoch`` (counted from 1)."""
        return self.func(epoch=epoch)


def _cleanup_env_var_path(env_var: str, path_prefix: str) -> None:
    """Drops the entries below ``path_prefix`` from a search path such as ``LD_LIBRARY_PATH``."""
    if env_var in os.environ:
        prefix = path_prefix.rstrip("/")
        entries = os.environ[env_var].split(os.pathsep)
        kept = [entry for entry in entries if entry != prefix and not entry.startswith(prefix + "/")]
        os.environ[env_var] = os.pathsep.join(kept)


class LayerClassStub:
    """What a config's own layer class is derived from; it can be named, but not compiled."""

    layer_class: str | None = None


def _layer_classes(own: set[str], modules: HelperModules) -> dict[str, object]:
    """RETURNN's functions that make a config's layer classes known; here their names are noted."""

    def register(layer_class: type) -> None:
        name = getattr(layer_class, "layer_class", None)
        if isinstance(name, str):
            own.add(name)

    def register_all(values: object) -> None:
        if isinstance(values, str):
            values = vars(modules.by_file(values)).values()
        for value in values if isinstance(values, Iterable) else ():
            if isinstance(value, type) and issubclass(value, LayerClassStub):
                register(value)

    return {"register_layer_class": register, "auto_register_layer_classes": register_all}


_DATASETS: dict[str, object] = {name: getattr(dataset_base, name) for name in dataset_base.__all__}

_NAMES: dict[str, dict[str, object]] = {
    "returnn.datasets": {"Dataset": dataset_base.Dataset},
    "returnn.datasets.basic": {name: _DATASETS[name] for name in ("Dataset", "DatasetSeq")},
    "returnn.datasets.cached2": {name: _DATASETS[name] for name in ("CachedDataset2", "Dataset", "DatasetSeq")},
    "returnn.tensor": DIM_NAMES,
    "returnn.tensor.dim": DIM_NAMES,
    "returnn.tensor.tensor": DIM_NAMES,
    "returnn.tensor.tensor_dict": DIM_NAMES,
    "returnn.tensor.marked_dim": DIM_NAMES,
    "returnn.tf.util.data": DIM_NAMES,
    "returnn.tf.util.basic": DIM_NAMES,
    "returnn.pretrain": {"WrapEpochValue": WrapEpochValue},
    "returnn.datasets.generating": _DATASETS,
    "returnn.tf.hyper_param_tuning": {"HyperParam": HyperParam},
    "returnn.util.basic": {
        "PY3": True,
        "cleanup_env_var_path": _cleanup_env_var_path,
        "get_login_username": login_name,
        "py2_utf8_str_to_unicode": from_utf8,
        "NumbersDict": NumbersDict,
    },
    "returnn.util.better_exchook": {
        "install": no_exception_hook,
        "replace_traceback_format_tb": no_exception_hook,
        "setup_all": no_exception_hook,
    },
    "returnn.util": {"NumbersDict": NumbersDict},
}


def shim_names(path: str, config: Config, files: AuthorFiles, modules: HelperModules) -> dict[str, object]:
    """The names that the module at ``path`` (today's spelling) really has while a config loads.

    Args:
        files: what the config finds at the paths that it names.
        modules: those that it imports.
    """
    if path in ("returnn.tf.layers.basic", "returnn.tf.layers.base"):
        return {"LayerBase": LayerClassStub, **_layer_classes(config.own_layers, modules)}
    if path == "returnn.config":
        return {"get_global_config": lambda *args, **options: config}
    names = dict(_NAMES.get(path, {}))
    if path in ("returnn.datasets.generating", "returnn.datasets.util.vocabulary"):
        vocabulary = type("Vocabulary", (ConfigVocabulary,), {"read": staticmethod(files.labels)})
        names |= {"Vocabulary": vocabulary, "BytePairEncoding": vocabulary}
    if path == "returnn.import_":
        names["import_"] = modules.import_
    if path == "returnn.util.basic":
        names |= {"cf": files.here, "generic_import_module": modules.by_file}
    return names
