"""The examples run as their users run them, in small."""

from __future__ import annotations

import re
import runpy
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from compiler.cli import main as compile_main
from returnn_ir.config import load_config
from runtime.cli import main as run_main
from runtime.datasets import BatchLoader, BatchOptions, init_dataset, plan_epoch
from runtime.deployment.search_driver import SearchDriver
from runtime.deployment.session import OnnxSession

EXAMPLES = Path(__file__).parents[2] / "examples"


def write_digits(folder: Path, **num_lines: int) -> None:
    """The examples' data with fewer lines."""
    folder.mkdir(parents=True)
    script = runpy.run_path(str(EXAMPLES / "digits_data.py"))
    scans = load_digits()
    for split in script["SPLITS"]:
        small = replace(split, num_lines=num_lines[split.name])
        script["write_split"](folder / f"{split.name}.hdf", small, scans.images, scans.target)


def test_handwriting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Data, training, export, decoding: TensorFlow and ONNX find the same digits."""
    monkeypatch.chdir(tmp_path)
    write_digits(tmp_path / "examples/out/digits", train=120, dev=20, test=30)
    (tmp_path / "examples/handwriting.py").write_text((EXAMPLES / "handwriting.py").read_text(encoding="utf-8"))
    assert run_main(["examples/handwriting.py", "++num_epochs", "2"]) == 0
    capsys.readouterr()
    assert run_main(["--best-checkpoint", "examples/handwriting.py"]) == 0
    checkpoint = capsys.readouterr().out.strip()
    model = "examples/out/handwriting.onnx"
    options = ["--target", "onnx", "-o", model, "--checkpoint", checkpoint]
    assert compile_main(["examples/handwriting.py", *options]) == 0
    assert "verified against the reference on 3 ragged batches" in capsys.readouterr().out
    decode = runpy.run_path(str(EXAMPLES / "handwriting_decode.py"))
    monkeypatch.setattr(sys, "argv", ["handwriting_decode.py", model])
    assert decode["main"]() == 0
    assert "30 lines of scanned digits" in capsys.readouterr().out


def test_12ax(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The old spellings of a config from 2016."""
    monkeypatch.chdir(tmp_path)
    assert run_main([str(EXAMPLES / "12ax.py"), "++num_epochs", "1"]) == 0
    assert "train epoch 1, finished after " in capsys.readouterr().out


def test_pretrain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The network grows, its checkpoints are RETURNN's, and the curve is drawn."""
    monkeypatch.chdir(tmp_path)
    write_digits(tmp_path / "examples/out/digits", train=20, dev=10, test=10)
    (tmp_path / "examples/pretrain.py").write_text((EXAMPLES / "pretrain.py").read_text(encoding="utf-8"))
    assert run_main(["examples/pretrain.py", "++num_epochs", "6"]) == 0
    assert capsys.readouterr().out.count("the network changes, in ") == 3
    folder = tmp_path / "examples/out/pretrain"
    found = {path.name.removesuffix(".index") for path in folder.glob("net.*.index") if "optimizer" not in path.name}
    assert found == {*(f"net.pretrain.{epoch:03d}" for epoch in range(1, 6)), "net.006"}
    curve = runpy.run_path(str(EXAMPLES / "learning_curve.py"))
    assert curve["main"]([str(folder / "learning_rates"), str(tmp_path / "curve.svg")]) == 0
    assert "wrote" in capsys.readouterr().out
    picture = (tmp_path / "curve.svg").read_text(encoding="utf-8")
    assert picture.startswith("<?xml")
    assert curve["pretrain_epochs"](folder) == 5


def test_attention(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Training, search, export: TensorFlow and the single ONNX file have the same hypotheses and scores."""
    monkeypatch.chdir(tmp_path)
    write_digits(tmp_path / "examples/out/digits", train=120, dev=20, test=30)
    (tmp_path / "examples/attention.py").write_text((EXAMPLES / "attention.py").read_text(encoding="utf-8"))
    assert run_main(["examples/attention.py", "++num_epochs", "2"]) == 0
    output = tmp_path / "best.txt"
    assert run_main(["examples/attention.py", "++task", "search", "++search_output_file", str(output)]) == 0
    assert "decision: label error rate" in capsys.readouterr().out
    lines = output.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 30
    assert set("".join(lines)) <= set("0123456789")
    assert run_main(["--best-checkpoint", "examples/attention.py"]) == 0
    checkpoint = capsys.readouterr().out.strip()
    model = "examples/out/attention.onnx"
    options = ["--target", "onnx", "--mode", "search", "-o", model, "--checkpoint", checkpoint]
    assert compile_main(["examples/attention.py", *options]) == 0
    assert OnnxSession(model).inputs == ["data", "data/size1"]
    decode = runpy.run_path(str(EXAMPLES / "attention_decode.py"))
    monkeypatch.setattr(sys, "argv", ["attention_decode.py", model])
    assert decode["main"]() == 0
    assert "lists of hypotheses that differ: 0" in capsys.readouterr().out
    alone = ["++padding", "masked", "++search_scores", "independent", "--fetch", "output"]
    assert compile_main(["examples/attention.py", *options, *alone]) == 0
    fixed = ["--layout", "split", "--batch", "8", "--max-length", "48"]
    options[options.index(model)] = "examples/out/fixed"
    assert compile_main(["examples/attention.py", *options, *alone, *fixed]) == 0
    _same_hypotheses(OnnxSession(model), SearchDriver("examples/out/fixed"))


def _same_hypotheses(whole: OnnxSession, fixed: SearchDriver) -> None:
    """Of both layouts, for all lines of the test set, a few at a time."""
    config = load_config("examples/attention.py")
    options = BatchOptions(batch_size=300, max_seqs=8)
    with (
        init_dataset(config.opt_typed_value("eval"), name="eval") as dataset,
        BatchLoader(dataset, plan_epoch(dataset, 1, options)) as loader,
    ):
        for batch in loader:
            feed = {name: value for name, value in batch.feed().items() if name in fixed.inputs}
            expected, found = whole.run(feed), fixed.run(feed)
            assert expected.keys() == found.keys()
            for name, value in expected.items():
                np.testing.assert_allclose(found[name], value, rtol=1e-5, atol=1e-5, err_msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("low", ["bfloat16", "float16"])
def test_attention_in_mixed_precision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], low: str
) -> None:
    """More than half of the training; epoch by epoch the error swings, in float32 as well, so the best one counts."""
    monkeypatch.chdir(tmp_path)
    write_digits(tmp_path / "examples/out/digits", train=3000, dev=300, test=30)
    (tmp_path / "examples/attention.py").write_text((EXAMPLES / "attention.py").read_text(encoding="utf-8"))
    assert run_main(["examples/attention.py", "++num_epochs", "8", "++mixed_precision", low]) == 0
    errors = re.findall(r"^dev: score \S+ error (\S+)", capsys.readouterr().out, re.MULTILINE)
    assert len(errors) == 8
    assert min(map(float, errors)) < 0.13
