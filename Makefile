# For users: `make demo`, `make demo-attention` and `make test`. Everything lives in .venv and examples/out.

PYTHON ?= python3.11
VENV   := .venv
BIN    := $(VENV)/bin
DEMO   := examples/out


.DEFAULT_GOAL := help
.PHONY: help demo demo-attention test test-slow mutants lint bench gpu-check support options clean

help:  ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 18

$(BIN)/returnn-run: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -e '.[examples]'
	@touch $@

$(VENV)/test-tools: $(BIN)/returnn-run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -e '.[test]'
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

test: $(VENV)/test-tools  ## everything that CI runs: ruff, mypy, pytest
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -n 2 -m "not slow"

test-slow: $(VENV)/test-tools  ## the long property tests
	$(BIN)/pytest -n 2 -m slow

mutants: $(VENV)/test-tools  ## change the sources in N=100 places (SEED=1): do the tests notice?
	$(BIN)/python -m tests.mutants --count $(or $(N),100) --seed $(or $(SEED),1)

bench: $(VENV)/test-tools  ## compare with RETURNN and PyTorch (PEER_RETURNN_PYTHON, PEER_TORCH_PYTHON)
	$(BIN)/python tests/benchmarks/bench.py --json $(DEMO)/bench.json

# on a machine without TensorFlow: GPU_PYTHON=python3.11, which has onnxruntime-gpu, onnx and NumPy
gpu-check: $(if $(GPU_PYTHON),,$(BIN)/returnn-run)  ## run the exported golden cases on a CUDA GPU, if there is one
	$(or $(GPU_PYTHON),$(BIN)/python) -m tests.gpu.gpu_check --json $(DEMO)/gpu.json

support: $(VENV)/test-tools  ## write docs/support.md from the golden cases
	$(BIN)/pytest -n 2 tests/conformance --write-support

options: $(BIN)/returnn-run  ## write docs/options.md and docs/layers.md from the tables of keys and the classes of options
	$(BIN)/python -m tests.config.options_page
	$(BIN)/python -m tests.config.layers_page

clean:  ## remove the venv and what the examples made
	rm -rf $(VENV) $(DEMO)
