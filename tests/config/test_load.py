"""The three syntaxes, overrides, typed access, and errors with file and line."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from returnn_ir.config import Config, load_config
from returnn_ir.config.network_schedule import NetworkSchedule
from returnn_ir.errors import ConfigError

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(text: str, name: str = "net.config") -> Path:
        path = tmp_path / name
        path.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
        return path

    return write_file


def error_of(path: Path, *overrides: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load_config(path, overrides)
    return str(caught.value)


def test_python_globals_are_the_options(write: Write) -> None:
    config = load_config(
        write("""
        #!rnn.py
        import os
        num = 3
        network = {"output": {"class": "softmax", "n_out": num, "from": "data"}}
        def transform(x):
            return x + num
        """)
    )
    assert config["num"] == 3
    assert "num" in config
    assert "config" not in config
    assert "__builtins__" not in list(config)
    assert config.network == {"output": {"class": "softmax", "n_out": 3, "from": "data"}}
    assert config.typed_value("transform")(1) == 4
    assert config.behavior_version == 0
    assert set(config.options) == {"os", "num", "network", "transform"}
    assert len(config) == 4


def test_suffix_and_assignments_mean_python_too(write: Write) -> None:
    assert load_config(write("x = 1", "a.py"))["x"] == 1
    assert load_config(write("x = 1\n", "a.config"))["x"] == 1


def test_a_docstring_may_begin_a_python_config(write: Write) -> None:
    """Without ``.py`` and ``#!``."""
    config = load_config(
        write('''
        """What this trains.

        key value
        """
        import os.path
        x = os.path.join("a", "b")
        ''')
    )
    assert config["x"] == "a/b"
    assert config.executed


def test_json_is_never_executed(write: Write) -> None:
    """Whatever the file is called; and a file called .json holds JSON."""
    for name in ("net.py", "net.config", "net", "net.json"):
        config = load_config(write('// a comment\n{"x": 1}', name))
        assert config["x"] == 1
        assert not config.executed
    path = write("import os\nx = os.getpid()\n", "net.json")
    assert error_of(path) == f"{path}:1: not valid JSON: Expecting value"
    path = write("#!rnn.py\nx = 1\n", "net.JSON")
    assert error_of(path) == f"{path}:1: not valid JSON: Expecting value"
    path = write("[1, 2]", "net.py")
    assert error_of(path) == f"{path}: a JSON config must hold an object\n  received: list"
    path = write('{"x": ' + "1" * 5000 + "}", "net.json")
    assert error_of(path).startswith(f"{path}: cannot read the JSON: Exceeds the limit")
    path = write("[" * 100_000, "net.json")
    assert error_of(path) == f"{path}: the JSON is nested too deeply"


def test_lines_do_not_include_code(write: Write) -> None:
    code = write("import os\nx = os.getpid()\n", "code.py")
    path = write(f"task train\ninclude {code}\n")
    assert error_of(path) == (
        f"{path}: a config of `key value` lines, which is data, includes Python code\n"
        f"  received: include {code}\n"
        "  try: make the including config Python, too: `#!rnn.py` as its first line, and `exec` or `import`"
    )


def test_json_with_comments(write: Write) -> None:
    config = load_config(
        write("""
        { // a comment
          "num_inputs": 5, "url": "http://x", /* two
          lines */ "num_outputs": {"classes": [7, 1]},
          "network": {"output": {"class": "softmax",
                                 "from": "data"}}
        }
        """)
    )
    assert config["url"] == "http://x"
    assert config.network is not None
    assert config.origin("output").line == 4
    assert config.origin("output", "from").line == 5
    assert config.extern_data_spec()["classes"].dim == 7


def test_broken_json_has_its_line(write: Write) -> None:
    message = error_of(write('{"a": 1,\n"b": }'))
    assert "net.config:2: not valid JSON" in message


