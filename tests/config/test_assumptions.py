"""What a config's own code finds instead of what is on its author's machine."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from returnn_ir import load
from returnn_ir.config import Assumptions, Config, load_config
from returnn_ir.errors import ConfigError

FILES = Assumptions(files=True)
HEADER = 'extern_data = {"data": {"dim": 3}}\n'


def _config(folder: Path, text: str, assume: Assumptions = FILES) -> Config:
    path = folder / "net.py"
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return load_config(path, assume=assume)


def _error(folder: Path, text: str, assume: Assumptions = FILES) -> str:
    with pytest.raises(ConfigError) as caught:
        _config(folder, text, assume)
    return str(caught.value).replace(str(folder), "")


def _assumed(config: Config) -> list[str]:
    return [str(one) for one in config.assumed]


# ---------------------------------------------------------------- files


def test_paths_count_as_there_and_are_listed(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    config = _config(
        tmp_path,
        f"""
        import os, os.path as p
        from os.path import exists, isdir
        from pathlib import Path
        found = [os.path.exists("/no/a"), p.isfile("/no/b"), isdir("/no/c"), Path("/no/d").exists(), exists("/no/a")]
        other = [isdir("/no/b"), os.path.isfile("/no/c"), Path("/no/c").is_file()]
        real = [os.path.isfile({str(tmp_path / "here")!r}), isdir({str(tmp_path / "here")!r})]
        """,
    )
    assert config["found"] == [True] * 5
    assert config["other"] == [False] * 3, "what was a file once is one ever after"
    assert config["real"] == [False, True], "what is there is asked"
    assert _assumed(config) == [
        "/no/a: a file or folder that exists",
        "/no/b: a file that exists",
        "/no/c: a folder that exists",
        "/no/d: a file or folder that exists",
    ]


def test_without_the_option_nothing_is_assumed(tmp_path: Path) -> None:
    config = _config(tmp_path, "import os\nfound = os.path.exists('/no/a')\n", Assumptions())
    assert config["found"] is False and config.assumed == []


def test_nobody_else_sees_it(tmp_path: Path) -> None:
    config = _config(tmp_path, "import os, shutil\nfrom os.path import exists\ndef f():\n    return exists('/no/a')\n")
    views = [config.namespace["os"], os]
    assert [view.path.exists("/no/a") for view in views] == [True, False]  # type: ignore[attr-defined]
    assert config.call(config.typed_value("f")) is True
    assert config.namespace["shutil"] is sys.modules["shutil"]
    assert open is __builtins__["open"] and np.loadtxt is sys.modules["numpy"].loadtxt  # type: ignore[index]


def test_libraries_still_find_that_something_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "site-packages" / "library"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(
        "import os\ntry:\n    import an_optional_one\nexcept ImportError:\n    an_optional_one = None\n"
        "there = os.path.exists('/no/a')\n",
        encoding="utf-8",
    )
    given = tmp_path / "given.py"
    given.touch()
    monkeypatch.setattr("returnn_ir.config.helper_modules._INSTALLED", (tmp_path / "site-packages",))
    monkeypatch.syspath_prepend(str(package.parent))
    assume = Assumptions(files=True, modules={"an_optional_one": given})
    config = _config(tmp_path, "import library\nfound = library.an_optional_one, library.there\n", assume)
    assert config["found"] == (None, False)
    del sys.modules["library"]


@pytest.mark.parametrize(
    ("code", "path"),
    [
        ("open('/no/x').read()", "/no/x"),
        ("import json; json.load(open('/no/x.json'))", "/no/x.json"),
        ("import pickle, gzip; pickle.load(gzip.open('/no/x.pkl', 'rb'))", "/no/x.pkl"),
        ("import os; os.listdir('/no/x')", "/no/x"),
        ("import numpy as np; np.load('/no/x.npy')", "/no/x.npy"),
        ("from pathlib import Path; Path('/no/x').read_text()", "/no/x"),
    ],
)
def test_what_is_in_them_is_not_assumed(code: str, path: str, tmp_path: Path) -> None:
    assert _error(tmp_path, code) == (
        f"/net.py:1: the config reads '{path}', which is not here, and what is in it cannot be assumed\n"
        "  try: --assume-files takes files for given, but not what is in them: --map-path OLD=NEW says where a copy is"
    )


def test_what_is_written_beside_absent_files_is_lost(tmp_path: Path) -> None:
    text = f"""
    import os
    os.makedirs("/no/folder/deep", exist_ok=True)
    with open("/no/folder/log", "w") as log:
        print("hello", file=log)
    with open({str(tmp_path / "log")!r}, "w") as log:
        print("hello", file=log)
    """
    config = _config(tmp_path, text)
    assert (tmp_path / "log").read_text(encoding="utf-8") == "hello\n"
    assert not Path("/no").exists()
    assert _assumed(config) == [
        "/no/folder/deep: a folder that exists",
        "/no/folder/log: a file that can be written; nothing is",
    ]


def test_the_cache_of_a_cluster(tmp_path: Path) -> None:
    config = _config(
        tmp_path,
        """
        import subprocess
        from subprocess import check_output
        from returnn.util.basic import cf
        found = [check_output(["cf", "/no/a"]).strip().decode("utf8"), subprocess.getoutput("cf /no/b"), cf("/no/c")]
        text = subprocess.run(["/usr/bin/cf", "/no/d"], text=True).stdout
        real = check_output(["echo", "hello"])
        """,
    )
    assert (config["found"], config["text"]) == (["/no/a", "/no/b", "/no/c"], "/no/d\n")
    assert config["real"] == b"hello\n"
    assert _assumed(config) == [f"/no/{name}: a file that exists" for name in "abd"]


def test_a_command_that_is_not_here_is_an_error(tmp_path: Path) -> None:
    message = _error(tmp_path, "import subprocess\nsubprocess.check_output(['command-of-the-author', 'x'])\n")
    assert message.startswith("/net.py:2: the config raised FileNotFoundError: ")
    assert "'command-of-the-author'" in message


ARRAY = (
    HEADER
    + """
