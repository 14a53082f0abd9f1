"""Data in memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from returnn_ir.errors import ConfigError, DataError
from runtime.datasets import StaticDataset, StaticOptions, collate, init_dataset


def make_seq(frames: int, **more: Any) -> dict[str, Any]:
    return {"data": np.ones((frames, 2), np.float32), "classes": np.arange(frames, dtype=np.int32), **more}


def test_specs_and_data() -> None:
    data = [make_seq(3, image=np.zeros((4, 5, 3))), make_seq(1, image=np.zeros((2, 6, 3)))]
    dataset = StaticDataset(StaticOptions(data=data, output_dim={"classes": 7}, target_list=["classes"]))
    assert list(dataset.specs) == ["data", "classes", "image"]
    assert (dataset.specs["classes"].dim, dataset.specs["classes"].sparse) == (7, True)
    assert (dataset.specs["data"].dim, dataset.specs["data"].shape) == (2, (None, 2))
    assert dataset.specs["image"].shape == (None, None, 3)
    assert dataset.lengths("image").tolist() == [4, 2]
    assert dataset.get_seq(1).tag == "seq-1"
    assert dataset.get_seq(1, ["data"]).data.keys() == {"data"}


def test_lists_and_scalars_are_arrays() -> None:
    dataset = StaticDataset(StaticOptions(data=[{"data": [1, 2], "n": 3}, {"data": [4], "n": 5}]))
    assert dataset.specs["n"].shape == ()
    assert dataset.lengths("n").tolist() == [1, 1]
    with pytest.raises(DataError, match="no data key 'imge'"):
        dataset.lengths("imge")
    np.testing.assert_array_equal(dataset.get_seq(0).data["data"], [1, 2])


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        ([], {}, "the dataset has no sequences"),
        ([make_seq(1), {"data": np.ones((1, 2))}], {}, "sequence 1: data keys differ"),
        ([make_seq(1), make_seq(1, data=np.ones((1, 3), np.float32))], {}, "is unlike that of sequence 0"),
        ([make_seq(1), make_seq(1, data=np.ones((1, 2), np.int32))], {}, "is unlike that of sequence 0"),
        ([make_seq(1)], {"input_dim": 3}, "does not have the declared dim of key 'data'"),
        ([make_seq(1)], {"output_dim": {"data": (2, 3)}}, "does not have the declared dim of key 'data'"),
        ([make_seq(1)], {"output_dim": {"clases": 3}}, "no data key 'clases'"),
        ([make_seq(1)], {"target_list": ["clases"]}, "no data key 'clases'"),
        ([{"data": ["a", None]}], {}, "not an array of numbers or texts"),
        ([{"data": [[1], [2, 3]]}], {}, "key 'data': not an array"),
    ],
)
def test_data_that_does_not_fit(data: list[dict[str, Any]], options: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        StaticDataset(StaticOptions(data=data, **options))


@pytest.mark.parametrize("options", [{"data": 3}, {"data": [3]}, {"output_dim": {"classes": "x"}}])
def test_wrong_options(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        init_dataset({"class": "StaticDataset", "data": [make_seq(1)], **options})


def test_texts() -> None:
    """A text has the type object, which does not say how long it is; in a batch what is missing is the empty text."""
    data = [{"data": np.array(["ab", "c"]), "raw": np.array("hello world"), "n": np.array(b"x")}]
    data.append({"data": np.array(["longer than before"]), "raw": np.array(""), "n": np.array(b"yz")})
    dataset = StaticDataset(StaticOptions(data=data))
    assert {key: (spec.dtype, spec.shape, spec.sparse) for key, spec in dataset.specs.items()} == {
        "data": ("object", (None,), False),
        "raw": ("object", (), False),
        "n": ("object", (), False),
    }
    batch = collate(list(dataset.epoch(1)), dataset.specs)
    assert batch.data["data"].tolist() == [["ab", "c"], ["longer than before", ""]]
    assert batch.data["raw"].tolist() == ["hello world", ""]
    assert batch.data["n"].tolist() == [b"x", b"yz"]
