"""``returnn-compile`` as a user calls it: what it prints, its exit codes and what it imports."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from compiler.cli import main
from returnn_ir import load
from returnn_ir.network.net import Net

HEADER = 'extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True}}\n'
GOOD = HEADER + 'network = {"output": {"class": "softmax", "from": "data", "loss": "ce", "target": "classes"}}\n'


def _write(folder: Path, text: str) -> str:
    path = folder / "net.py"
    path.write_text(text, encoding="utf-8")
    return str(path)


def _fails(folder: Path, text: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main([_write(folder, text), "--mode", "eval"]) == 2
    return capsys.readouterr().err


def test_check_names_outputs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([_write(tmp_path, GOOD)]) == 0
    out = capsys.readouterr().out
    assert "1 layers, 16 parameters" in out
    assert "float32[B, data.T, output.out]" in out


def test_unknown_class(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = HEADER + 'network = {\n  "h": {"class": "liner", "n_out": 2},\n  "output": {"class": "copy", "from": "h"}}\n'
    err = _fails(tmp_path, text, capsys)
    assert "layer 'h'" in err
    assert "net.py:3" in err
    assert "unknown layer class 'liner'" in err
    assert "did you mean 'linear'?" in err


def test_unknown_option_and_all_problems_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = HEADER + (
        'network = {\n  "h": {"class": "linear", "n_uot": 2, "from": "data"},\n'
        '  "output": {"class": "softmax", "from": "h", "with_bias": "yes"}}\n'
    )
    err = _fails(tmp_path, text, capsys)
    assert "2 problems" in err
    assert "unknown option 'n_uot'" in err
    assert "did you mean 'n_out'?" in err
    assert "option 'with_bias' has the wrong type" in err


def test_cycle(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = HEADER + (
        'network = {"a": {"class": "linear", "n_out": 2, "from": "b"}, "b": {"class": "copy", "from": "a"},\n'
        '  "output": {"class": "copy", "from": "b"}}\n'
    )
    err = _fails(tmp_path, text, capsys)
    assert "layers need each other in a circle" in err
    assert "<-" in err


def test_missing_source(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (
        HEADER + 'network = {"enc": {"class": "copy", "from": "data"}, "output": {"class": "copy", "from": "encc"}}\n'
    )
    err = _fails(tmp_path, text, capsys)
    assert "there is no layer 'encc'" in err
    assert "did you mean 'enc'?" in err


def test_wrong_n_out_for_target(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = HEADER + 'network = {"output": {"class": "softmax", "from": "data", "n_out": 5, "loss": "ce"}}\n'
    err = _fails(tmp_path, text, capsys)
    assert "expected: n_out 4" in err
    assert "received: 5" in err


SILENT_LOSS = (
    HEADER
    + """network = {"loop": {"class": "rec", "from": "data", "unit": {
               "s": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 2, "from": ["data:source", "prev:state"]},
               "state": {"class": "get_last_hidden_state", "from": ["s"]},
               "output": {"class": "linear", "activation": "tanh", "n_out": 2, "from": ["prev:state"]}}},
           "obj": {"class": "eval", "from": "loop", "eval": "source(0) ** 2", "loss": "as_is"},
           "output": {"class": "softmax", "from": "data", "loss": "ce", "target": "classes"}}
"""
)
INITIAL_99 = (
    HEADER
    + """network = {"output": {"class": "rec", "from": "data", "target": "classes", "unit": {
    "e": {"class": "linear", "activation": None, "n_out": 3, "from": "prev:output"},
    "p": {"class": "softmax", "from": ["data:source", "e"], "target": "classes"},
    "output": {"class": "choice", "from": "p", "beam_size": 2, "target": "classes", "initial_output": 99}}}}
