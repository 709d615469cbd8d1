# Two commands do everything: `make repro` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
export DVC_NO_ANALYTICS := 1
export HF_HUB_DISABLE_TELEMETRY := 1
export MLFLOW_DISABLE_TELEMETRY := 1

.PHONY: env repro test test-fast test-slow test-waiting test-long check reproducible bench faults audit lock docs figures

env: $(VENV)/ready

# a change of a lock file makes the environment anew, whatever make thinks of its age. Every file but those of torch
# must have a hash that is locked; torch comes in several builds of one version, and what it needs beyond the lock
# hangs on which it is
$(VENV)/ready: requirements.lock requirements-torch.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:3] < (3, 11, 5) and "Python 3.11.5 or newer is needed (make PYTHON=...): before it, possessive quantifiers of re are broken")'
	$(PYTHON) -m venv $(VENV)
	@echo 'Installing the packages of requirements.lock (a minute or two)'
	$(BIN)/python -m pip install --disable-pip-version-check --require-hashes --no-deps --requirement requirements.lock
	$(BIN)/python -m pip install --disable-pip-version-check --requirement requirements-torch.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

# threads that wait for each other sleep: spinning wins nothing on quiet cores, and on shared ones it costs tenfold
repro: export OMP_WAIT_POLICY ?= passive
repro: env
	dvc repro
	persuasion track
	persuasion summary

# slow tests that mostly wait, for servers, browsers and processes they kill
WAITING := $(addprefix tests/,test_benchmarks.py test_cluster.py test_forget.py test_loading.py test_mirror.py test_page.py \
  test_purge.py test_remote_faults.py test_remotes.py test_sweep_queue.py test_tracking.py test_verify.py test_watching.py)

# two at a time; threads that wait for each other must sleep, not spin, when others want the cores
test: env
	$(MAKE) --no-print-directory --keep-going --jobs=2 --output-sync=target test-slow test-fast test-waiting

test-fast test-slow test-waiting: export OMP_WAIT_POLICY := passive
test-fast test-slow test-waiting: export GOMP_SPINCOUNT := 0
test-fast: env
	python -m pytest -m 'not slow'

test-slow: env
	python -m pytest -m 'slow and not long' $(addprefix --ignore=,$(WAITING))

test-waiting: env
	python -m pytest -m 'slow and not long' $(WAITING)

# what takes minutes and repeats at full size what smaller tests hold: not in `make test`
test-long: env
	python -m pytest -m long

check: env
	ruff check .
	ruff format --check .
	mypy

# every fault of tests/faults.yaml, once each, and the table of what was seen (docs/reference/faults.md)
faults: env
	python -m tests.faultbench

# the pages made from the code, then all pages as a site; a warning, such as a link that leads nowhere, is an error
docs: env
	python -m tests.reference
	python -m sphinx -W --keep-going -q docs site
	@echo 'Look at site/index.html'

# the figures of README and the tutorial from metrics/, and the pictures from dvc.yaml and report/
figures: env
	python -m tests.figures

# known holes in the locked packages; asks the network, so it is no part of a push's CI. Strict: a package that cannot
# be asked about fails it, as all do where only an index of packages can be reached
audit: env
	$(PYTHON) -m venv $(VENV)-audit
	$(VENV)-audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit
	$(VENV)-audit/bin/pip-audit --strict --no-deps --disable-pip --requirement requirements.lock \
	  --requirement requirements-torch.lock
	rm -rf $(VENV)-audit

# two clean clones, each with its own cache, must agree on every output's hash
reproducible: env
	python -m tests.reproducible

# ours against named peers, each in one run (some three hours on two quiet cores)
bench: env
	python -m benchmarks.extract
	python -m benchmarks.extract_memory
	python -m benchmarks.pairs
	python -m benchmarks.train
	python -m benchmarks.generate
	python -m benchmarks.sweep
	python -m benchmarks.remote
	python -m benchmarks.load

# resolve pyproject.toml's ranges anew, pin what was found, and list the hashes of every file of it that the index has
lock:
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/python -m pip install --quiet --disable-pip-version-check .[dev]
	$(VENV)-lock/bin/python -m pip freeze --all --exclude persuasion --exclude pip > $(VENV)-lock/found
	$(VENV)-lock/bin/python -m pip install --quiet --disable-pip-version-check uv
	( head -n 1 requirements-torch.lock; grep '^torch==' $(VENV)-lock/found | sed 's/+.*//' ) > requirements-torch.lock.new
	( head -n 1 requirements.lock; grep -vE '^(torch==|nvidia-|triton==|cuda-)' $(VENV)-lock/found | $(VENV)-lock/bin/uv pip compile --quiet \
	  --generate-hashes --no-deps --no-header --no-annotate - ) > requirements.lock.new
	mv requirements-torch.lock.new requirements-torch.lock
	mv requirements.lock.new requirements.lock
	rm -rf $(VENV)-lock build
