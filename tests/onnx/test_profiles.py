"""Profiles: onnxruntime's own ops compute what the portable file does, and are only where they were asked for."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest

from compiler.cli import main
from compiler.onnx.export import export
from compiler.onnx.profile import Format, Profile, Provider
from compiler.onnx.split_export import export_split
from compiler.onnx.target import OnnxTarget
from compiler.program.named import named_reference
from compiler.program.pipelines import lower_to
from compiler.program.program import Program, compile_net
from compiler.target.protocol import Accept, Reject
from returnn_ir import load
from returnn_ir.errors import IRError, TargetError, UserError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from runtime.deployment.session import OnnxSession
from tests.onnx.graphs import Net, agree, lower, op_types

LENGTHS = [(5, 1, 3), (0, 4), (0, 0)]
FUSED = OnnxTarget(profile=Profile.ONNXRUNTIME, provider=Provider.CUDA)


def _norm(net: Net, total: Value, dim: Dim) -> Value:
    return net.b.op("layer_norm", total, net.param("scale", dim), net.param("bias", dim), dim=dim)


def _residual(net: Net, x: str, skip: str, *, sum_is_read: bool) -> None:
    """The norm of a sum of two inputs with their axes in these orders."""
    named = {"B": net.batch, "T": net.time, "F": net.feature}
    total = net.b.add(*(net.input(f"in{i}", *(named[c] for c in axes)) for i, axes in enumerate((x, skip))))
    net.give("y", _norm(net, total, net.feature))
    if sum_is_read:
        net.give("sum", net.b.mul(total, 2.0))


# -------------------------------------------------------------------- SkipLayerNormalization


@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize("skip", ["BTF", "TBF", "FTB"])
@pytest.mark.parametrize("x", ["BTF", "TBF", "BFT", "FBT"])
@pytest.mark.parametrize("sum_is_read", [True, False])
@pytest.mark.parametrize("fusion", ["require", "never"])
def test_norm_of_a_sum(x: str, skip: str, lengths: tuple[int, ...], sum_is_read: bool, fusion: str) -> None:
    def build(net: Net) -> None:
        _residual(net, x, skip, sum_is_read=sum_is_read)

    fused = {"skip_layer_norm": fusion}
    agree(build, lengths, fusion=fused, profile=Profile.ONNXRUNTIME, provider=Provider.CUDA)


def test_norm_of_a_sum_of_two_axes() -> None:
    def build(net: Net) -> None:
        x, y = (net.input(name, net.batch, net.feature) for name in ("x", "y"))
        net.give("y", _norm(net, net.b.add(x, y), net.feature))

    policy = {"skip_layer_norm": "require"}
    agree(build, fusion=policy, profile=Profile.ONNXRUNTIME, provider=Provider.CUDA)


def test_one_node_has_the_norm_and_the_sum() -> None:
    found = {}
    for sum_is_read in (True, False):
        net = Net()
        _residual(net, "BTF", "BTF", sum_is_read=sum_is_read)
        model = lower(net, profile=Profile.ONNXRUNTIME, provider=Provider.CUDA).model(net.params)
        (node,) = [n for n in model.graph.node if n.op_type == "SkipLayerNormalization"]
        found[sum_is_read] = [bool(name) for name in node.output]
        assert not {"Add", "LayerNormalization"} & set(op_types(model))
        assert node.domain == "com.microsoft"
    assert found == {True: [True, False, False, True], False: [True]}


def _wide(net: Net) -> None:
    x = net.input("x", net.batch, net.time, Dim("C", 2), net.feature)
    net.give("y", _norm(net, net.b.add(x, x), net.feature))


def _vector(net: Net) -> None:
    x = net.param("x", net.feature)
    net.give("y", _norm(net, net.b.add(x, x), net.feature))


def _doubles(net: Net) -> None:
    x = net.b.cast(net.x, "float64")
    scale, bias = (net.b.cast(net.param(name, net.feature), "float64") for name in ("scale", "bias"))
    net.give("y", net.b.op("layer_norm", net.b.add(x, x), scale, bias, dim=net.feature))


def _plain(net: Net) -> None:
    _residual(net, "BTF", "BTF", sum_is_read=True)


_SLOW = "on a CPU its kernel takes several times as long as Add and LayerNormalization (--device cuda)"
REFUSED: dict[str, tuple[Callable[[Net], None], OnnxTarget]] = {
    "SkipLayerNormalization takes arrays of 2 or 3 axes, not of 4": (_wide, FUSED),
    "SkipLayerNormalization takes arrays of 2 or 3 axes, not of 1": (_vector, FUSED),
    "SkipLayerNormalization of float64": (_doubles, FUSED),
    _SLOW: (_plain, OnnxTarget(profile=Profile.ONNXRUNTIME)),
    "ONNX has no operator for it, the profile onnxruntime has": (_plain, OnnxTarget()),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_why_a_norm_stays_apart(reason: str) -> None:
    """Told by ``--explain``, an error where the config requires it, and the numbers are the same."""
    build, target = REFUSED[reason]
    net = Net()
    build(net)
    _, journal = lower_to(net.graph, target)
    assert f"layer_norm not fused with the sum that it normalises: {reason}" in str(journal).splitlines()
    net = Net()
    build(net)
    with pytest.raises(TargetError) as error:
        lower_to(net.graph, target, fusion={"skip_layer_norm": "require"})
    assert str(error.value) == (
        f"target 'onnx' cannot run op 'skip_layer_norm': {reason}\n"
        '  try: fusion = {"skip_layer_norm": "prefer"} expands it'
    )
    agree(build, profile=target.profile, provider=target.provider)


def test_a_sum_that_repeats_one_part_stays_apart() -> None:
    """A bias, or positions that all sequences share: no array for the kernel."""

    def build(net: Net) -> None:
        net.give("y", _norm(net, net.b.add(net.x, net.param("positions", net.feature)), net.feature))

    net = Net()
    build(net)
    _, journal = lower_to(net.graph, FUSED)
    assert str(journal) == "layer_norm fused: LayerNormalization"
    agree(build, profile=Profile.ONNXRUNTIME, provider=Provider.CUDA)


def test_a_scale_that_is_computed_from_the_sum_waits_for_it() -> None:
    def build(net: Net) -> None:
        total = net.b.add(net.x, net.x)
        scale = net.b.reduce("mean", total, net.batch, net.time)
        net.give("y", net.b.op("layer_norm", total, scale, net.param("bias", net.feature), dim=net.feature))

    agree(build, profile=Profile.ONNXRUNTIME, provider=Provider.CUDA)


# -------------------------------------------------------------------- Gelu


@pytest.mark.parametrize("fusion", ["require", "never"])
@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize("opset", [17, 19, 20, 21])
def test_gelu_at_any_opset(opset: int, lengths: tuple[int, ...], fusion: str) -> None:
    def build(net: Net) -> None:
        net.give("y", net.b.op("gelu", net.x), net.feature, net.batch, net.time)

    agree(build, lengths, opset=opset, fusion={"gelu": fusion}, profile=Profile.ONNXRUNTIME)


def test_which_gelu() -> None:
    def verdict(opset: int, profile: Profile, dtype: str = "float32") -> Accept | Reject:
        net = Net()
        y = net.b.op("gelu", net.b.cast(net.x, dtype))
        assert y.node is not None
        return OnnxTarget(opset, profile).accepts(y.node, net.graph.body)

    early = "ONNX has Gelu from opset 20 on"
    assert verdict(19, Profile.PORTABLE) == Reject(early)
    assert verdict(19, Profile.ONNXRUNTIME) == Accept("Gelu of onnxruntime")
    late = "Gelu (not Gelu of onnxruntime: ONNX has it itself from opset 20 on)"
    assert verdict(20, Profile.ONNXRUNTIME) == Accept(late)
    assert verdict(19, Profile.ONNXRUNTIME, "float64") == Reject(f"onnxruntime has none for float64; {early}")


# -------------------------------------------------------------------- what onnxruntime makes of the portable file


def _optimised(model: Any, path: Path) -> list[str]:
    """The operators that run: after onnxruntime's own fusions (its extended level, with which it opens every model)."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(path)
    onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return op_types(onnx.load(path))