"""
)


@pytest.mark.parametrize(
    ("text", "mode", "told"),
    [
        (SILENT_LOSS, "train", "layer 'loop/state' (net.py:4): the output size is not known\n  try: give 'n_out'\n"),
        (
            INITIAL_99,
            "search",
            "layer 'output/output' (net.py:5, key 'initial_output'): the label is out of range, "
            "which layer 'output/e' looks up\n  expected: 0 to 3\n  received: 99\n",
        ),
    ],
    ids=["a loss that cannot be built", "an initial label that does not exist"],
)
def test_nothing_passes_in_silence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, mode: str, told: str
) -> None:
    assert main([_write(tmp_path, text), "--mode", mode]) == 2
    assert capsys.readouterr().err.replace(f"{tmp_path}/", "") == f"returnn-compile: {told}"


def test_missing_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nowhere.py"]) == 2
    assert "no such file: nowhere.py" in capsys.readouterr().err


def test_check_writes_json_and_goes_on_after_a_failing_net(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    golden = Path(__file__).parents[1] / "golden" / "dense"
    bad = tmp_path / "bad.py"
    bad.write_text(HEADER + 'network = {"output": {"class": "nothing"}}\n', encoding="utf-8")
    report = tmp_path / "report.json"
    nets = [str(bad), str(golden / "softmax_ce.py")]
    assert main([*nets, "--target", "reference", "--check", "--json", str(report)]) == 2
    cases = json.loads(report.read_text(encoding="utf-8"))["cases"]
    assert [c["ok"] for c in cases] == [False, True]
    assert cases[1]["layers"]["output/output"] < 1e-5
    assert "1 of 2 agree" in capsys.readouterr().out


def test_check_goes_on_after_a_crash_and_a_broken_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    golden = Path(__file__).parents[1] / "golden" / "dense"
    for name in ("crash", "broken", "good"):
        (tmp_path / f"{name}.py").write_bytes((golden / "softmax_ce.py").read_bytes())
        (tmp_path / f"{name}.npz").write_bytes((golden / "softmax_ce.npz").read_bytes())
    (tmp_path / "broken.npz").write_bytes(b"PK no archive")

    def sometimes(path: Path, overrides: Sequence[str] = (), **options: Any) -> Net:
        if path.stem == "crash":
            raise RuntimeError("out of order")
        return load(path, overrides, **options)

    monkeypatch.setattr("compiler.check.case.load", sometimes)
    nets = [str(tmp_path / f"{name}.py") for name in ("crash", "broken", "good")]
    report = tmp_path / "report.json"
    assert main([*nets, "--check", "--json", str(report)]) == 1
    cases = json.loads(report.read_text(encoding="utf-8"))["cases"]
    assert [c["ok"] for c in cases] == [False, False, True]
    assert cases[0]["reason"].startswith("internal error: RuntimeError: out of order\n")
    assert "not a recorded case" in cases[1]["reason"]


def test_a_check_imports_neither_tensorflow_nor_onnx(tmp_path: Path) -> None:
    layers = [f'"l{i}": {{"class": "linear", "n_out": 8, "from": {f"l{i - 1}"!r}}}' for i in range(1, 50)]
    text = HEADER + (
        'network = {"l0": {"class": "linear", "n_out": 8, "from": "data"}, '
        + ", ".join(layers)
        + ', "output": {"class": "softmax", "from": "l49", "loss": "ce"}}\n'
    )
    code = (
        "import sys; from compiler.cli import main; code = main(sys.argv[1:]); "
        "heavy = {'tensorflow', 'onnx', 'onnxruntime', 'networkx', 'h5py'} & set(sys.modules); "
        "print(sorted(heavy)); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, _write(tmp_path, text)], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_draw(tmp_path: Path) -> None:
    golden = Path(__file__).parents[1] / "golden"
    picture = tmp_path / "net.svg"
    assert main([str(golden / "rec_subnet" / "hoist_output.py"), "--draw", str(picture), "--mode", "eval"]) == 0
    text = picture.read_text(encoding="utf-8")
    assert text.startswith("<svg")
    assert "<title>output/readout</title>" in text
    assert text.count("stroke-dasharray") == 1
    _check_picture(text)


def _check_picture(text: str) -> None:
    """Boxes in the picture, none over another; words in their boxes; lines from a lower edge to an upper one."""

    def numbers(element: ElementTree.Element, *names: str) -> list[float]:
        return [float(element.attrib[name]) for name in names]

    root = ElementTree.fromstring(text)
    width, height = numbers(root, "width", "height")
    find = "{http://www.w3.org/2000/svg}"
    boxes = [numbers(box, "x", "y", "width", "height") for box in root.iter(f"{find}rect")]
    assert len(boxes) > 4
    for i, (x, y, w, h) in enumerate(boxes):
        assert x > 0 < y
        assert x + w < width
        assert y + h < height
        assert all(abs(x - a) >= w or abs(y - b) >= h for a, b, _, _ in boxes[:i])
    words = [numbers(word, "x", "y") for word in root.iter(f"{find}text")]
    assert len(words) == 2 * len(boxes)
    for (x, y), (left, top, w, h) in zip(words, [box for box in boxes for _ in range(2)], strict=True):
        assert x == left + w / 2
        assert top + 12 < y < top + h
    starts = {(x + w / 2, y + h) for x, y, w, h in boxes}
    ends = {(x + w / 2, y) for x, y, w, _ in boxes}
    for line in root.iter(f"{find}line"):
        assert tuple(numbers(line, "x1", "y1")) in starts
        assert tuple(numbers(line, "x2", "y2")) in ends


TWO_TASKS = (
    HEADER
    + """