import numpy
mean = numpy.loadtxt("/no/mean", dtype="float32")
network = {
    "mean": {"class": "constant", "value": mean, "dtype": "float32"},
    "output": {"class": "eval", "from": ["data", "mean"], "eval": "source(0) - source(1)"}}
"""
)


def test_a_vector_is_as_long_as_what_it_is_combined_with(tmp_path: Path) -> None:
    from compiler.program.named import build_named

    path = tmp_path / "net.py"
    path.write_text(ARRAY, encoding="utf-8")
    net = load(path, assume=FILES)
    (output,) = build_named(net, "forward").graph.outputs.values()
    assert [str(dim) for dim in output.axes] == ["B(batch)", "data.T(dynamic)", "data.F(3)"]
    assert net.config is not None
    assert _assumed(net.config) == ["/no/mean: a vector of ones, as long as what it is combined with"]
    config = _config(tmp_path, "import numpy as np\ny = np.arange(6).reshape(2, 3) * np.loadtxt('/no/mean')\n")
    assert np.shape(config.typed_value("y")) == (2, 3) and len(config.typed_value("y")) == 2


def test_its_length_is_not_known(tmp_path: Path) -> None:
    for asked in ("len(mean)", "mean.shape[0]", "mean.size", "mean[2]", "mean[None, :]"):
        assert _error(tmp_path, f"import numpy as np\nmean = np.loadtxt('/no/mean')\nn = {asked}\n") == (
            "/net.py:3: the config wants to know how much is in '/no/mean', which is not here\n"
            "  try: --assume-files takes files for given, but not what is in them: --map-path OLD=NEW says where a "
            "copy is"
        )
    assert _config(tmp_path, "import numpy\nt = f'{numpy.loadtxt(\"/no/mean\")}'\n")["t"] == "<what is in /no/mean>"


def test_arguments_may_be_named(tmp_path: Path) -> None:
    code = """
        import glob, os, subprocess
        os.makedirs(name="/no/folder", exist_ok=True)
        there = os.path.isfile(path="/no/file")
        found = glob.glob(pathname="/no/*.hdf", recursive=True), list(glob.iglob(pathname="/no/*.txt"))
        copied = subprocess.check_output(args=["cf", "/no/copied"], text=True)
        """
    config = _config(tmp_path, code)
    assert (config["there"], config["found"], config["copied"]) == (True, ([], []), "/no/copied\n")
    assert _assumed(config) == [
        "/no/folder: a folder that exists",
        "/no/file: a file that exists",
        "/no/*.hdf: a pattern that no file fits",
        "/no/*.txt: a pattern that no file fits",
        "/no/copied: a file that exists",
    ]
    for function in ("load", "fromfile"):
        assert "the config reads '/no/array'" in _error(tmp_path, f"import numpy\nnumpy.{function}(file='/no/array')\n")


VOCABULARY = "from returnn.datasets.generating import Vocabulary\n"


def test_vocabularies_have_as_many_labels_as_the_dim(tmp_path: Path) -> None:
    declared = 'extern_data = {"classes": {"dim": 7, "sparse": True, "vocab": {"vocab_file": "/no/vocab"}}}\n'
    code = "v = Vocabulary('/no/vocab')\nn = v.num_labels, v.id_to_label(6)\n"
    config = _config(tmp_path, VOCABULARY + declared + code)
    assert config["n"] == (7, "label6")
    assert _assumed(config) == ["/no/vocab: a vocabulary of 7 labels"]
    assert _config(tmp_path, VOCABULARY + "n = Vocabulary('/no/vocab', num_labels=5).num_labels\n")["n"] == 5
    assert _error(tmp_path, VOCABULARY + "Vocabulary('/no/vocab')\n") == (
        "/net.py:2: the config wants the labels of '/no/vocab', which is not here, and nothing says how many there are"
        "\n"
        "  expected: 'num_labels' beside 'vocab_file', or extern_data with this file as 'vocab' and a 'dim'\n"
        "  try: --assume-files takes files for given, but not what is in them: --map-path OLD=NEW says where a copy is"
    )


# ---------------------------------------------------------------- places


def test_paths_are_where_they_are_now(tmp_path: Path) -> None:
    (tmp_path / "new" / "deep").mkdir(parents=True)
    (tmp_path / "new" / "a.txt").write_text("1 2 3", encoding="utf-8")
    assume = Assumptions(paths={"/old/data": str(tmp_path / "new"), "/old/data/deep": "/deeper", "rel": str(tmp_path)})
    config = _config(
        tmp_path,
        """
        import os, numpy as np
        from pathlib import Path
        with open("/old/data/a.txt") as file:
            text = file.read()
        array = np.loadtxt("/old/data/a.txt")
        found = os.path.exists("/old/data/a.txt"), Path("/old/data/a.txt").is_file(), os.path.exists("/old/data2")
        names = os.listdir("rel/new")
        train = {"class": "HDFDataset", "files": ["/old/data/a.hdf", "/old/data/deep/b.hdf", "rel"], "n": (1, "/old/x")}
        model = "/old/data"
        def get_network(epoch):
            return {"#config": {"dev": {"files": [train["files"][0], "/old/data/c.hdf"]}}}
        """,
        assume,
    )
    new = str(tmp_path / "new")
    assert config["text"] == "1 2 3" and list(config.typed_value("array")) == [1, 2, 3]
    assert config["found"] == (True, True, False) and sorted(config.typed_value("names")) == ["a.txt", "deep"]
    assert config["train"] == {
        "class": "HDFDataset",
        "files": [f"{new}/a.hdf", "/deeper/b.hdf", "rel"],
        "n": (1, "/old/x"),
    }
    assert config["model"] == new
    network = config.call(config.typed_value("get_network"), epoch=1)
    assert network == {"#config": {"dev": {"files": [f"{new}/a.hdf", f"{new}/c.hdf"]}}}


def test_a_place_below_the_old_one() -> None:
    assume = Assumptions(paths={"/work": "/work/copy/", "/work/b": "/b"})
    assert assume.path("/work/a") == "/work/copy/a"
    assert assume.path("/work/copy/a") == "/work/copy/a", "it is where it is"
    assert assume.path("/work/b/a") == "/b/a"
    assert [assume.path(name) for name in ("/works/a", "work/a", "/work")] == ["/works/a", "work/a", "/work/copy"]


@pytest.mark.parametrize(
    ("old", "new", "moved"),
    [("/a/b", "/a", ["/a/x", "/a"]), ("/a/b", "/", ["/x", "/"]), ("/a/b/", "/a/", ["/a/x", "/a"])],
)
def test_a_place_above_the_old_one(old: str, new: str, moved: list[str]) -> None:
    assume = Assumptions(paths={old: new})
    assert [assume.path(name) for name in ("/a/b/x", "/a/b")] == moved


def test_a_value_that_contains_itself_is_not_moved(tmp_path: Path) -> None:
    assert _error(tmp_path, "x = []\nx.append(x)\n", Assumptions(paths={"/a": "/b"})) == (
        "/net.py:1, key 'x': the value is nested too deeply, or contains itself\n  try: leave --map-path away"
    )


def test_json_configs_are_moved_too(tmp_path: Path) -> None:
    path = tmp_path / "net.json"
    path.write_text('{"train": {"files": ["/old/a.hdf"]}, "n": 1}', encoding="utf-8")
    assert load_config(path, assume=Assumptions(paths={"/old": "/new"}))["train"] == {"files": ["/new/a.hdf"]}
    lines = tmp_path / "net.config"
    lines.write_text("train /old/a.hdf\n", encoding="utf-8")
    assert load_config(lines, assume=Assumptions(paths={"/old": "/new"}))["train"] == "/new/a.hdf"


# ---------------------------------------------------------------- modules


def test_given_modules(tmp_path: Path) -> None:
    helper = tmp_path / "elsewhere" / "my_helper.py"
    helper.parent.mkdir()
    helper.write_text(
        "import os\nthere = os.path.exists('/no/a')\ndef double(x):\n    return 2 * x\n", encoding="utf-8"
    )
    assume = Assumptions(files=True, modules={"helper": helper, "tools.deep.helper": helper})
    config = _config(
        tmp_path,
        """
        import helper
        from tools.deep.helper import double
        from returnn.util.basic import generic_import_module
        same = generic_import_module("/u/author/helper.py") is helper
        value = helper.double(3), double(4), helper.there
        def later():
            import helper as again
            return again is helper
        """,
        assume,
    )
    assert config["value"] == (6, 8, True) and config["same"] is True
    assert config.call(config.typed_value("later")) is True
    assert config.typed_value("later")() is True, "a run calls it without the loader"
    assert not {"helper", "tools", "tools.deep", "tools.deep.helper"} & set(sys.modules)
    assert _assumed(config) == [
        f"module helper: {helper}",
        "/no/a: a file or folder that exists",
        f"module tools.deep.helper: {helper}",
    ]


def test_each_config_has_its_own_modules(tmp_path: Path) -> None:
    found = []
    for number in (1, 2):
        helper = tmp_path / f"{number}.py"
        helper.write_text(f"value = {number}\n", encoding="utf-8")
        found.append(_config(tmp_path, "import helper\nv = helper.value\n", Assumptions(modules={"helper": helper})))
    assert [config["v"] for config in found] == [1, 2]


def test_helpers_beside_the_config_see_what_it_sees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_helper.py").write_text("import os\nthere = os.path.exists('/no/a')\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert _config(tmp_path, "import own_helper\nthere = own_helper.there\n")["there"] is True
    assert "own_helper" not in sys.modules


def test_folders_of_modules_are_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "authors_module.py").write_text("value = 5\n", encoding="utf-8")
    text = "import sys\nsys.path.append('/u/author/lib')\nimport authors_module\nv = authors_module.value\n"
    assert _config(tmp_path, text, Assumptions(paths={"/u/author": str(tmp_path)}))["v"] == 5
    by_file = (
        "from returnn.util.basic import generic_import_module as g\nv = g('/u/author/lib/authors_module.py').value\n"
    )
    assert _config(tmp_path, by_file, Assumptions(paths={"/u/author": str(tmp_path)}))["v"] == 5
    assert _error(tmp_path, by_file) == (
        "/net.py:2: the config imports '/u/author/lib/authors_module.py', and there is no such file\n"
        "  try: --module authors_module=FILE gives another one"
    )


@pytest.mark.parametrize(
    ("files", "paths", "modules", "message"),
    [
        (False, ["a"], [], "command line: cannot read --map-path\n  expected: --map-path OLD=NEW\n  received: a"),
        (False, [], ["a="], "command line: cannot read --module\n  expected: --module NAME=FILE\n  received: a="),
        (False, ["a=b", "a=c"], [], "command line: --map-path names 'a' twice\n  received: a=c"),
        (False, [], ["a=/no/a.py"], "command line: no such file for the module 'a': /no/a.py"),
        (
            False,
            [],
            [f"a/b={__file__}"],
            "command line: --module takes the name under which the config imports it\n  received: a/b",
        ),
    ],
)
def test_what_is_no_assumption(files: bool, paths: list[str], modules: list[str], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Assumptions.of_words(files, paths, modules)
    assert str(caught.value) == message


def test_threads_of_a_config_import_too(tmp_path: Path) -> None:
    """Whoever waits for a thread lets it import."""
    (tmp_path / "given.py").write_text("v = 5\n", encoding="utf-8")
    text = """
    from concurrent.futures import ThreadPoolExecutor
    def f():
        from helper import v
        return v
    result = ThreadPoolExecutor(1).submit(f).result(timeout=20)
    """
    before = set(sys.modules)
    config = _config(tmp_path, text, Assumptions(modules={"helper": tmp_path / "given.py"}))
    assert config["result"] == 5
    assert "helper" not in set(sys.modules) - before


# ---------------------------------------------------------------- returnn.import_

IMPORTS = """
from returnn.import_ import import_
gt = import_("github.com/some-one/a.repo", "common/asr/gt-v2.py", {version!r})
from returnn_import.github_com.some_one.a_repo.{name}.common.asr.gt_v2 import value
from returnn_import.github_com.some_one.a_repo.{name}.common import asr
found = gt.value, value, gt.option, asr.__name__, gt.__name__
"""


def _checkout(folder: Path, value: int) -> Path:
    module = folder / "common" / "asr" / "gt-v2.py"
    module.parent.mkdir(parents=True)
    (folder / "common" / "__init__.py").touch()
    (module.parent / "__init__.py").touch()
    module.write_text(
        f"from .other import value\nfrom returnn.config import get_global_config\n"
        f"option = get_global_config().value('option', None)\nassert value == {value}\n",
        encoding="utf-8",
    )
    (module.parent / "other.py").write_text(f"value = {value}\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("version", "name"),
    [
        (None, "dev"),
        ("20210324-75f7809", "v20210324_75f7809"),
        ("20210324-75f7809", "v20210324123103_75f78096518b"),
    ],
)
def test_import_from_a_checkout(version: str | None, name: str, tmp_path: Path) -> None:
    checkout = _checkout(tmp_path / "checkout", 5)
    assume = Assumptions(paths={"github.com/some-one/a.repo": str(checkout)})
    config = _config(tmp_path, "option = 'x'\n" + IMPORTS.format(version=version, name=name), assume)
    ours = "dev" if version is None else "v20210324_75f7809"
    package = "returnn_import.github_com.some_one.a_repo"
    assert config["found"] == (5, 5, "x", f"{package}.{name}.common.asr", f"{package}.{ours}.common.asr.gt_v2")
    at = "" if version is None else f" at {version}"
    assert _assumed(config) == [f"returnn.import_ of github.com/some-one/a.repo{at}: {checkout}"]
    assert not [module for module in sys.modules if module.startswith("returnn_import")]


def test_import_from_where_returnn_keeps_checkouts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETURNN_PKG_PATH", str(tmp_path))
    _checkout(tmp_path / "github.com" / "some-one" / "a.repo", 1)
    _checkout(tmp_path / "github.com" / "some-one" / "a.repo@v20210324123103-75f78096518b", 2)
    for version, name, value in ((None, "dev", 1), ("20210324-75f7809", "v20210324123103_75f78096518b", 2)):
        config = _config(tmp_path, IMPORTS.format(version=version, name=name), Assumptions())
        assert config.typed_value("found")[:2] == (value, value)


def test_what_cannot_be_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETURNN_PKG_PATH", str(tmp_path / "pkg"))
    start = "from returnn.import_ import import_\n"
    call = start + "import_('github.com/x/y', 'a/b.py', {})\n"
    assert _error(tmp_path, call.format("'20210324-75f7809'")) == (
        "/net.py:2: the config imports 'a/b.py' of github.com/x/y@v20210324-75f7809 with returnn.import_, "
        "and there is no checkout of it here\n  expected: one in /pkg\n"
        "  try: --map-path github.com/x/y=FOLDER names a checkout; nothing is fetched"
    )
    assume = Assumptions(paths={"github.com/x/y": str(tmp_path)})
    assert _error(tmp_path, call.format("None"), assume).startswith(
        "/net.py:2: there is no 'a/b.py' in the checkout of github.com/x/y\n"
    )
    assert _error(tmp_path, call.format("'latest'"), assume) == (
        "/net.py:2: a version for returnn.import_ is a date and a commit\n"
        "  expected: '20211231-0123abcd0123'\n  received: 'latest'"
    )
    assert _error(tmp_path, "from returnn_import.github_com.x import y\n").startswith(
        "/net.py:1: returnn_import is imported without a call of returnn.import_ before\n"
        "  expected: import_('REPOSITORY', 'PATH', 'VERSION')"
    )


def test_a_config_is_loaded_without_tensorflow(tmp_path: Path) -> None:
    """With all assumptions, as without."""
    (tmp_path / "net.py").write_text(ARRAY, encoding="utf-8")
    code = (
        "import sys\nfrom returnn_ir import load\nfrom returnn_ir.config import Assumptions\n"
        f"load({str(tmp_path / 'net.py')!r}, assume=Assumptions(files=True, paths={{'/a': '/b'}}))\n"
        "assert not {'tensorflow', 'onnx', 'returnn'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
