"""A split search on a device: how onnxruntime is asked, without a GPU. What it computes is in ``test_fixed_sizes``."""

from __future__ import annotations

import json
from pathlib import Path
from shutil import copy
from typing import Any

import numpy as np
import onnxruntime
import pytest

from compiler.cli import main
from compiler.target.split_driver import PART, is_read_by_host
from returnn_ir.errors import UserError
from runtime.deployment.bound_part import BoundPart, FixedStep, OpenStep
from runtime.deployment.device import Device
from runtime.deployment.model_file import ModelFile
from runtime.deployment.search_driver import SearchDriver
from runtime.deployment.session import OnnxSession

CASE = Path(__file__).parents[1] / "golden" / "search" / "att_decoder"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A split search with fixed sizes."""
    made = tmp_path_factory.mktemp("search")
    alone = ["++padding", "masked", "++search_scores", "independent"]
    command = [f"{CASE}.py", "--target", "onnx", "--mode", "search", "--params", f"{CASE}.npz", *alone]
    assert main([*command, "--layout", "split", "--batch", "2", "--max-length", "6", "-o", str(made)]) == 0
    return made


@pytest.mark.parametrize("name", ["gpu", "cpu:0", "cuda:", "cuda:x", "CUDAExecutionProvider"])
def test_no_such_device(name: str) -> None:
    with pytest.raises(UserError) as caught:
        Device.of(name)
    assert str(caught.value) == f"no device is called {name!r}\n  expected: cpu, cuda or cuda:NUMBER"


def test_devices() -> None:
    assert Device.of("cpu") == Device("cpu", 0, {})
    assert Device.of("cuda:2", {"use_tf32": "0"}) == Device("cuda", 2, {"use_tf32": "0"})


def test_a_gpu_that_onnxruntime_is_not_built_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Never a run on the CPU instead."""
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(UserError) as caught:
        SearchDriver(folder, device="cuda")
    assert str(caught.value) == (
        "onnxruntime has no CUDAExecutionProvider\n"
        "  expected: CPUExecutionProvider\n"
        "  try: pip install onnxruntime-gpu, without onnxruntime beside it"
    )


class Recorded:
    """A session on the CPU that notes how it is made and run."""

    asked: Any = None
    runs: list[str]

    def __init__(self, session: Any) -> None:
        self._session = session
        self.runs = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def get_providers(self) -> list[str]:
        """What a GPU would say."""
        return ["CUDAExecutionProvider", "CPUExecutionProvider"]

    def run_with_iobinding(self, binding: Any, options: Any) -> None:
        """Run."""
        self.runs.append(options.get_run_config_entry("gpu_graph_id"))
        self._session.run_with_iobinding(binding)


