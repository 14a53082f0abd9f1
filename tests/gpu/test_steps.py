"""The steps that are measured: their batches, and that tiny ones stand for all of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.gpu.steps import LOOPS, MODELS, SMALL_FRAMES, TRAINING, Job, forward_jobs, training_jobs
from tests.gpu.tensorflow_placement import TensorFlowPlacement
from tests.gpu.worker_tensorflow import compiled, feed_of


def test_batches_are_ragged() -> None:
    lengths = Job("blstm", 100).lengths()
    assert lengths[0] == 100 and lengths.min() >= 50 and len(set(lengths)) > 10
    assert (np.diff(lengths) <= 0).all()


@pytest.mark.parametrize("model", MODELS)
def test_a_job_has_all_inputs_of_its_network(model: str) -> None:
    job = Job(model, 12, small=True)
    program = compiled(job, "cpu")
    executable: Any = program.executable
    feed = feed_of(job, program)
    assert set(feed) == set(executable.inputs)
    lengths = feed["data/size1"]
    assert lengths[0] == feed["data"].shape[1] == 12 and lengths.min() < 12


def test_names_are_different() -> None:
    for jobs in (TRAINING, LOOPS, forward_jobs(small=False), training_jobs(small=True), forward_jobs(small=True)):
        names = [job.name for job in jobs]
        assert len(set(names)) == len(names)


def test_small_jobs_are_of_all_kinds() -> None:
    assert {job.model for job in training_jobs(small=True)} == set(MODELS)
    assert {job.precision for job in training_jobs(small=True)} == {job.precision for job in TRAINING}
    for kinds in (training_jobs, forward_jobs):
        small, whole = kinds(small=True), kinds(small=False)
        assert {job.model for job in small} == {job.model for job in whole}
        assert all(job.small and job.frames == SMALL_FRAMES for job in small)


def test_precision() -> None:
    job = Job("transformer", 8, precision="bfloat16", small=True)
    assert job.name == "transformer, 3 x 8 frames, bfloat16"
    assert job.config().endswith("mixed_precision = 'bfloat16'\n")
    forward = Job("blstm", 8, precision="float16", sequences=1, forward=True)
    assert forward.name == "blstm, 1 x 8 frames, float16"
    assert "mixed_precision" not in forward.config()  # all of the exported model is in half precision


def test_what_a_log_says_of_nodes() -> None:
    where = "/job:localhost/replica:0/task:0/device"
    log = (
        "2026-01-01 00:00:00: I placer.cc:1] noise\n"
        f"a/MatMul: (MatMul): {where}:GPU:0\n"
        f"while/body/add: (AddV2): {where}:GPU:0\n"
        f"while/enter: (Enter): {where}:GPU:0\n"
        f"input: (_Arg): {where}:CPU:0\n"
        f"a/assert: (Assert): {where}:CPU:0\n"
        f"b/assert: (Assert): {where}:CPU:0\n"
    )
    assert str(TensorFlowPlacement.of_log(log)) == "nodes 2 on GPU, 2 on CPU (Assert 2)"
