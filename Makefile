# make demo   build the flight-delay example, prove it, serve it, ask it
# make test   the tests
# make test-slow   the rest of them, which takes longer
# make lint   ruff, mypy, the layers, TypeScript
# make format what ruff can mend by itself
# make docs   the documentation as a site, in build/site
# make env    the environment in .venv that the others use
#
# Needs Python 3.11 or later, Node.js 20 or later and make; nothing has to be installed or active beforehand.

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.nb2prod-environment
MODULES := labextension/node_modules/.package-lock.json
# One worker for each core; a file's tests stay together, for they share what was expensive to make.
TEST_OPTIONS ?= -n logical --dist loadfile

# What the installed package is made from; its Python code is used where it stands.
SIDEBAR := $(shell find labextension/src labextension/style labextension/schema -type f 2>/dev/null) \
	labextension/package.json labextension/package-lock.json labextension/tsconfig.json \
	labextension/install.json labextension/server-config.json

# The machine's own certificates: uv would otherwise bring its own list, without a company's.
export UV_SYSTEM_CERTS = 1
# Where it is set, each of the many processes of a build compiles pandas and scikit-learn anew: three times the time.
unexport PYTHONDONTWRITEBYTECODE

.DELETE_ON_ERROR:
.PHONY: demo test test-slow lint format docs env

demo: env
	$(BIN)/nb2prod demo

test: env $(MODULES)
	cd labextension && npm test
	$(BIN)/python -m pytest $(TEST_OPTIONS) -m "not slow"

test-slow: env
	$(BIN)/python -m pytest $(TEST_OPTIONS) -m slow

lint: env $(MODULES)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PYTHONPATH=. $(BIN)/lint-imports
	cd labextension && npm run lint

format: env
	$(BIN)/ruff check --fix --exit-zero .
	$(BIN)/ruff format .

docs: env
	$(BIN)/python docs/make_gallery.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet

env: $(STAMP)

$(STAMP): pyproject.toml constraints.txt hatch_build.py $(SIDEBAR)
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(None if v >= (3, 11) else "nb2prod needs Python 3.11 or later and $(PYTHON) is %d.%d: try make PYTHON=python3.11" % v[:2])'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt uv
	$(BIN)/uv pip install --compile-bytecode --python $(BIN)/python --constraint constraints.txt --build-constraint constraints.txt --editable ".[dev]"
	@touch $@

$(MODULES): labextension/package-lock.json
	cd labextension && npm ci
	@touch $@