task = config.value("task", "train")
name, extra = config.value("name", "greedy"), config.int("extra", 0)
network = {"output": {"class": "softmax", "from": "data", "n_out": 4 + extra}}
if task == "search":
    network = {"output": {"class": "rec", "from": "data", "target": "classes", "unit": {
        name: {"class": "softmax", "from": "data:source", "target": "classes"},
        "output": {"class": "choice", "from": name, "beam_size": 2, "target": "classes", "initial_output": 0}}}}
"""
)


def test_mode_search_loads_the_config_for_a_search(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Many configs define another network for it; ``++key value`` wins."""
    path = _write(tmp_path, TWO_TASKS)
    outputs = {
        "": "float32[B, data.T, output.out]",
        "--mode search": "int32[data.T, B, output/output.beam] sparse classes.labels",
        "++name prob --mode search": "int32[data.T, B, output/output.beam] sparse classes.labels",
        "--mode search ++task forward ++extra 3": "float32[B, data.T, output.out]",
    }
    parameters = {"": 16, "--mode search": 16, "++name prob --mode search": 16}
    for words, output in outputs.items():
        assert main([path, *words.split()]) == 0
        out = capsys.readouterr().out
        assert out.endswith(f"{parameters.get(words, 28)} parameters; outputs: output {output}\n")


