"""What is written for live objects makes the same objects again."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np
import pytest

from returnn_ir.ir.dims import Dim as OurDim
from tests.recording.config_text import CannotWrite, ConfigText

FACTOR = 3


def scaled(source: Any, **_: object) -> Any:
    """A function of a network, with a global name."""
    return source * FACTOR


class Kind(Enum):
    """RETURNN's kinds of dims have such names."""

    feature = 1


@dataclass
class Operation:
    """What a dim is made of."""

    kind: str
    inputs: list[Any]


@dataclass(eq=False)
class Dim:
    """As much of RETURNN's class as is asked; RETURNN itself is not installed here."""

    size: int | None
    name: str
    kind: Kind | None = None
    derived_from_op: Operation | None = None
    dyn_size_ext: Any = field(default=None)
    same_as: Dim | None = None
    match_priority: int = 0

    def get_same_base(self) -> Dim:
        return self if self.same_as is None else self.same_as.get_same_base()

    def is_batch_dim(self) -> bool:
        return self.name == "batch"


def made(value: object) -> Any:
    """The object that the text for ``value`` gives; RETURNN's imports are left out."""
    out = ConfigText()
    text = out.text("made", {"network": out.value(value)})
    names: dict[str, Any] = {}
    exec("\n".join(line for line in text.splitlines() if not line.startswith("from returnn")), names)
    return names["network"]


def test_plain_values() -> None:
    given = {"a": [1, 2.5, (None, "x")], "b": {3, 4}, "c": (), "d": set(), "e": np.float32(0.5), "f": np.float64(2e-5)}
    assert made(given) == given


def test_arrays() -> None:
    np.testing.assert_array_equal(made(np.array([[1, 2]], "int16")), np.array([[1, 2]], "int16"))


def test_functions_and_what_they_read() -> None:
    offset = 4

    def moved(source: Any) -> Any:
        return scaled(source) + offset

    assert made({"eval": moved})["eval"](2) == 10
    difference = lambda x: x - offset  # noqa: E731
    assert made({"eval": difference, "again": difference})["again"](5) == 1


def halved(number: int) -> int:
    """A function that calls itself."""
    return 1 + halved(number // 2) if number else 0


def test_functions_that_call_themselves() -> None:
    assert made({"eval": halved})["eval"](8) == 4


def test_tensorflow_is_that_of_net_dicts() -> None:
    def smoothed(source: Any) -> Any:
        import tensorflow as tf

        return tf.log(source)

    out = ConfigText()
    out.value({"eval": smoothed})
    assert "    import tensorflow.compat.v1 as tf\n" in out.text("names that later versions lack", {})


def test_no_text_for_other_objects() -> None:
    with pytest.raises(CannotWrite, match="an object of object"):
        ConfigText().value(object())
    with pytest.raises(CannotWrite, match="the module pytest"):
        ConfigText().define("helper", pytest)


def test_dims_are_made_once_and_in_order() -> None:
    time = Dim(None, "time")
    feature = Dim(5, "in-feature", kind=Kind.feature)
    double = Dim(None, "2*time", derived_from_op=Operation("mul", [Dim(2, "two"), time]))
    out = ConfigText()
    written = out.value({"axis": time, "out_dim": double, "dims": [Dim(None, "batch"), feature, time]})
    assert written == "{'axis': d_time, 'out_dim': d_2_time, 'dims': [batch_dim, d_in_feature, d_time]}"
    lines = out.text("dims", {}).splitlines()[-4:]
    assert lines == [
        "d_time = Dim(None, name='time')",
        "d_two = Dim(2, name='two')",
        "d_2_time = d_two * d_time",
        "d_in_feature = Dim(5, name='in-feature', kind=Dim.Types.Feature)",
    ]


def test_dims_that_are_the_same() -> None:
    feature = Dim(5, "feature")
    same, twin = Dim(5, "other", same_as=feature), Dim(5, "feature", same_as=feature, match_priority=1)
    out = ConfigText()
    assert out.value([same, twin, feature]) == "[d_feature, d_feature_2, d_feature]"
    assert out.text("dims", {}).splitlines()[-2:] == [
        "d_feature = Dim(5, name='feature')",
        "d_feature_2 = d_feature.copy(match_priority=1)",
    ]


def test_dims_of_this_project() -> None:
    time, feature = OurDim("time"), OurDim("feature", 5)
    out = ConfigText()
    assert out.value([time.ceildiv(3), time + 2, (time + feature) * 2, time // 2])
    lines = out.text("dims", {}).splitlines()[5:]
    assert lines == [
        "d_time = Dim(None, name='time', kind=Dim.Types.Spatial)",
        "d_time__3 = d_time.ceildiv_right(3)",
        "d_time_2 = d_time + 2",
        "d_feature = Dim(5, name='feature', kind=Dim.Types.Spatial)",
        "d_2_time_2_feature = 2 * d_time + 2 * d_feature",
        "d_time__2 = d_time // 2",
    ]


def test_an_unknown_operation_of_dims() -> None:
    strange = Dim(None, "strange", derived_from_op=Operation("pow", []))
    with pytest.raises(CannotWrite, match="a dim by pow"):
        ConfigText().value(strange)
