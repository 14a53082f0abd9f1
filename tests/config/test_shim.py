"""Configs that import RETURNN or TensorFlow load without either."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from returnn_ir.config import Config, load_config
from returnn_ir.config.dim_tags import SINGLE_STEP_DIM, ImplicitDynSizeDim
from returnn_ir.config.numbers_dict import NumbersDict
from returnn_ir.config.returnn_helpers import HyperParam
from returnn_ir.errors import ConfigError, UserError
from returnn_ir.ir.dims import BATCH, Dim


def load(folder: Path, text: str) -> Config:
    path = folder / "net.py"
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return load_config(path)


def error_of(folder: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(folder, text)
    return str(caught.value)


@pytest.fixture
def fake_tensorflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package ``tensorflow`` that tells whether it was imported."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "tensorflow"]:
        monkeypatch.delitem(sys.modules, name)
    package = tmp_path / "site" / "tensorflow"
    (package / "compat").mkdir(parents=True)
    (package / "__init__.py").write_text(
        "__version__ = '2.99'\nfloat32 = 'the float32'\ndef abs(x):\n    return -x\nclass Module:\n    pass\n",
        encoding="utf-8",
    )
    (package / "compat" / "__init__.py").touch()
    (package / "compat" / "v1.py").write_text("def log(x):\n    return ('log', x)\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(package.parent))
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "tensorflow"]:
        del sys.modules[name]


def test_dims_are_ours(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        """
        from returnn.tf.util.data import Dim, FeatureDim, SpatialDim, DimensionTag, batch_dim, single_step_dim
        from returnn.tensor import Dim as NewDim, batch_dim as new_batch_dim
        from returnn.tensor.marked_dim import ImplicitDynSizeDim
        from TFUtil import DimensionTag as OldTag
        time = SpatialDim("time")
        feat = FeatureDim("feat", 3)
        old = DimensionTag(kind=DimensionTag.Types.Spatial, description="old")
        new = NewDim(5, name="new")
        none = NewDim(None, name="none")
        old_batch = OldTag(kind=Dim.Types.Batch, description="batch", dimension=None)
        feature = Dim(kind=Dim.Types.Feature, description="f", dimension=2)
        derived = [1 + time, time + 2, 2 * feat, time.ceildiv_right(2), time - 1 + 1, (time + feat) // 1]
        marked = {batch_dim, ImplicitDynSizeDim(time)}
        check = [isinstance(d, Dim) for d in (time, *derived)] + [Dim.Types.Time is Dim.Types.Spatial]
        """,
    )
    assert all(config.list("check"))
    time, feat = config["time"], config["feat"]
    assert isinstance(time, Dim)
    assert isinstance(feat, Dim)
    assert time.declared
    assert time.is_dynamic
    assert feat.feature
    assert (feat.name, feat.size) == ("feat", 3)
    assert config.typed_value("new").size == 5
    assert not config.typed_value("new").feature
    assert config.typed_value("none").is_dynamic
    assert config.typed_value("feature").feature
    assert config.typed_value("derived")[4] is time
    assert config.typed_value("derived")[2].size == 6
    assert config["batch_dim"] is config["new_batch_dim"] is config["old_batch"] is BATCH
    assert config["single_step_dim"] is SINGLE_STEP_DIM
    assert config["marked"] == {BATCH, ImplicitDynSizeDim(time)}


def test_bad_dims(tmp_path: Path) -> None:
    start = "from returnn.tensor import Dim\n"
    message = error_of(tmp_path, start + "d = Dim(5, nam='x')\n")
    assert "net.py:2" in message
    assert "did you mean 'name'" in message
    assert "number of entries" in error_of(tmp_path, start + "Dim('x')\n")
    assert "about a running network" in error_of(tmp_path, start + "Dim(5, name='x', batch=1)\n")
    assert "net.py:2" in error_of(tmp_path, start + "Dim(None, name='x').get_mask()\n")
    assert "net.py:2" in error_of(tmp_path, start + "Dim(3, name='x').declare_same_as(Dim(4, name='y'))\n")


def test_small_helpers_of_returnn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_PATH", "/a/b:/c")
    config = load(
        tmp_path,
        """
        import os
        from Pretrain import WrapEpochValue
        from returnn.config import get_global_config
        from Util import cleanup_env_var_path
        cleanup_env_var_path("SOME_PATH", "/a")
        n = 3
        same = get_global_config() is config
        value = WrapEpochValue(lambda epoch: epoch * n)
        path = os.environ["SOME_PATH"]
        """,
    )
    assert config["same"] is True
    assert config.typed_value("value").get_value(2) == 6
    assert config["path"] == "/c"


def test_functions_that_run_later_import_small_helpers(tmp_path: Path) -> None:
    """Wherever they are called, also in another thread, without anything in ``sys.modules``."""
    config = load(
        tmp_path,
        """
        def f():
            from returnn.util.basic import NumbersDict
            from Util import NumbersDict as old
            from .config import get_global_config
            return NumbersDict(3) + 1, old is NumbersDict, get_global_config() is config
        def g():
            from returnn.tf.layers.basic import LayerBase
        def h():
            from returnn.util.basic import NumbersDict, nothing
        """,
    )
    assert config.typed_value("f")() == (NumbersDict(4), True, True)
    for name in ("g", "h"):
        with pytest.raises(ConfigError, match="needs RETURNN itself"):
            config.typed_value(name)()
    assert not [name for name in sys.modules if name.partition(".")[0] in ("returnn", "Util")]


def test_names_of_returnn_can_be_imported_but_not_used(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        """
        import TFUtil
        from TFUtil import where_bc
        from returnn.tf.layers.basic import LayerBase
        def f():
            return where_bc(1, 2, 3)
        def g():
            import returnn.tf.util.basic
        def h():
            from TFUtil import nd_indices
        """,
    )
    assert not [name for name in sys.modules if name.partition(".")[0] in ("returnn", "TFUtil")]
    with pytest.raises(ConfigError, match=r"returnn\.tf\.util\.basic\.where_bc, which needs RETURNN itself"):
        config.typed_value("f")()
    for name in ("g", "h"):
        with pytest.raises(ConfigError, match="needs RETURNN itself"):
            config.typed_value(name)()
    message = error_of(tmp_path, "from TFUtil import where_bc\nx = where_bc(1, 2, 3)\n")
    assert "net.py:2: returnn.tf.util.basic.where_bc of RETURNN cannot be used while the config loads" in message
    assert "net.py:2" in error_of(tmp_path, "from HDFDataset import HDFDataset\nclass X(HDFDataset): pass\n")
    message = error_of(tmp_path, "from returnn.import_ import import_\nm = import_('github.com/x/y', 'a/b.py')\n")
    assert "net.py:2" in message
    assert "a/b.py" in message


def test_tensorflow_is_lazy(tmp_path: Path, fake_tensorflow: None) -> None:
    config = load(
        tmp_path,
        """
        import tensorflow as tf
        import tensorflow.compat.v1 as tf1
        from returnn.tf.compat import v1 as tf2
        DTYPE = tf.float32
        def f(x):
            return tf.abs(x), tf1.log(x), tf2.log(x), tf.float32, DTYPE
        def g(x):
            return tf.no_such_function(x)
        def h():
            return hasattr(tf, "abs"), hasattr(tf, "log")
        """,
    )
    assert "tensorflow" not in sys.modules
    assert "not imported yet" in repr(config["DTYPE"])
    assert config.typed_value("h")() == (True, False)
    assert config.typed_value("f")(3) == (-3, ("log", 3), ("log", 3), "the float32", "the float32")
    assert config["tf"] is sys.modules["tensorflow"]
    with pytest.raises(AttributeError, match="no_such_function"):
        config.typed_value("g")(1)


def test_tensorflow_is_imported_when_the_config_calls_it(tmp_path: Path, fake_tensorflow: None) -> None:
    config = load(
        tmp_path,
        """
        import tensorflow as tf
        version = tf.__version__
        x = tf.abs(2)
        class M(tf.Module):
            pass
        y = tf.abs(3)
        """,
    )
    assert (config["x"], config["y"], config["version"]) == (-2, -3, "2.99")
    assert config.typed_value("M").__mro__[1] is sys.modules["tensorflow"].Module


def test_missing_name_of_tensorflow(tmp_path: Path, fake_tensorflow: None) -> None:
    importing = "from tensorflow import to_float\ndef f(x):\n    return to_float(x)\n"
    config = load(tmp_path, importing)
    with pytest.raises(ConfigError, match=r"tensorflow\.to_float, which does not exist"):
        config.typed_value("f")(2)
    # TensorFlow is imported now, so that the real module answers at once.
    assert "net.py:1: the config raised ImportError" in error_of(tmp_path, importing)


def test_missing_name_of_tensorflow_while_loading(tmp_path: Path, fake_tensorflow: None) -> None:
    assert "net.py:2: the config uses tensorflow.to_float, which does not exist" in error_of(
        tmp_path, "import tensorflow as tf\nx = tf.to_float(2)\n"
    )


def test_modules_are_put_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = ModuleType("returnn")
    monkeypatch.setitem(sys.modules, "returnn", real)
    finders = list(sys.meta_path)
    load(tmp_path, "from returnn.tensor import Dim\n")
    error_of(tmp_path, "import returnn.tensor\n1 / 0\n")
    assert sys.modules["returnn"] is real
    assert "returnn.tensor" not in sys.modules
    assert sys.meta_path == finders
    assert "__returnn_config__" not in sys.modules


def test_loading_imports_nothing_heavy(tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    path.write_text("import tensorflow as tf\nfrom returnn.tensor import Dim\nnetwork = {}\n", encoding="utf-8")
    code = (
        "import sys; from returnn_ir.config import load_config; load_config(sys.argv[1]).origin('x');"
        "print([m for m in ('tensorflow', 'networkx', 'returnn', 'onnx') if m in sys.modules])"
    )
    output = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert output.stdout.strip() == "[]"


OWN_LAYER = """
    from returnn.tf.layers.basic import _ConcatInputLayer, register_layer_class
    class Named(_ConcatInputLayer):
        layer_class = "named"
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
    register_layer_class(Named)
    extern_data = {"data": {"dim": 3}}
    network = {"output": {"class": "CLASS", "from": "data"}}
"""


def test_own_layer_classes_are_named(tmp_path: Path) -> None:
    """Such a config loads; only a network that uses the class is refused."""
    from returnn_ir.network.net import load_net

    config = load(tmp_path, OWN_LAYER.replace("CLASS", "named"))
    assert config.own_layers == {"named"}
    with pytest.raises(UserError, match="the config's own layer class 'named' is TensorFlow code"):
        load_net(config)
    assert load_net(load(tmp_path, OWN_LAYER.replace("CLASS", "copy"))).layers


def test_own_layer_classes_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "more_layers.py").write_text(
        "from TFNetworkLayer import LayerBase\nclass Extra(LayerBase):\n    layer_class = 'extra'\n", encoding="utf-8"
    )
    text = f"""
        from TFNetworkLayer import auto_register_layer_classes
        auto_register_layer_classes({str(tmp_path / "more_layers.py")!r})
    """
    assert load(tmp_path, text).own_layers == {"extra"}


def test_modules_by_their_file(tmp_path: Path) -> None:
    package = tmp_path / "some_tools"
    package.mkdir()
    (package / "__init__.py").write_text("", encoding="utf-8")
    (package / "tool.py").write_text("from some_tools import __name__ as package\n", encoding="utf-8")
    text = f"""
        import Util
        tool = Util.generic_import_module({str(package / "tool.py")!r})
        name = tool.__name__
        digits = Util.generic_import_module("string").digits
    """
    before = list(sys.path)
    config = load(tmp_path, text)
    assert config["name"] == "some_tools.tool"
    assert config["digits"] == "0123456789"
    assert sys.path == before
    assert "no such file" in error_of(tmp_path, "import Util\nUtil.generic_import_module('/gone/x.py')")


def test_who_runs_a_config_is_known_without_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_terminal() -> str:
        raise OSError(6, "No such device or address")

    monkeypatch.setattr("returnn_ir.config.returnn_helpers._login", no_terminal)
    monkeypatch.setattr("returnn_ir.config.returnn_helpers._process_owner", lambda: "ada")
    config = load(
        tmp_path,
        """
        import os
        from returnn.util.basic import get_login_username
        model = f"/work/{os.getlogin()}/{get_login_username()}"
        """,
    )
    assert config["model"] == "/work/ada/ada"


def test_a_vocabulary_gives_its_labels_while_a_config_loads(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_text("{'</s>': 0, 'UNK': 1, 'lo@@': 2, 'w': 3}", encoding="utf-8")
    config = load(
        tmp_path,
        f"""
        from GeneratingDataset import Vocabulary
        vocab = Vocabulary.create_vocab(bpe_file="codes", vocab_file={str(tmp_path / "vocab.txt")!r}, seq_postfix=[0])
        labels, eos, size = vocab.labels, vocab.label_to_id("</s>"), vocab.num_labels
        words = Vocabulary(None, labels=labels)
        ids = words.get_seq("lo@@ w high")
        """,
    )
    assert config["labels"] == ["</s>", "UNK", "lo@@", "w"]
    assert (config["eos"], config["size"], config["ids"]) == (0, 4, [2, 3, 1])
    head = f"from returnn.datasets.util.vocabulary import Vocabulary\nlabels = {config['labels']!r}\n"
    message = error_of(tmp_path, head + "Vocabulary.create_vocab(**{'class': 'SentencePieces', 'model_file': 'x'})\n")
    assert "RETURNN has the vocabulary class 'SentencePieces', it is not built here" in message
    assert "net.py:3" in message
    assert "unexpected keyword argument 'bpe'" in error_of(
        tmp_path, head + "Vocabulary.create_vocab(bpe=1, labels=labels)"
    )
    assert "words are not cut into labels" in error_of(
        tmp_path, head + "Vocabulary(labels=labels, bpe_file='codes').get_seq('low')"
    )


def test_helpers_of_returnn_that_do_nothing_here(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        """
        import better_exchook
        from Util import cf, py2_utf8_str_to_unicode, PY3
        from returnn.tf.hyper_param_tuning import HyperParam
        from HyperParamTuning import HyperParam as Old
        better_exchook.install()
        path = py2_utf8_str_to_unicode(cf("/data/a.hdf"))
        rate = HyperParam("float", [0.1, 0.5], default=0.2)
        same = Old is HyperParam
        """,
    )
    assert config["path"] == "/data/a.hdf"
    rate = config["rate"]
    assert isinstance(rate, HyperParam) and rate.default == 0.2
    assert config["same"]
