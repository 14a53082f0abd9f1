"""``task = "search"`` end to end: a tiny attention net, its output files, error rates, and what is refused."""

from __future__ import annotations

import ast
import gzip
from pathlib import Path

import numpy as np
import pytest

from returnn_ir.config import load_config
from runtime.cli import main
from runtime.datasets import HDFWriter
from runtime.tasks.search.search import SearchResult, search

CONFIG = """
folder = {folder!r}
train = {{"class": "HDFDataset", "files": [folder + "/data.hdf"]}}
eval = {{"class": "HDFDataset", "files": [folder + "/data.hdf"]}}
extern_data = {{"data": {{"dim": 4}}, "classes": {{"dim": 5, "sparse": True, "available_for_inference": False}}}}
red = {{"red1": "F", "red2": "F"}}
longest = "max_len_from('base:encoder')"
network = {{
    "encoder": {{"class": "linear", "activation": "tanh", "n_out": 8, "from": "data"}},
    "output": {{"class": "rec", "from": [], "target": "classes", "max_seq_len": longest, "unit": {{
        "embedding": {{"class": "linear", "activation": None, "from": "prev:output", "n_out": 6}},
        "s": {{"class": "rnn_cell", "unit": "LSTMBlock", "from": ["embedding", "prev:att"], "n_out": 8}},
        "energy": {{"class": "dot", "from": ["base:encoder", "s"], **red, "var1": "T", "var2": None}},
        "weights": {{"class": "softmax_over_spatial", "from": "energy"}},
        "att": {{"class": "generic_attention", "weights": "weights", "base": "base:encoder"}},
        "prob": {{"class": "softmax", "from": ["s", "att"], "target": "classes", "loss": "ce"}},
        "output": {{"class": "choice", "target": "classes", "beam_size": 3, "from": "prob", "initial_output": 0}},
        "end": {{"class": "compare", "from": "output", "value": 0}},
    }}}},
    "decision": {{"class": "decide", "from": "output", "target": "classes", "loss": "edit_distance"}},
}}
batch_size = 40
num_epochs = 1
optimizer = {{"class": "adam"}}
learning_rate = 0.01
model = folder + "/net"
learning_rate_file = folder + "/learning_rates"
search_output_layer = "decision"
"""