def test_lines(write: Write) -> None:
    path = write("""
        # old style
        task train   # what to do
        batch_size 500
        learning_rate 0.01
        use_momentum true
        hidden_size 10,20,30
        """)
    config = load_config(path)
    assert config["task"] == "train"
    assert config.int("batch_size", 0) == 500
    assert config.float("learning_rate", None) == 0.01
    assert config.bool("use_momentum", False) is True
    assert config.int_list("hidden_size") == [10, 20, 30]
    assert config.int("hidden_size", 0, index=1) == 20
    assert config["hidden_size"] == "10,20,30"
    assert config.value("missing", None) is None
    assert not config.is_typed("task")
    assert config.typed_value("task") is None
    assert config.origin(None, "batch_size").line == 3
    with pytest.raises(ConfigError, match="learning_rate"):
        config.bool("learning_rate", None)
    with pytest.raises(KeyError):
        config["missing"]


def test_lines_include_and_errors(write: Write, tmp_path: Path) -> None:
    other = write("batch_size 7", "other.config")
    assert load_config(write(f"include {other}\ntask eval")).int("batch_size", 0) == 7
    assert "no such file" in error_of(write(f"include {tmp_path}/missing"))
    assert "includes itself" in error_of(write(f"include {tmp_path}/net.config"))
    message = error_of(write("task\nx 1"))
    assert "net.config:1" in message
    assert "key value" in message
    assert "suffix .py" in error_of(write("x = 1\ny = = 2\n"))


def test_typed_access_checks_types(write: Write) -> None:
    config = load_config(write('#!rnn.py\n\na = "x"\nb = [1, 2]\nc = 1.5\nd = None\ne = 1\nf = "inf"\n'))
    assert config.float("f", 0.0) == float("inf")
    assert config.bool("e", False) is True
    assert config.int("d", 4) == 4
    assert config.list("a") == ["x"]
    assert config.float_list("b") == [1.0, 2.0]
    assert config.value("b", "") == "1,2"
    assert config.int("missing", None) is None
    assert config.is_true("c")
    with pytest.raises(ConfigError) as caught:
        config.int("c", 0)
    assert "net.config:5" in str(caught.value)
    assert "1.5 (float)" in str(caught.value)
    with pytest.raises(ConfigError):
        config.int("a", 0)
    with pytest.raises(ConfigError, match="wrong type"):
        config.int("b", 0, index=5)


def test_overrides_are_seen_while_loading_and_win(write: Write) -> None:
    path = write("""
        #!rnn.py
        batch_size = 500
        model = "m"
        flags = {"a": 1}
        def get():
            return batch_size
        seen = config.int("extra", 0)
        """)
    config = load_config(path, ["++batch_size", "20", "++extra", "+-3", "++model", "5", "--num_epochs", "9"])
    assert config["batch_size"] == 20
    assert config.typed_value("get")() == 20
    assert config["seen"] == -3
    assert config["model"] == "5"
    assert config.int("num_epochs", 0) == 9
    assert load_config(path, ["--task=eval", "-x", "train"])["task"] == "train"
    assert load_config(path, ["++flags", "{'a': 2}"])["flags"] == {"a": 2}
    assert config.origin(None, "batch_size").file == "command line"
    with pytest.warns(UserWarning, match="no Python literal"):
        assert load_config(path, ["++flags", "/a/b"])["flags"] == "/a/b"


def test_bad_overrides(write: Write) -> None:
    path = write("#!rnn.py\nflag = True\n")
    assert "write False" in error_of(path, "++flag", "false")
    assert "has no value" in error_of(path, "++flag")
    assert "did you mean '--batch_size'" in error_of(path, "--batch_sise", "3")
    assert "++frobnicate_all VALUE" in error_of(path, "--frobnicate_all", "3")
    assert "unknown option 'x'" in error_of(path, "x")