def test_an_override_without_value(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([_write(tmp_path, GOOD), "++task"]) == 2
    assert "the option ++task has no value" in capsys.readouterr().err


def test_a_check_expands_the_search(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What a pass refuses is told by the check already, without TensorFlow and onnx."""
    text = (
        HEADER
        + """
def search(source):
    return {"class": "rec", "from": source, "target": "classes", "unit": {
        "prob": {"class": "softmax", "from": "data:source", "target": "classes"},
        "output": {"class": "choice", "from": "prob", "beam_size": 2, "target": "classes", "initial_output": 0}}}
network = {"first": search("data"), "again": {"class": "linear", "n_out": 3, "from": "first"},
    "output": search("again")}
"""
    )
    path = _write(tmp_path, text)
    assert main([path]) == 0
    capsys.readouterr()
    assert main([path, "--mode", "search"]) == 2
    assert capsys.readouterr().err == (
        f"returnn-compile: layer 'output' ({path}:8): a search over the hypotheses of another search ('first') is not "
        "supported\n"
        "  expected: values that do not depend on a choice, on one that is decided, or on one with beam_size 1\n"
        "  received: hypotheses of 'first' in 'output'\n"
        '  try: {"class": "decide", "from": "first"}, and read that\n'
    )


@pytest.mark.parametrize("stage", ["named", "masked", "target"])
def test_one_stage_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str], stage: str) -> None:
    assert main([_write(tmp_path, GOOD), f"--print-ir={stage}"]) == 0
    printed = [line for line in capsys.readouterr().out.splitlines() if line.startswith("graph ")]
    assert printed == [f"graph {stage} forward {{"]


def test_layers_are_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inner = '{"class": "subnetwork", "from": "data", "subnetwork": {"output": {"class": "linear", "n_out": 2}}}'
    text = HEADER + f'network = {{\n  "s": {inner},\n  "output": {{"class": "copy", "from": "s"}}}}\n'
    assert main([_write(tmp_path, text), "--print-ir=layers"]) == 0
    assert capsys.readouterr().out == (
        f"s = subnetwork(data)  # {tmp_path}/net.py:3\n"
        f"  output = linear(data, n_out=2)  # {tmp_path}/net.py:3\n"
        f"output = copy(s)  # {tmp_path}/net.py:4\n"
    )


def test_what_was_fused_is_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = HEADER + 'network = {"output": {"class": "rec", "unit": "lstm", "n_out": 2, "from": "data"}}\n'
    text += 'fusion = {"lstm": "never"}\n'
    assert main([_write(tmp_path, text), "--explain"]) == 0
    assert "layer 'output': lstm expanded" in capsys.readouterr().out


def test_keys_of_a_training_are_one_note(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = GOOD + 'network["kept"] = {"class": "variable", "shape": (2,), "saveable": False}\n'
    path = _write(
        tmp_path, text + 'pretrain = "default"\nseq_drop = 0.1\noptimizer_epsiloon = 1e-8\nlog_verbosity = 5\n'
    )
    assert main([path]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "note: a training with this config is refused: kept.saveable (returnn-run says why)",
        f"warning: {path}:6, key 'optimizer_epsiloon': there is no such key, did you mean 'optimizer_epsilon'?",
    ]


def test_a_checkpoint_is_taken_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = _write(tmp_path, GOOD.replace('"loss": "ce"', '"custom_param_importer": "subset"'))
    assert main([path]) == 0
    capsys.readouterr()
    assert main([path, "--target", "onnx", "-o", str(tmp_path / "net.onnx"), "--checkpoint", "net.001"]) == 2
    assert capsys.readouterr().err == (
        f"returnn-compile: layer 'output' ({path}:2, key 'custom_param_importer'): the option 'custom_param_importer' "
        "is not available: a checkpoint's values are taken as they are\n"
        "  received: 'subset'\n"
        "  try: leave 'custom_param_importer' out\n"
    )


# ---------------------------------------------------------------- networks of epochs

CHANGING = (
    HEADER
    + """
num_epochs = 6
def get_network(epoch):
    size = 2 if epoch < 3 else 4
    return {
        "h": {"class": "linear", "activation": "tanh", "n_out": size, "from": "data", "dropout": 0.1 * epoch},
        "output": {"class": "softmax", "from": "h", "loss": "ce"},
    }
"""
)


def test_a_check_looks_at_the_networks_of_all_epochs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = _write(tmp_path, CHANGING)
    assert main([path]) == 0
    line = f"{path}: 2 layers, {{}} parameters; outputs: output float32[B, data.T, output.out]"
    assert capsys.readouterr().out.splitlines() == [
        line.format(36),
        "  also fine: 5 other networks of its training (--epoch all lists them)",
    ]
    assert main([path, "--epoch", "2"]) == 0
    assert capsys.readouterr().out.splitlines() == [line.format(20)]
    assert main([path, "--epoch", "all"]) == 0
    others = [f"  epoch {epoch}: 2 layers, {20 if epoch < 3 else 36} parameters" for epoch in range(1, 6)]
    assert capsys.readouterr().out.splitlines() == [line.format(36), *others]
    assert main([path, "--mode", "search"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_the_network_that_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = _write(tmp_path, CHANGING)
    for words, size in ((["--epoch", "1"], 2), ([], 4), (["--checkpoint", "net.002"], 2), (["--epoch", "9"], 4)):
        assert main([path, "--print-ir", *words]) == 0
        assert f"dim h.out static {size} feature" in capsys.readouterr().out
    assert main([path, "--print-ir=layers", "--epoch", "all"]) == 2
    assert "--epoch all is for a check alone, --print-ir is about one network" in capsys.readouterr().err


@pytest.mark.parametrize("word", ["0", "-1", "last"])
def test_an_epoch_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str], word: str) -> None:
    with pytest.raises(SystemExit):
        main([_write(tmp_path, GOOD), f"--epoch={word}"])
    assert f"an epoch is a number from 1 on, or 'all', not {word!r}" in capsys.readouterr().err


# ---------------------------------------------------------------- devices

LSTM = HEADER + 'network = {"output": {"class": "rec", "unit": "lstm", "n_out": 3, "from": "data"}}\n'


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--device", "gpu"], "layer 'output': lstm fused: cuDNN"),
        (["--device", "both"], "layer 'output': lstm fused: lstm, not cuDNN: the program is for CPUs, too"),
        ([], "layer 'output': lstm fused: lstm, not cuDNN: the program is for a CPU"),
    ],
)
def test_explain_tells_the_kernel(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: Sequence[str], line: str
) -> None:
    assert main([_write(tmp_path, LSTM), "--target", "tf", "--explain", *words]) == 0
    assert re.sub(r" \(.*?\)", "", capsys.readouterr().out).splitlines() == [line]


def test_a_saved_model_is_for_every_machine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Unless it is told otherwise; the config's device is where it trains."""
    net = _write(tmp_path, 'device = "gpu"\n' + LSTM)
    for words, device, said in ((["--device", "gpu"], "gpu", " for gpu only"), ([], "both", "")):
        path = tmp_path / device
        assert main([net, "--target", "tf", "-o", str(path), *words]) == 0
        assert capsys.readouterr().out == f"wrote {path}{said} (signatures forward) with untrained parameters\n"
        assert json.loads((path / "report.json").read_text())["device"] == device


def test_devices_of_other_targets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([_write(tmp_path, LSTM), "--target", "onnx", "--device", "gpu"]) == 2
    assert capsys.readouterr().err == ("returnn-compile: target 'onnx' knows no device 'gpu'\n  expected: cpu, cuda\n")
