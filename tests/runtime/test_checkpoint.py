"""Checkpoints: TensorFlow's format both ways, crashes in the middle, errors, and the clean-up."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import runtime.checkpoints.files
from compiler.checkpoint.crc32c import crc32c
from compiler.checkpoint.reader import CheckpointReader, read_checkpoint
from returnn_ir.errors import ConfigError, DataError, ProblemList
from runtime.checkpoints.cleanup import CleanupOptions, cleanup_old_models, epochs_to_delete
from runtime.checkpoints.files import (
    GLOBAL_STEP,
    checkpoint_prefix,
    delete_checkpoint,
    existing_checkpoints,
    restore_optimizer,
    restore_variables,
    save_checkpoint,
    save_remains,
)

DATA = Path(__file__).parent / "data"


def _variables(value: int) -> dict[str, Any]:
    return {
        "lin/W": tf.Variable(tf.fill([3, 2], float(value))),
        "empty": tf.Variable(tf.zeros([0, 4])),
        GLOBAL_STEP: tf.Variable(value, dtype=tf.int64),
    }


def _slots(value: int) -> dict[str, Any]:
    return {"optimize/lin/W/Adam": tf.Variable(tf.fill([3, 2], float(value))), "optimize/beta1_power": tf.Variable(0.9)}


def test_crc32c_of_rfc_3720() -> None:
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(b"\xff" * 32) == 0x62A8AB43
    assert crc32c(b"") == 0
    long = np.random.default_rng(1).bytes(5000)
    # A checksum with the message's own one behind it is a constant: tests the joining of lanes.
    assert crc32c(long + crc32c(long).to_bytes(4, "little")) == 0x48674BC7


def test_reads_a_checkpoint_of_returnn() -> None:
    """Written by RETURNN: 12 steps of a small LSTM with batch_norm."""
    prefix = str(DATA / "returnn.003")
    values = read_checkpoint(prefix)
    theirs = tf.train.load_checkpoint(prefix)
    assert set(values) == set(theirs.get_variable_to_shape_map())
    for name, value in values.items():
        np.testing.assert_array_equal(value, theirs.get_tensor(name))
    assert values["global_step"] == 12
    assert values["h/rec/W_re"].shape == (4, 16)


def test_reads_many_variables_and_types(tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    values: dict[str, Any] = {f"a/b{i}/W": generator.normal(size=(i % 4, 3, 700)).astype("float32") for i in range(90)}
    values |= {
        name: np.ones((2,), name) for name in ("float64", "float16", "int32", "int64", "bool", "uint8", "complex64")
    }
    others = {"text": tf.constant("x"), "brain": tf.constant([1.0], tf.bfloat16)}
    tensors = {**{name: tf.constant(value) for name, value in values.items()}, **others}
    tf.raw_ops.SaveV2(
        prefix=str(tmp_path / "m"), tensor_names=list(tensors), shape_and_slices=[""] * len(tensors),
        tensors=list(tensors.values()),
    )  # fmt: skip
    read = read_checkpoint(tmp_path / "m.index")
    assert set(read) == set(values)
    for name, value in values.items():
        assert read[name].dtype == value.dtype
        np.testing.assert_array_equal(read[name], value)
    with pytest.raises(DataError, match="unsupported type"):
        CheckpointReader.open(tmp_path / "m").read("text")


def test_save_and_restore(tmp_path: Path) -> None:
    model = str(tmp_path / "new" / "net")
    prefix = save_checkpoint(model, 3, _variables(7), _slots(5))
    assert prefix == checkpoint_prefix(model, 3) == f"{model}.003"
    theirs = tf.train.load_checkpoint(prefix)
    assert theirs.get_tensor(GLOBAL_STEP) == 7
    assert set(theirs.get_variable_to_shape_map()) == {"lin/W", "empty", GLOBAL_STEP}
    variables, slots = _variables(0), _slots(0)
    assert restore_variables(prefix, {"lin/W": variables["lin/W"]}) == ["empty", GLOBAL_STEP]
    assert restore_optimizer(prefix, slots) is None
    assert variables["lin/W"].numpy().tolist() == [[7.0, 7.0]] * 3
    assert slots["optimize/lin/W/Adam"].numpy().tolist() == [[5.0, 5.0]] * 3
    restored = tf.Variable(tf.zeros([3, 2]))
    tf.compat.v1.train.Saver({"lin/W": restored}).restore(None, prefix)  # the reader that RETURNN uses
    assert restored.numpy()[0, 0] == 7.0


def test_optimizer_state_of_something_else_is_not_used(tmp_path: Path) -> None:
    model = str(tmp_path / "net")
    prefix = save_checkpoint(model, 1, _variables(1), _slots(1))
    momentum = {"optimize/lin/W/Momentum": tf.Variable(tf.zeros([3, 2]))}
    assert "another optimizer" in (restore_optimizer(prefix, momentum) or "")
    wider = {"optimize/lin/W/Adam": tf.Variable(tf.zeros([3, 9]))}
    assert "another network" in (restore_optimizer(prefix, wider) or "")
    save_checkpoint(model, 1, _variables(2))  # by a tool that keeps no optimizer state
    assert "another training step" in (restore_optimizer(prefix, _slots(0)) or "")
    assert "no optimizer state" in (restore_optimizer(save_checkpoint(model, 2, _variables(2)), _slots(0)) or "")


def newest(model: str) -> tuple[int, str]:
    return max(existing_checkpoints(model).items())


def test_names_and_order_of_checkpoints(tmp_path: Path) -> None:
    model = str(tmp_path / "net")
    assert not existing_checkpoints(str(tmp_path / "missing" / "net"))
    for epoch in range(1, 5):
        save_checkpoint(model, epoch, _variables(epoch), _slots(epoch), pretrain=epoch <= 2)
    (tmp_path / "net.005.saving.index").touch()
    (tmp_path / "netx.009.index").touch()
    (tmp_path / "other.net.010.index").touch()
    names = [Path(prefix).name for prefix in existing_checkpoints(model).values()]
    assert names == ["net.pretrain.001", "net.pretrain.002", "net.003", "net.004"]
    assert newest(model) == (4, f"{model}.004")
    # the optimizer states of the newest two are kept
    assert sorted(path.name for path in tmp_path.glob("*.optimizer.index")) == [
        "net.003.optimizer.index",
        "net.004.optimizer.index",
    ]
    assert save_checkpoint(model, 1000, _variables(1)) == f"{model}.1000"
    assert newest(model) == (1000, f"{model}.1000")
    assert delete_checkpoint(f"{model}.004") > 0
    assert not list(tmp_path.glob("net.004*"))


def test_a_crash_at_any_point_leaves_the_previous_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step of a save that touches the disk is stopped once, and what it left is resumed."""
    points = 0
    for target in (1, 2):  # a new epoch; the same epoch again
        for point in range(100):
            model = str(tmp_path / f"{target}_{point}" / "net")
            _save(model, 1, 1)
            if target == 2:
                _save(model, 2, 2)
            stopped = _save_with_crash(monkeypatch, point, partial(_save, model, 2, 1 + target))
            found = newest(model)
            value = int(read_checkpoint(found[1])[GLOBAL_STEP])
            assert value in ((found[0],) if target == 1 else (1, 2, 3))
            variables = _variables(0)
            restore_variables(found[1], variables)
            assert variables["lin/W"].numpy()[0, 0] == value
            slots = _slots(0)
            reason = restore_optimizer(found[1], slots)
            assert reason is None or target == 2
            if reason is None:
                assert slots["optimize/lin/W/Adam"].numpy()[0, 0] == value
            if not stopped:
                break
            points += 1
            _save(model, 2, 9)  # goes on, over whatever the crash left
            assert newest(model) == (2, f"{model}.002")
            assert read_checkpoint(f"{model}.002")[GLOBAL_STEP] == 9
            assert not list(Path(model).parent.glob("*.saving*"))
    assert points >= 16


