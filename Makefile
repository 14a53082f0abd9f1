# For users: `make demo`, `make demo-attention`, `make demo-pretrain` and `make test`. Everything lives in .venv and examples/out.

# A Python from 3.11 to 3.13 that can make a venv; PYTHON=/path/to/python for another one.
CANDIDATES := python3.11 python3.12 python3.13 python3 python
USABLE     := import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON     ?= $(shell for p in $(CANDIDATES); do "$$p" -c '$(USABLE)' >/dev/null 2>&1 && echo "$$p" && break; done)
VENV       := .venv
BIN        := $(VENV)/bin
DEMO       := examples/out
WHEEL      := build/wheel
# What is tested is this checkout, or what was installed, and nothing that a user's variable adds.
unexport PYTHONPATH
PIP        := -m pip install --quiet --disable-pip-version-check --no-compile

.DEFAULT_GOAL := help
.PHONY: help demo demo-attention demo-pretrain test test-slow test-pythons test-wheel mutants lint bench gpu-check random-nets support options ops clean

help:  ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 18

$(BIN)/returnn-run: pyproject.toml
	@"$(PYTHON)" -c '$(USABLE)' >/dev/null 2>&1 || { echo "no Python from 3.11 to 3.13 with venv among $(or $(PYTHON),$(CANDIDATES));" \
	    "give one: make PYTHON=/path/to/python" >&2; exit 1; }
	@echo "using $$("$(PYTHON)" --version) of $$("$(PYTHON)" -c 'import sys; print(sys.executable)') in $(VENV)"
	@"$(PYTHON)" -m venv $(VENV)
	$(BIN)/python $(PIP) -e '.[examples]'
	@touch $@

$(VENV)/test-tools: $(BIN)/returnn-run
	$(BIN)/python $(PIP) -e '.[test]'
	@touch $@

demo: $(BIN)/returnn-run  ## train on scanned digits, export to ONNX, decode with both
	@rm -rf $(DEMO)/handwriting $(DEMO)/handwriting.onnx
	$(BIN)/python examples/digits_data.py $(DEMO)/digits
	$(BIN)/returnn-run examples/handwriting.py
	$(BIN)/returnn-compile examples/handwriting.py --target onnx -o $(DEMO)/handwriting.onnx \
	    --checkpoint $$($(BIN)/returnn-run --best-checkpoint examples/handwriting.py)
	$(BIN)/python examples/handwriting_decode.py $(DEMO)/handwriting.onnx

demo-attention: $(BIN)/returnn-run  ## train an attention model on the digits, beam search in TensorFlow and in ONNX
	@rm -rf $(DEMO)/attention $(DEMO)/attention.onnx
	$(BIN)/python examples/digits_data.py $(DEMO)/digits
	$(BIN)/returnn-run examples/attention.py
	$(BIN)/returnn-compile examples/attention.py --target onnx --mode search -o $(DEMO)/attention.onnx \
	    --checkpoint $$($(BIN)/returnn-run --best-checkpoint examples/attention.py)
	$(BIN)/python examples/attention_decode.py $(DEMO)/attention.onnx

demo-pretrain: $(BIN)/returnn-run  ## train a network that grows, draw its scores and learning rates
	@rm -rf $(DEMO)/pretrain $(DEMO)/pretrain.svg
	$(BIN)/python examples/digits_data.py $(DEMO)/digits
	$(BIN)/returnn-run examples/pretrain.py
	$(BIN)/python examples/learning_curve.py $(DEMO)/pretrain/learning_rates $(DEMO)/pretrain.svg

test: lint  ## everything that CI runs: ruff, mypy, pytest; prints the 20 slowest tests
	$(BIN)/pytest -n 2 -m "not slow" --durations=20

lint: $(VENV)/test-tools  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test-slow: $(VENV)/test-tools  ## the long property tests
	$(BIN)/pytest -n 2 -m slow

