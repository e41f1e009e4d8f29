# Every target sets up what it needs, in .venv; nothing outside this folder is changed.
PYTHON ?= python3
BIN := .venv/bin
LEARNING := runs/learning-$(shell date +%Y%m%d-%H%M%S)
SETUP := pyproject.toml setup.py constraints.txt

.PHONY: help league test check learning bench side-by-side clean
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

# A seed, a time limit and a folder may be given, as in `make league SEED=1 BUDGET=60s OUT=runs/x`.
league: .venv/run.stamp ## train and rate a small slime volleyball league, print its leaderboard and how to watch it
	$(BIN)/arena league run slime-laptop $(if $(OUT),--out $(OUT)) $(if $(SEED),--seed $(SEED)) $(if $(BUDGET),--budget $(BUDGET))

test: .venv/dev.stamp ## run the tests, without the slow learning probes
	$(BIN)/python -m pytest -n 2 --dist loadfile

check: .venv/dev.stamp ## formatting, lint and types
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy

learning: .venv/dev.stamp ## the learning probes on more seeds, and the leagues of benchmarks/RESULTS.md (15 minutes)
	$(BIN)/python -m pytest -n 2 -m slow
	for seed in 0 1 2; do \
	  $(BIN)/arena league run slime-laptop --seed $$seed --out $(LEARNING)-seed$$seed && \
	  $(BIN)/arena match $(LEARNING)-seed$$seed@champion baseline --games 1000 --seed 100 || exit; \
	done

bench: .venv/bench.stamp ## measure the speed of the games, of training and of matches
	$(BIN)/arena bench env
	$(BIN)/arena bench train
	$(BIN)/arena bench match
	$(BIN)/arena bench league
	$(BIN)/arena bench ratings
	$(BIN)/arena bench scale

side-by-side: .venv/bench.stamp ## training here and in stable-baselines3: steps per second, seconds to solve CartPole (25 minutes)
	$(BIN)/python -m benchmarks.side_by_side $(if $(OUT),--out $(OUT))

clean: ## remove the environment, caches and build products; runs/ stays
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
	find envs agents arena tests examples benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# One stamp per set of extras, so that `make league` does not wait for test tools.
.venv/run.stamp: $(SETUP) | $(BIN)/python
	$(BIN)/python -m pip install --quiet -e . -c constraints.txt
	@touch $@

.venv/dev.stamp: $(SETUP) | $(BIN)/python
	$(BIN)/python -m pip install --quiet -e '.[test,dev,video,tensorboard,openskill,mpe,zoo,browser,ray,onnx,bench]' -c constraints.txt
	@touch $@

.venv/bench.stamp: $(SETUP) | $(BIN)/python
	$(BIN)/python -m pip install --quiet -e '.[bench]' -c constraints.txt
	@touch $@

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv .venv