OWN: dict[str, tuple[Callable[[Net], Value], str, str]] = {
    "silu": (lambda net: net.b.op("silu", net.x), "QuickGelu", "Sigmoid"),
    "silu of a bias": (lambda net: net.b.op("silu", _biased(net)), "QuickGelu", "Sigmoid"),
    "scaled sigmoid": (lambda net: _gelu2(net), "QuickGelu", "Sigmoid"),
    "gelu of a bias": (lambda net: net.b.op("gelu", _biased(net)), "BiasGelu", "Gelu"),
    "scaled product": (lambda net: net.b.mul(_product(net), 0.125), "FusedMatMul", "Mul"),
    "product of a transposed array": (lambda net: _squares(net), "FusedMatMul", "Transpose"),
}


def _product(net: Net) -> Value:
    return net.b.dot(net.x, net.param("W", net.feature, Dim("out", 6)), net.feature)


def _biased(net: Net) -> Value:
    product = _product(net)
    return net.b.add(product, net.param("b", product.dims[-1]))


def _gelu2(net: Net) -> Value:
    return net.b.mul(net.x, net.b.unary("sigmoid", net.b.mul(net.x, 1.702)))


def _squares(net: Net) -> Value:
    other = Dim("other", 4)
    x = net.input("square", net.batch, other, net.feature)
    y = net.input("square2", net.batch, Dim("third", 5), net.feature)
    return net.b.dot(x, y, net.feature)