def test_errors_name_the_line_of_the_config(write: Write, tmp_path: Path) -> None:
    assert "no such file" in error_of(tmp_path / "absent.config")
    assert "cannot read" in error_of(tmp_path)
    message = error_of(write("#!rnn.py\nx = (1,\ny = 2]\n"))
    assert "syntax error" in message
    assert "net.config:3" in message
    message = error_of(write("#!rnn.py\n\ndef f():\n    return 1 / 0\nf()\n"))
    assert "net.config:4: the config raised ZeroDivisionError: division by zero" in message
    message = error_of(write("#!rnn.py\nimport os\nassert os.path.exists('/no/align.hdf'), 'no alignment'\n"))
    assert "net.config:3: the config raised AssertionError: no alignment" in message
    message = error_of(write("#!rnn.py\nimport no_such_helper_module\n"))
    assert "net.config:2" in message
    assert "install the module 'no_such_helper_module'" in message
    assert "SystemExit" in error_of(write("#!rnn.py\nimport sys\nsys.exit(3)\n"))


def test_network_from_a_file_beside_the_config(write: Write) -> None:
    file = write('{\n"output": {"class": "softmax"}}', "net.json")
    config = load_config(write('#!rnn.py\nnetwork = "net.json"\n'))
    assert config.network == {"output": {"class": "softmax"}}
    origin = config.origin("output")
    assert (origin.file, origin.line) == (str(file), 2)
    assert load_config(write('network {"output": {"class": "softmax", "n_out": 3}}')).network
    missing = load_config(write("network absent.json"))
    with pytest.raises(ConfigError, match=r"no such network file: absent\.json"):
        _ = missing.network


def test_network_per_epoch(write: Write) -> None:
    config = load_config(
        write("""
        #!rnn.py
        def get_network(epoch, **kwargs):
            from returnn.tf.util.data import FeatureDim
            if epoch > 9:
                return None
            if epoch > 8:
                raise ValueError("no")
            return {"output": {"class": "linear", "out_dim": FeatureDim("out", epoch)}}
        """)
    )
    assert config.network is None
    schedule = NetworkSchedule.from_config(config)
    assert schedule.stage(3).network["output"]["out_dim"].size == 3
    with pytest.raises(ConfigError, match="must return a network dict"):
        schedule.stage(10)
    with pytest.raises(ConfigError, match="ValueError: no") as caught:
        schedule.stage(9)
    assert "net.config:7" in str(caught.value)
    with pytest.raises(ConfigError, match="no network"):
        NetworkSchedule.from_config(load_config(write("#!rnn.py\nx = 1\n"))).stage(1)


def test_config_inside_a_package(tmp_path: Path) -> None:
    folder = tmp_path / "my_setup_package"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "common.py").write_text("n_out = 5\n", encoding="utf-8")
    (folder / "exp.py").write_text("from .common import n_out\n", encoding="utf-8")
    before = list(sys.path)
    assert load_config(folder / "exp.py")["n_out"] == 5
    assert sys.path == before


def test_dataclass_in_a_config(write: Write) -> None:
    config = load_config(
        write("""
        #!rnn.py
        from __future__ import annotations
        from dataclasses import dataclass
        from typing import ClassVar
        @dataclass
        class Sizes:
            kinds: ClassVar[int] = 3
            n_out: int = 4
        size = Sizes().n_out
        """)
    )
    assert isinstance(config, Config)
    assert config["size"] == 4


def test_typed_options_by_type(write: Write) -> None:
    """What shared recipes ask a config for."""
    config = load_config(write("#!rnn.py\nflag = True\nsizes = {'a': 1}\n"), ["++on", "yes", "++name", "x"])
    assert config.typed_dict["sizes"] == {"a": 1} and "on" not in config.typed_dict
    assert config.is_of_type("sizes", dict) and not config.is_of_type("sizes", (int, str))
    assert not config.is_of_type("on", str), "a text has no type"
    assert config.get_of_type("sizes", dict) == {"a": 1} and config.get_of_type("sizes", int, 3) == 3
    given = [config.bool_or_other(key, "none") for key in ("flag", "sizes", "on", "name", "absent")]
    assert given == [True, {"a": 1}, True, "x", "none"]