test-pythons:  ## the tests with each Python from 3.11 to 3.13 that is installed
	@for p in python3.11 python3.12 python3.13; do \
	    if "$$p" -c '$(USABLE)' >/dev/null 2>&1; then tried="$$tried $$p"; else echo "$$p is not installed"; continue; fi; \
	    $(MAKE) test PYTHON="$$p" VENV="build/$$p" || failed="$$failed $$p"; \
	done; \
	echo "tested with:$${tried:- none}; failed:$${failed:- none}"; test -n "$$tried" && test -z "$$failed"

# Beside the tests there are no sources, so that they import what the wheel has installed.
test-wheel: $(BIN)/returnn-run  ## build the wheel, install it into a fresh venv, test what is installed
	@rm -rf $(WHEEL) build/lib build/bdist.*
	@mkdir -p $(WHEEL)/run
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir $(WHEEL) .
	$(BIN)/python -m venv $(WHEEL)/venv
	$(WHEEL)/venv/bin/python $(PIP) "$$(echo $(WHEEL)/*.whl)[test]"
	@cp -R tests examples pyproject.toml $(WHEEL)/run
	cd $(WHEEL)/run && ../venv/bin/python -m tests.installed
	cd $(WHEEL)/run && ../venv/bin/python -m pytest -n 2 -m "not slow" tests/test_api.py tests/cli tests/datasets \
	    tests/runtime tests/onnx/test_session.py tests/onnx/test_staged.py tests/conformance -k "not conformance or dense"

mutants: $(VENV)/test-tools  ## change the sources in N=100 places (SEED=1): do the tests notice?
	$(BIN)/python -m tests.mutants --count $(or $(N),100) --seed $(or $(SEED),1)

bench: $(VENV)/test-tools  ## compare with RETURNN and PyTorch (PEER_RETURNN_PYTHON, PEER_TORCH_PYTHON)
	$(BIN)/python tests/benchmarks/bench.py --json $(DEMO)/bench.json

# GPU_PYTHON=python3.12 of a machine that has its own libraries; PEER_TORCH_PYTHON, the Python that has PyTorch;
# GPU_SECONDS=500 for all of it; GPU_BEFORE=FOLDER, the sources of an older commit
gpu-check: $(if $(GPU_PYTHON),,$(BIN)/returnn-run)  ## measure all goals on a CUDA GPU, if there is one: exports, searches, training
	$(or $(GPU_PYTHON),$(BIN)/python) -m tests.gpu.gpu_check --out $(DEMO)/gpu \
	    $(if $(GPU_SECONDS),--seconds $(GPU_SECONDS)) $(if $(GPU_BEFORE),--before $(GPU_BEFORE))

random-nets: $(VENV)/test-tools  ## N=1000 random nets, judged by RETURNN (RETURNN_PYTHON, has RETURNN); SEED=1
	@test -n "$(RETURNN_PYTHON)" || { echo "make random-nets RETURNN_PYTHON=/path/to/python, one that has RETURNN" >&2; exit 2; }
	$(BIN)/python -m tests.random_nets --returnn-python "$(RETURNN_PYTHON)" --count $(or $(N),1000) --seed $(or $(SEED),1)

support: $(VENV)/test-tools  ## write docs/support.md from the golden cases
	$(BIN)/python -m tests.conformance.contrib
	$(BIN)/pytest -n 2 -m "not slow" tests/conformance --write-support

options: $(BIN)/returnn-run  ## write docs/{options,layers,datasets}.md from the tables of keys and the classes of options
	$(BIN)/python -m tests.config.options_page
	$(BIN)/python -m tests.config.layers_page
	$(BIN)/python -m tests.config.datasets_page

ops: $(BIN)/returnn-run  ## write docs/ops.md from the declarations of the ops
	$(BIN)/python -m tests.ir.ops_page

clean:  ## remove the venv and what the examples made
	rm -rf $(VENV) $(DEMO)
