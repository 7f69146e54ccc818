# The two commands: `make demo` and `make test`. Both set everything up first.
SHELL := /bin/bash

# What people give is data, never make's or the shell's text: its value as it was written goes into
# the environment, from which recipes take it in quotes. No $ or quote in it is read by anybody.
CONFIG ?= configs/demo.yaml
SET ?=
CORES ?=
IMAGENET ?= ../shared/data/imagenet_val
PHOTOGRAPHS ?=
override CONFIG := $(value CONFIG)
override SET := $(value SET)
override CORES := $(value CORES)
override IMAGENET := $(value IMAGENET)
override PHOTOGRAPHS := $(value PHOTOGRAPHS)
export CONFIG SET CORES IMAGENET PHOTOGRAPHS

PYTHON := .venv/bin/python
READY := .venv/ready

.PHONY: demo study test test-integration wheel-test lint docs reference settings campaign schema setup gallery ffcv-wheel clean \
	benchmark-analysis benchmark-calibration benchmark-loader benchmark-training

demo: override CONFIG := configs/demo.yaml
demo: study

study: $(READY)
	@$(PYTHON) -m daclass study "$$CONFIG" --words="$$SET" $${CORES:+--cores="$$CORES"}

test: lint
	$(PYTHON) -m pytest -n 2 --dist loadfile

# What needs more than Python: the report in a real browser (Debian's chromium), and studies through
# a real Slurm (Debian's slurm-wlm, started on this machine for the tests; needs root).
test-integration: $(READY)
	bash workflow/setup.sh integration
	$(PYTHON) -m pytest tests/integration

# The package alone, as others install it: needs the registry. A part of test-integration.
wheel-test: $(READY)
	$(PYTHON) -m pip install --quiet --constraint constraints.txt 'build>=1.2'
	$(PYTHON) -m pytest tests/integration/test_wheel.py

lint: $(READY)
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	bash workflow/lint.sh

# The documentation site, strictly and without network: docs/_build/index.html. Its notebooks are
# run, which takes about two minutes of one core; tests build it without, and run them apart.
docs: $(READY)
	$(PYTHON) -m sphinx --fail-on-warning --keep-going --fresh-env --quiet docs docs/_build
	@echo "docs/_build/index.html"

# Every setting of two tiny studies, changed: is a table stale that was not made again? Takes an
# hour, and goes on where it was stopped; without the table it begins anew.
settings: $(READY)
	$(PYTHON) -m tests.stages.settings_walk tests/tiny.yaml tests/tiny_jitter.yaml

# Faults at every stage of a tiny study, and bad inputs: is the end that of an undisturbed one, and
# is each input refused in one line? Goes on where it was stopped; without the tables it begins
# anew.
campaign: $(READY)
	$(PYTHON) -m tests.stages.bad_inputs
	$(PYTHON) -m tests.stages.campaign

schema: $(READY)
	$(PYTHON) -m daclass schema > workflow/schemas/study.json

# The lists of settings, tables and commands in docs/reference/.
reference: $(READY)
	$(PYTHON) docs/generated.py

setup: $(READY)

$(READY): pyproject.toml constraints.txt workflow/setup.sh
	@bash workflow/setup.sh
	@touch $@

# The demo's and the petri study's figures and summaries, as they are committed; their reports stay
# out, since two thirds of 1.5 MB are the charts' library. report.png is a screenshot of the first
# screen. Of
# studies on pictures that may not be passed on, the summary and the numbers of the interventions
# alone are.
gallery: $(READY)
	mkdir -p figures/gallery/demo figures/gallery/petri
	cp results/demo/summary.json figures/gallery/demo/
	cp figures/demo/{average_and_classes,accuracy_over_views,accuracy_by_strength,class_effects}.{png,csv,txt} \
		figures/demo/{original_vs_multi,confusion_plane,interventions_vs_best,planted_vs_found}.{png,csv,txt} \
		figures/gallery/demo/
	cp figures/petri/*.{png,csv,txt} results/petri/summary.json figures/gallery/petri/
	for study in cifar10h fashion_mnist mixup tiny_imagenet tiny_imagenet_24 weight_decay; do \
		[ -f results/$$study/summary.json ] || continue; \
		mkdir -p figures/gallery/$$study; \
		cp results/$$study/summary.json figures/$$study/class_effects.csv figures/gallery/$$study/; \
		[ ! -f figures/$$study/interventions_vs_best.csv ] || \
			cp figures/$$study/interventions_vs_best.csv figures/gallery/$$study/; \
	done

# For machines without a compiler or root: dist/ffcv-*.whl carries all that FFCV needs
# (docs/cluster.md).
ffcv-wheel: $(READY)
	bash workflow/ffcv_wheel.sh

# Results stay: they may be a thousand hours.
clean:
	rm -rf .venv .snakemake docs/_build

# Slow evidence, whose tables are committed (benchmarks/README.md). IMAGENET holds ImageNet's
# validation labels, the predictions of 16 models and some validation pictures, as tests/conftest.py
# expects them.
benchmark-loader benchmark-training: PHOTOGRAPHS_THERE = "$${PHOTOGRAPHS:-$$IMAGENET/ilsvrc_val_1300_227px.tar}"

benchmark-analysis: $(READY)
	$(PYTHON) benchmarks/analysis.py --root "$$IMAGENET"

benchmark-calibration: $(READY)
	$(PYTHON) -m benchmarks.calibration
	$(PYTHON) -m benchmarks.decision
	$(PYTHON) -m benchmarks.calibration_table

benchmark-loader: $(READY)
	$(PYTHON) benchmarks/loader.py --photographs $(PHOTOGRAPHS_THERE)

benchmark-training: $(READY)
	$(PYTHON) benchmarks/training.py --photographs $(PHOTOGRAPHS_THERE)