@pytest.mark.parametrize("name", OWN)
def test_what_onnxruntime_fuses_itself_is_left_to_it(name: str, tmp_path: Path) -> None:
    """So neither profile has to write these nodes; docs/profiles.md says so."""
    build, fused, single = OWN[name]
    net = Net()
    net.give("y", build(net))
    found = _optimised(lower(net).model(net.params), tmp_path / "optimised.onnx")
    assert fused in found
    assert single not in found


# -------------------------------------------------------------------- files

ENCODER = """
extern_data = {"data": {"dim": 4}}
network = {
    "x": {"class": "linear", "activation": None, "n_out": 6, "from": "data"},
    "f": {"class": "linear", "activation": "gelu", "n_out": 6, "from": "x"},
    "sum": {"class": "combine", "kind": "add", "from": ["x", "f"]},
    "norm": {"class": "layer_norm", "from": "sum"},
    "output": {"class": "combine", "kind": "add", "from": ["sum", "norm"]},
}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "net.py"
    path.write_text(ENCODER, encoding="utf-8")
    return path


def _program(config: Path, **options: Any) -> Program:
    return compile_net(load(config), target="onnx", **options)


def test_a_file_says_what_it_needs(config: Path, tmp_path: Path) -> None:
    program = _program(config, profile="onnxruntime", device="cuda")
    path = tmp_path / "net.onnx"
    executable: Any = program.executable
    written = export(executable, program.initial_params(), path, reference=named_reference(load(config), "forward"))
    assert written.verification is not None
    assert written.verification.ok
    assert written.contrib == {"SkipLayerNormalization": 1}
    model = onnx.load(path)
    assert [(o.domain, o.version) for o in model.opset_import] == [("", 21), ("com.microsoft", 1)]
    metadata = OnnxSession(path).metadata
    profile = json.loads(metadata["returnn_ir.profile"])
    assert re.fullmatch(r"\d+\.\d+\.\d+", profile.pop("onnxruntime"))
    assert profile == {"name": "onnxruntime", "contrib": {"SkipLayerNormalization": 1}}
    typed = {info.name: info.type.tensor_type for info in model.graph.value_info}
    (node,) = [n for n in model.graph.node if n.domain]
    named = [name for name in node.output if name]
    assert [[d.dim_value for d in typed[name].shape.dim][-1] for name in named] == [6, 6]


def test_the_parts_of_a_search_say_it_each_for_itself(tmp_path: Path) -> None:
    case = Path(__file__).parents[1] / "golden" / "search" / "transformer_decoder"
    net = load(case.with_suffix(".py"), mode="search")
    options: dict[str, Any] = {"mode": "search", "fetch": ["output"], "losses": False}
    program = compile_net(net, target="onnx", profile="onnxruntime", device="cuda", **options)
    executable: Any = program.executable
    found: dict[str, tuple[object, object]] = {}
    export_split(executable, program.initial_params(), tmp_path / "parts")
    for path in sorted((tmp_path / "parts").glob("*.onnx")):
        model = onnx.load(path)
        (profile,) = [json.loads(p.value) for p in model.metadata_props if p.key == "returnn_ir.profile"]
        found[path.stem] = (profile["name"], profile.get("contrib"))
        assert ("com.microsoft" in [o.domain for o in model.opset_import]) == ("contrib" in profile)
    assert found == {
        "encoder": ("onnxruntime", None),
        "init": ("onnxruntime", None),
        "step": ("onnxruntime", {"MultiHeadAttention": 1, "SkipLayerNormalization": 1}),
        "finish": ("onnxruntime", None),
    }


@pytest.mark.parametrize("options", [{}, {"profile": "portable", "device": "cuda"}, {"profile": "onnxruntime"}])
def test_a_file_without_such_ops_is_as_portable_as_any(config: Path, options: dict[str, str]) -> None:
    program = _program(config, **options)
    executable: Any = program.executable
    model = executable.model(program.initial_params())
    assert [(o.domain, o.version) for o in model.opset_import] == [("", 21)]
    assert not [n for n in model.graph.node if n.domain]
    (profile,) = [p.value for p in model.metadata_props if p.key == "returnn_ir.profile"]
    assert json.loads(profile) == {"name": options.get("profile", "portable")}


def test_the_command_line(config: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    written = str(tmp_path / "net.onnx")
    arguments = [str(config), "--target", "onnx", "--profile", "onnxruntime", "--opset", "17", "-o", written]
    assert main([*arguments, "--explain"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "note: only onnxruntime can load it: it has ops of its own (1 Gelu)" in lines
    assert f"layer 'norm': layer_norm not fused with the sum that it normalises: {_SLOW}" in lines
    assert main([str(config), "--target", "tf", "--profile", "onnxruntime"]) == 2
    message = "profile: target 'tf' has no profile\n  received: onnxruntime\n  try: target 'onnx' has one\n"
    assert capsys.readouterr().err == f"returnn-compile: {message}"


def test_a_runtime_that_lacks_an_op_says_so(tmp_path: Path) -> None:
    helper = onnx.helper
    node = helper.make_node("NoSuchNormalization", ["x"], ["y"], domain="com.microsoft")
    infos = [helper.make_tensor_value_info(name, 1, [2]) for name in ("x", "y")]
    graph = helper.make_graph([node], "g", infos[:1], infos[1:])
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)]
    path = tmp_path / "m.onnx"
    onnx.save(helper.make_model(graph, ir_version=10, opset_imports=opsets), path)
    with pytest.raises(UserError) as error:
        OnnxSession(path)
    assert error.value.hint == (
        "the model has ops of onnxruntime itself that this build of it lacks: another version (the one that wrote the "
        "file is in its metadata, returnn_ir.profile), or export with --profile portable"
    )


def test_a_portable_file_takes_no_such_op() -> None:
    from compiler.onnx.writer import Writer

    with pytest.raises(IRError, match="SkipLayerNormalization is no operator of the profile portable"):
        Writer(Format()).contrib("SkipLayerNormalization", ["x"], [("float32", [2])])


def test_equal_nodes_are_written_once() -> None:
    from compiler.onnx.writer import Writer

    writer = Writer(Format(profile=Profile.ONNXRUNTIME))
    made = [("float32", [None, 2])]
    assert writer.contrib("Gelu", ["x"], made) == writer.contrib("Gelu", ["x"], made)
    assert len(writer.scope.nodes) == len(writer.scope.infos) == 1


def test_unknown_devices() -> None:
    with pytest.raises(TargetError) as error:
        Provider.of("gpu")
    assert str(error.value) == "target 'onnx' knows no device 'gpu'\n  expected: cpu, cuda"
