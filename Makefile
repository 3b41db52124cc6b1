# make demo   the whole workflow on generated recordings, in minutes
# make test   unit tests, then the workflow's own behaviour
# make help   everything else

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
PYTHON ?= python3
CORES ?= all
# Throw-away SLURM clusters that are tested side by side: mostly they wait.
CLUSTERS ?= 2
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
# The tools that exports are for live apart: nothing of ours may need them.
CLIENTS := build/clients
# Where jobs go: the folder of a profile, or nothing for this machine.
PROFILE ?= $(if $(shell command -v sbatch),slurm)
ABOUT = --profile "$(PROFILE)" $(if $(STUDY),--study $(STUDY)) $(if $(CONFIGFILE),--configfile $(CONFIGFILE))
# One thread a process: snakemake runs several, and more threads than cores are slower than one.
export OMP_NUM_THREADS ?= 1

.PHONY: help setup demo example report test test-unit test-slow test-browser test-workflow test-slurm test-clients lint lock fuzz bench bench-gpu proof-ntu dag plan status preflight clean

help:  ## say what each target does
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: $(READY)  ## create .venv from requirements.lock and torch.lock

$(READY): requirements.lock torch.lock pyproject.toml
	@case "$$PWD" in *[[:space:]\'\"\\\$$\`\&\;\(\)]*) \
		echo "$$PWD has a blank, a quote or the like, with which programs of .venv do not start; move the folder elsewhere"; \
		exit 1;; esac
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "skelnas needs Python 3.11 or newer; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check -r torch.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

demo: $(READY)  ## run the whole workflow on generated recordings and say where the figures lie
	$(BIN)/snakemake --cores $(CORES) --quiet rules progress -- demo
	$(BIN)/snakemake --cores 1 --quiet all --report report.zip -- demo
	@echo
	@echo "Pages:    results/report/demo.html  results/explorer/demo.html (open them in a browser)"
	@echo "Figures:  results/images/synthetic/  results/analysis/demo/synthetic/demo/"
	@echo "Table:    results/benchmark/demo/synthetic/demo.parquet (one row per cell)"
	@echo "Archive:  results/archive/demo.zip"
	@echo "Rules:    report.zip (snakemake's own report: unpack it and open report/report.html)"

example: $(READY)  ## report and explorer of the results that come with the package
	$(BIN)/skelnas pages --to results/example

report: $(READY)  ## make report.zip of the study that config.yaml names (STUDY=name for another)
	$(BIN)/snakemake --cores 1 --quiet all --report report.zip -- $(STUDY)
	@echo "Report: report.zip (unpack it and open report/report.html)"

test: test-unit test-slow test-browser test-workflow  ## unit tests, pages in a browser, then the workflow's own behaviour

test-unit: $(READY)  ## the quick tests of the package, in some minutes
	$(BIN)/pytest -n 2 --dist worksteal -m "not slow and not workflow and not slurm and not browser and not clients"

test-slow: $(READY)  ## tests of the package that take seconds each: damaged files, compiled kernels, killed trainings
	$(BIN)/pytest -n 2 --dist worksteal -m "slow and not workflow and not slurm and not browser and not clients"

test-browser: $(READY)  ## pages opened in chromium (apt-get install chromium)
	$(BIN)/pytest -m browser tests/pages

test-workflow: $(READY)  ## tests that run snakemake on small studies
	$(BIN)/pytest -n 2 --dist loadfile -m workflow

test-slurm: $(READY)  ## tests on throw-away SLURM clusters of this machine, CLUSTERS side by side (Debian, root)
	$(BIN)/pytest -m slurm -n $(CLUSTERS) --maxschedchunk 1 tests/slurm

test-clients: $(READY) $(CLIENTS)/ready  ## what we export, read by the unmodified tools it is for
	$(BIN)/pytest -n 2 --dist loadfile -m clients tests/clients

$(CLIENTS)/ready: tests/clients.lock
	$(PYTHON) -m venv $(CLIENTS)
	$(CLIENTS)/bin/pip install --quiet --disable-pip-version-check --no-deps -r tests/clients.lock
	touch $@

lint: $(READY)  ## ruff, mypy, snakefmt and snakemake --lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint

lock:  ## renew requirements.lock from pyproject.toml; torch.lock is changed by hand
	$(PYTHON) -m venv build/lock && build/lock/bin/pip install --quiet pip-tools
	build/lock/bin/pip-compile --quiet --upgrade --strip-extras --no-annotate --no-header --generate-hashes \
		--unsafe-package torch --constraint torch.lock --extra workflow --extra dev \
		--output-file build/requirements.lock pyproject.toml
	{ head -n 1 requirements.lock; awk '/^[a-z0-9]/ {keep = /==/} /^[a-z0-9]|^ +--hash/ {if (keep) print}' \
		build/requirements.lock; } > build/new.lock
	mv build/new.lock requirements.lock

bench: $(READY)  ## a full benchmark file; every engine against a reference-style loop; kernels for every card
	$(BIN)/python -m bench.benchmark_file
	$(BIN)/python -m bench.engines
	$(BIN)/python -m bench.ntu_parser
	$(BIN)/python -m bench.compiled --every-card
	$(BIN)/python -m bench.explorer

fuzz: $(READY)  ## damage every format that is read, three minutes; then every bit of the headers of our files
	PYTHONPATH=src:. $(BIN)/python -m tests.fuzz --seconds 180
	$(BIN)/python tests/fuzz/hdf5_headers.py

bench-gpu:  ## kernels, equality and speed on this machine's GPU; needs no .venv, only PYTHON with torch and triton
	PYTHONPATH=src $(PYTHON) -m bench.gpu

proof-ntu: $(READY)  ## convert made-up archives with all 56,880 NTU-60 names (MISSING=list of samples without skeletons)
	$(BIN)/python -m bench.ntu_full_size $(if $(MISSING),--missing $(MISSING))

dag: $(READY)  ## draw docs/images/dag.svg, with a few of the analyses (needs graphviz)
	$(BIN)/snakemake --rulegraph dot --config 'studies={demo: {analyses: [learning-curves, main-effects, claims, search]}}' -- demo | tred | dot -Tsvg > docs/images/dag.svg

plan: $(READY)  ## what a study will cost (STUDY=name, else the one that config.yaml names)
	@$(BIN)/skelnas plan $(ABOUT)

status: $(READY)  ## how far it is: trainings, jobs, failures with their reason
	@$(BIN)/skelnas status $(ABOUT)

preflight: $(READY)  ## what would fail after hours, checked in a minute, on a compute node too
	@$(BIN)/skelnas preflight $(ABOUT)

clean:  ## remove what the workflow made (not data/raw)
	rm -rf results logs benchmarks report.zip