@pytest.mark.parametrize("where", ["written", "first renamed"])
def test_two_processes_that_save_the_same_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """The other one saves while this one does; what is there then is of one of the two, and the other one knows."""
    model, other = str(tmp_path / "net"), iter([True])
    write, replace = tf.raw_ops.SaveV2, Path.replace

    def save_other() -> None:
        if next(other, False):
            save_checkpoint(model, 1, _variables(2))

    def write_and_save(**options: Any) -> None:
        write(**options)
        if where == "written":
            save_other()

    def replace_and_save(path: Path, target: str) -> Path:
        result = replace(path, target)
        save_other()
        return result

    monkeypatch.setattr(tf.raw_ops, "SaveV2", write_and_save)
    monkeypatch.setattr(Path, "replace", replace_and_save)
    if where == "written":
        save_checkpoint(model, 1, _variables(1))
    else:
        with pytest.raises(DataError, match=rf"another process writes the checkpoint {model}\.001"):
            save_checkpoint(model, 1, _variables(1))
    variables = _variables(0)
    restore_variables(f"{model}.001", variables)
    assert variables["lin/W"].numpy()[0, 0] == variables[GLOBAL_STEP].numpy() == (1 if where == "written" else 2)
    assert not list(tmp_path.glob("*.saving*"))