@pytest.fixture
def pretended(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Sessions and arrays for a GPU are the CPU's; the list gets what each session was asked for."""
    asked: list[Any] = []
    create, array = onnxruntime.InferenceSession, onnxruntime.OrtValue.ortvalue_from_numpy

    def session(path: str, options: Any, providers: Any) -> Any:
        asked.append(providers)
        return Recorded(create(path, options, providers=["CPUExecutionProvider"]))

    monkeypatch.setattr(onnxruntime, "InferenceSession", session)
    monkeypatch.setattr(onnxruntime, "preload_dlls", lambda: None)
    monkeypatch.setattr(onnxruntime.OrtValue, "ortvalue_from_numpy", lambda value, kind, index: array(value))
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider"])
    return asked


def test_a_step_is_captured_in_both_directions(folder: Path, pretended: list[Any]) -> None:
    """On a GPU: two graphs, captured when the model is loaded, take turns from the first step of each batch on."""
    step = FixedStep(folder / "step.onnx", Device.of("cuda:1", {"use_tf32": "0"}), is_read_by_host)
    wanted = {"device_id": "1", "use_tf32": "0", "enable_cuda_graph": "1"}
    assert pretended == [[("CUDAExecutionProvider", wanted)]]
    runs: list[str] = step.model.session.runs
    assert runs == ["1", "2"]
    for _ in range(2):
        states: dict[str, Any] = dict(step.begin)
        addresses = []
        for _ in range(4):
            left = step.run(states)
            states = {n.removesuffix("/next"): v for n, v in left.items() if n.endswith("/next")}
            addresses.append(states["state/0"].data_ptr())
        assert addresses[0] == addresses[2] != addresses[1] == addresses[3]
    assert runs[2:] == ["1", "2"] * 4


def test_what_the_host_gets_is_its_own(folder: Path) -> None:
    """The next step writes over what is on the device, and not over the labels that were collected."""
    step = FixedStep(folder / "step.onnx", Device(), is_read_by_host)
    first = step.run(step.begin)
    kept = {name: value.copy() for name, value in first.items() if is_read_by_host(name)}
    states = {n.removesuffix("/next"): v for n, v in first.items() if n.endswith("/next")}
    step.run(states)
    step.run(step.begin)
    assert {"done"} < kept.keys()
    assert {type(value) for value in kept.values()} == {np.ndarray}
    for name, value in kept.items():
        np.testing.assert_array_equal(first[name], value)


def test_a_step_whose_sizes_are_open(tmp_path: Path) -> None:
    command = [f"{CASE}.py", "--target", "onnx", "--mode", "search", "--layout", "split", "-o", str(tmp_path)]
    assert main(command) == 0
    with pytest.raises(UserError, match=r"an axis of '.*' has no size"):
        FixedStep(tmp_path / "step.onnx", Device(), is_read_by_host)


@pytest.mark.parametrize(("case", "steady"), [("att_decoder", True), ("transformer_decoder", False)])
def test_arrays_of_open_sizes_take_turns(case: str, steady: bool, tmp_path: Path) -> None:
    """Two sets from the third step of each batch on, unless an axis grows; the same results as of new arrays."""
    net = CASE.with_name(case)
    command = [f"{net}.py", "--target", "onnx", "--mode", "search", "--params", f"{net}.npz", "--layout", "split"]
    assert main([*command, "-o", str(tmp_path)]) == 0
    step = OpenStep(tmp_path / "step.onnx", Device(), is_read_by_host)
    anew = BoundPart(tmp_path / "step.onnx", Device(), is_read_by_host)
    parts = {name: BoundPart(tmp_path / f"{name}.onnx", Device(), is_read_by_host) for name in ("encoder", "init")}
    rng = np.random.default_rng(1)
    for lengths in ([6, 5], [7, 3, 2], [7, 3, 2]):
        data = rng.standard_normal((len(lengths), max(lengths), 3)).astype(np.float32)
        feed: dict[str, Any] = {"data": data, "data/size1": np.asarray(lengths)}
        feed |= parts["encoder"].run(feed)
        feed |= parts["init"].run(feed)
        held, addresses = dict(feed), []
        for _ in range(5):
            left, expected = step.run(held), anew.run(feed)
            for name, value in expected.items():
                found, wanted = (v if isinstance(v, np.ndarray) else v.numpy() for v in (left[name], value))
                np.testing.assert_array_equal(found, wanted, err_msg=name)
            held |= {n.removesuffix("/next"): v for n, v in left.items() if n.endswith("/next")}
            feed |= {n.removesuffix("/next"): v for n, v in expected.items() if n.endswith("/next")}
            addresses.append(left["state/0/next"].data_ptr())
        assert (addresses[0] == addresses[2] == addresses[4] != addresses[1] == addresses[3]) or not steady
        assert [len(turn.outputs) for turn in step._turns] == ([len(left)] * 2 if steady else [])


def test_files_that_do_not_belong_together(folder: Path, tmp_path: Path) -> None:
    """They fit in names and shapes: another training's step would give other hypotheses, silently."""
    parts = tmp_path / "parts"
    net = ["--target", "onnx", "--mode", "search"]
    assert main([f"{CASE}.py", *net, "--layout", "split", "-o", str(parts)]) == 0  # with other parameters
    assert main([f"{CASE}.py", *net, "-o", str(tmp_path / "whole.onnx")]) == 0
    SearchDriver(parts)
    own, other = (json.loads(ModelFile(f / "step.onnx", Device()).metadata[PART])["export"] for f in (parts, folder))
    copy(folder / "step.onnx", parts / "step.onnx")
    with pytest.raises(UserError) as caught:
        SearchDriver(parts)
    assert str(caught.value) == (
        f"the parts in {parts} are of different exports\n"
        f"  expected: that of encoder.onnx, {own}\n"
        f"  received: step.onnx of {other}\n"
        "  try: copy all four files of one export"
    )
    for source, received in (
        (folder / "init.onnx", "the part 'init'"),
        (tmp_path / "whole.onnx", "a model that is no part of a search"),
    ):
        copy(source, parts / "step.onnx")
        with pytest.raises(UserError) as caught:
            SearchDriver(parts)
        assert str(caught.value) == (
            f"{parts}/step.onnx is another file\n"
            "  expected: the part 'step' of a search\n"
            f"  received: {received}\n"
            "  try: copy all four files of one export"
        )


def test_one_file_and_a_folder(folder: Path) -> None:
    with pytest.raises(UserError) as caught:
        SearchDriver(folder / "step.onnx")
    assert str(caught.value) == (
        f"{folder}/step.onnx is a file\n"
        "  expected: a folder with encoder.onnx, init.onnx, step.onnx, finish.onnx\n"
        "  try: a search in one file: runtime.deployment.session.OnnxSession(PATH)"
    )
    hint = "  try: a search in parts: runtime.deployment.search_driver.SearchDriver(FOLDER)"
    with pytest.raises(UserError) as caught:
        OnnxSession(folder)
    assert str(caught.value) == f"{folder} is a folder\n  expected: an .onnx file\n{hint}"
    with pytest.raises(UserError) as caught:
        OnnxSession(folder / "step.onnx")
    assert str(caught.value) == f"{folder}/step.onnx is a part of a search: step\n{hint}"