NAMES = ("</s>", "one", "two", "three", "four")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data, config and a checkpoint of one epoch."""
    folder = tmp_path_factory.mktemp("search")
    write_data(folder / "data.hdf", NAMES)
    write_data(folder / "unnamed.hdf", None)
    config = folder / "net.py"
    config.write_text(CONFIG.format(folder=str(folder)), encoding="utf-8")
    assert main([str(config)]) == 0
    return folder


def write_data(path: Path, names: tuple[str, ...] | None, *, targets: bool = True) -> None:
    """30 sequences of 3 to 8 frames; the targets end with label 0."""
    rng = np.random.default_rng(1)
    extra_type = {"classes": (5, 1, "int32")} if targets else None
    extra_labels = {"classes": names} if names is not None else None
    with HDFWriter(path, 4, ndim=2, extra_type=extra_type, extra_labels=extra_labels) as writer:
        for i in range(30):
            frames = rng.normal(size=(int(rng.integers(3, 9)), 4)).astype(np.float32)
            labels = np.append(np.argmax(frames[: int(rng.integers(1, 4))], axis=1) + 1, 0).astype(np.int32)
            writer.insert_seq(f"seq-{i}", frames, extra={"classes": labels} if targets else None)


def run(folder: Path, *overrides: str) -> SearchResult:
    """One search."""
    return search(load_config(folder / "net.py", ["++task", "search", *overrides]))


def refused(folder: Path, capsys: pytest.CaptureFixture[str], *overrides: str) -> str:
    """The message of a search that cannot be done."""
    assert main([str(folder / "net.py"), "++task", "search", *overrides]) == 2
    return capsys.readouterr().err


def test_txt_has_a_line_per_sequence_in_the_order_of_the_corpus(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "best.txt"
    assert main([str(trained / "net.py"), "++task", "search", "++search_output_file", str(path)]) == 0
    out = capsys.readouterr().out
    assert "loaded" in out
    assert "searched eval: 30 sequences" in out
    assert "decision: label error rate" in out
    lines = path.read_text(encoding="utf-8").splitlines()
    result = run(trained)
    assert lines == [result.entries[i][1] for i in range(30)]
    assert {word for line in lines for word in line.split()} <= set(NAMES[1:])


def test_py_of_a_beam(trained: Path, tmp_path: Path) -> None:
    path = tmp_path / "nbest.py"
    options = ["++search_output_layer", "output", "++search_output_file_format", "py"]
    result = run(trained, *options, "++search_output_file", str(path))
    text = path.read_text(encoding="utf-8")
    assert text.startswith("{\n'seq-0': [\n(-")
    assert text.endswith("),\n],\n}\n")
    written = ast.literal_eval(text)
    assert list(written) == [f"seq-{i}" for i in range(30)]
    assert written["seq-7"] == result.entries[7][1]
    for hypotheses in written.values():
        scores = [score for score, _ in hypotheses]
        assert len(scores) == 3
        assert scores == sorted(scores, reverse=True)
        assert all(float(str(np.float32(score))) == score for score in scores)


def test_py_of_several_layers(trained: Path, tmp_path: Path) -> None:
    config = tmp_path / "net.py"
    text = (trained / "net.py").read_text(encoding="utf-8")
    config.write_text(text + 'search_output_layer = ["output", "decision"]\n', encoding="utf-8")
    path = tmp_path / "both.py.gz"
    options = ["++search_output_file", str(path), "++search_output_file_format", "py"]
    search(load_config(config, ["++task", "search", *options]))
    written = gzip.decompress(path.read_bytes()).decode("utf-8")
    assert written.startswith("{\n'seq-0': {\n'decision': '")
    for entry in ast.literal_eval(written).values():
        assert entry["decision"] == max(entry["output"], key=lambda pair: pair[0])[1]


def test_the_error_rate_is_that_of_the_networks_own_loss(trained: Path) -> None:
    result = run(trained, "++batch_size", "13")
    scores = result.scores["decision"]
    assert scores.labels.total == sum(len(labels) for labels in _targets(trained))
    assert scores.labels.rate == pytest.approx(result.losses.mean_errors()["decision"], rel=1e-6)
    assert 0 < scores.wrong_seqs <= scores.num_seqs == 30
    beams = run(trained, "++search_output_layer", "output").scores["output"]
    assert beams.labels.errors == scores.labels.errors
    assert beams.nbest.errors <= scores.labels.errors


@pytest.mark.parametrize("target", ["layer:given", "made"])
def test_the_reference_may_be_made_by_a_layer(trained: Path, tmp_path: Path, target: str) -> None:
    config = tmp_path / "net.py"
    text = (trained / "net.py").read_text(encoding="utf-8")
    text += "network['given'] = {'class': 'copy', 'from': 'data:classes', 'register_as_extern_data': 'made'}\n"
    text += "network['nothing'] = {'class': 'copy', 'from': 'data'}\n"
    config.write_text(text + f"network['decision']['target'] = {target!r}\n", encoding="utf-8")
    made = search(load_config(config, ["++task", "search"])).scores["decision"]
    assert made.labels == run(trained).scores["decision"].labels
    assert made.labels.errors > 0


def test_labels_keep_their_names_through_layers(trained: Path, tmp_path: Path) -> None:
    """What names the labels of ``classes`` names those of a key that a layer registers, too."""
    config, found = tmp_path / "net.py", tmp_path / "found.txt"
    text = (trained / "net.py").read_text(encoding="utf-8")
    text += "network['given'] = {'class': 'postfix_in_time', 'from': 'data:classes', 'postfix': 0, "
    text += "'register_as_extern_data': 'made'}\nnetwork['decision']['target'] = 'made'\n"
    config.write_text(text, encoding="utf-8")
    overrides = ["++task", "search", "++search_output_file", str(found), "++search_do_eval", "False"]
    search(load_config(config, overrides))
    words = set(found.read_text(encoding="utf-8").split())
    assert words <= set(NAMES)
    assert words


def _targets(folder: Path) -> list[list[int]]:
    import h5py

    with h5py.File(folder / "data.hdf") as file:
        ends = np.cumsum(file["seqLengths"][:, 1])[:-1]
        return [part.tolist() for part in np.split(file["targets/data/classes"][:], ends)]


def test_without_targets(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "inputs.hdf"
    write_data(path, None, targets=False)
    data = repr({"class": "HDFDataset", "files": [str(path)]})
    assert "no data 'classes'" in refused(trained, capsys, "++search_data", data)
    result = run(trained, "++search_data", data, "++search_do_eval", "False")
    assert len(result.entries) == 30
    assert not result.scores
    assert not result.losses.mean_errors()
    assert "losses:" not in capsys.readouterr().out


def test_labels_without_names(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ["++search_data", repr({"class": "HDFDataset", "files": [str(trained / "unnamed.hdf")]})]
    named, unnamed = run(trained).scores["decision"], run(trained, *data).scores["decision"]
    assert unnamed.labels == named.labels
    message = refused(trained, capsys, *data, "++search_output_file", str(tmp_path / "x.txt"))
    assert "nothing names the labels of layer 'decision'" in message


def test_what_is_wrong_is_said(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    message = refused(trained, capsys, "++search_output_layer", "decison")
    assert "there is no layer 'decison'" in message
    assert "did you mean 'decision'" in message
    assert "no data 'dev' to search on" in refused(trained, capsys, "++search_data", "dev")
    assert "option 'search_output_file_format' has an unknown value" in refused(
        trained, capsys, "++search_output_file_format", "json"
    )
    assert "max_seq_length" in refused(trained, capsys, "++max_seq_length", "75")
    existing = tmp_path / "there.txt"
    existing.write_text("old", encoding="utf-8")
    assert "the output file exists" in refused(trained, capsys, "++search_output_file", str(existing))
    assert existing.read_text(encoding="utf-8") == "old"


def test_a_search_that_fails_leaves_no_file(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "new.txt"
    message = refused(trained, capsys, "++search_output_file", str(path), "++load_epoch", "9")
    assert "net.009" in message
    assert list(tmp_path.iterdir()) == []