def _save(model: str, epoch: int, value: int) -> None:
    save_checkpoint(model, epoch, _variables(value), _slots(value))


class _Crash(BaseException):
    """Stands for ``kill -9``: nothing in the code under test may catch it."""


def _save_with_crash(monkeypatch: pytest.MonkeyPatch, point: int, save: Callable[[], None]) -> bool:
    """Run ``save`` and stop before its ``point``-th flush, rename or removal; whether it got that far."""
    count = 0

    def counted(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal count
            count += 1
            if count > point:
                raise _Crash
            return original(*args, **kwargs)

        return call

    with monkeypatch.context() as patch:
        patch.setattr(runtime.checkpoints.files, "_flush", counted(runtime.checkpoints.files._flush))
        for name in ("replace", "unlink"):
            patch.setattr(Path, name, counted(getattr(Path, name)))
        try:
            save()
        except _Crash:
            return True
    return False


def test_damaged_checkpoints(tmp_path: Path) -> None:
    model = str(tmp_path / "net")
    prefix = save_checkpoint(model, 1, _variables(1))
    index, data = Path(f"{prefix}.index"), Path(f"{prefix}.data-00000-of-00001")
    good_index, good_data = index.read_bytes(), data.read_bytes()
    for length in range(0, len(good_index), 7):
        index.write_bytes(good_index[:length])
        with pytest.raises(DataError, match="cut off"):
            read_checkpoint(prefix)
    rejected = 0
    for position in range(0, len(good_index) - 48, 3):
        index.write_bytes(good_index[:position] + bytes([good_index[position] ^ 4]) + good_index[position + 1 :])
        try:
            assert read_checkpoint(prefix)["lin/W"].tolist() == [[1.0, 1.0]] * 3  # the meta-index block is not used
        except DataError:
            rejected += 1
    assert rejected > 30
    index.write_bytes(good_index)
    data.write_bytes(good_data[:-1])
    with pytest.raises(DataError, match="cut off at variable 'lin/W'"):
        read_checkpoint(prefix)
    data.write_bytes(good_data[:-1] + b"\x01")
    with pytest.raises(DataError, match="checksum of variable 'lin/W'"):
        read_checkpoint(prefix)
    data.unlink()
    with pytest.raises(DataError, match="data file of the checkpoint is missing"):
        read_checkpoint(prefix)
    with pytest.raises(DataError, match=r"there is: net\.001"):
        read_checkpoint(f"{model}.002")


def test_a_checkpoint_of_another_network(tmp_path: Path) -> None:
    prefix = save_checkpoint(str(tmp_path / "net"), 1, _variables(1))
    with pytest.raises(DataError, match="none of the network's variables"):
        restore_variables(prefix, {"x": tf.Variable(0.0), "y": tf.Variable(0.0)})
    wanted = {"lin/W": tf.Variable(tf.zeros([5, 2])), "empti": tf.Variable(0.0)}
    with pytest.raises(ProblemList) as error:
        restore_variables(prefix, wanted)
    assert "another shape" in str(error.value)
    assert "did you mean 'empty'" in str(error.value)
    assert wanted["lin/W"].numpy().sum() == 0
    with pytest.raises(DataError, match="another type"):
        restore_variables(prefix, {GLOBAL_STEP: tf.Variable(0, dtype=tf.int32)})
    with pytest.raises(ValueError, match="global_step"):
        save_checkpoint(str(tmp_path / "net"), 2, {"w": tf.Variable(0.0)})


@pytest.mark.parametrize("case", json.loads((DATA / "cleanup.json").read_text())["cases"])
def test_cleanup_deletes_what_returnn_deletes(case: dict[str, Any]) -> None:
    options = CleanupOptions.from_config({"cleanup_old_models": case["options"] or True})
    assert options is not None
    scores = {int(epoch): named for epoch, named in case["scores"].items()}
    assert epochs_to_delete(options, case["epochs"], scores) == case["removed"]


def test_cleanup_leaves_later_epochs_alone_and_takes_remains(tmp_path: Path) -> None:
    """As RETURNN, which looks at no epoch behind the last one of the training."""
    model = str(tmp_path / "net")
    for epoch in range(1, 5):
        save_checkpoint(model, epoch, _variables(epoch), _slots(epoch))
    save_remains(f"{model}.001", "crash_12", _variables(1))
    save_remains(f"{model}.002", "broken", _variables(1))
    save_remains(f"{model}.0021", "broken", _variables(1))
    scores = {epoch: {"dev_score": float(epoch)} for epoch in range(1, 5)}
    assert cleanup_old_models(CleanupOptions(1, 1, frozenset()), model, scores, last=3) == [2]
    assert sorted(existing_checkpoints(model)) == [1, 3, 4]
    assert sorted(existing_checkpoints(model, 3)) == [1, 3]
    assert sorted(path.stem for path in tmp_path.glob("*.index") if "optimizer" not in path.name) == [
        "net.001",
        "net.001.crash_12",
        "net.0021.broken",
        "net.003",
        "net.004",
    ]


def test_forms_of_the_cleanup_option() -> None:
    given = {"keep": [60, 90], "keep_best_n": 4, "ignore_score_keys": ["dev_error_ctc"]}
    expected = CleanupOptions(keep=frozenset({60, 90}), ignore_score_keys=frozenset({"dev_error_ctc"}))
    assert CleanupOptions.from_config({"cleanup_old_models": given}) == expected
    assert CleanupOptions.from_config({"cleanup_old_models": (given,)}) == expected  # a comma too many
    assert CleanupOptions.from_config({"cleanup_old_models": {"keep_last_n": 1, "keep": range(3)}}) == CleanupOptions(
        1, keep=frozenset({0, 1, 2})
    )
    scores = {epoch: {"a": float(epoch), "dev_error_ctc": -float(epoch)} for epoch in range(1, 9)}
    for ignored, removed in ((frozenset[str](), [3, 4, 5, 6]), (frozenset({"dev_error_ctc"}), [3, 4, 5, 6, 7])):
        assert epochs_to_delete(CleanupOptions(1, 2, frozenset(), ignored), range(1, 9), scores) == removed


def test_a_checkpoint_of_one_file(tmp_path: Path) -> None:
    (tmp_path / "net.003").touch()
    (tmp_path / "net.004").mkdir()
    assert existing_checkpoints(str(tmp_path / "net")) == {3: str(tmp_path / "net.003")}
    with pytest.raises(DataError) as caught:
        CheckpointReader.open(tmp_path / "net.003")
    assert str(caught.value) == (
        f"{tmp_path / 'net.003'}: a checkpoint in TensorFlow's first format, of one file, is not read\n"
        "  try: let TensorFlow load it and save it again, which writes the files .index and .data"
    )


def test_cleanup_of_files_and_its_options(tmp_path: Path) -> None:
    model = str(tmp_path / "net")
    for epoch in range(1, 7):
        save_checkpoint(model, epoch, _variables(epoch), _slots(epoch))
    scores = {epoch: {"dev_score": score} for epoch, score in enumerate([5.0, 1.0, math.nan, 3.0, 4.0, 4.5], 1)}
    options = CleanupOptions.from_config({"cleanup_old_models": {"keep_last_n": 1, "keep_best_n": 1, "keep": [4]}})
    assert options is not None
    assert cleanup_old_models(options, model, {}) == []
    assert cleanup_old_models(options, model, scores) == [1, 3, 5]
    assert sorted(existing_checkpoints(model)) == [2, 4, 6]
    assert not list(tmp_path.glob("net.005*"))
    assert CleanupOptions.from_config({}) is CleanupOptions.from_config({"cleanup_old_models": False}) is None
    for wrong, part in (
        ({"keep_last": 1}, "did you mean 'keep_last_n'"),
        ({"keep_last_n": 0}, "option 'keep_last_n' is out of range"),
        ({"keep": 3}, "list"),
    ):
        with pytest.raises(ConfigError, match=part):
            CleanupOptions.from_config({"cleanup_old_models": wrong})
