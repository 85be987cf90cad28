# One short target per verb. `make help` lists them.
.DEFAULT_GOAL := help
PYTHON := .venv/bin/python
TARGETS := $(shell sed -n 's/^\([a-z0-9-]*\):.*/\1/p' $(MAKEFILE_LIST))
.PHONY: $(TARGETS)

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install missing Debian packages (root), and .venv
	@python3 -m release.setup
	@$(MAKE) -s setup-venv

setup-tests: setup ## what tests need besides (root)
	@python3 -m release.setup --tests

setup-venv: .venv/locked ## the Python environment of checks and tests, as requirements/dev.txt locks it
.venv/locked: requirements/dev.txt
	@python3 -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	    { echo "Python 3.11 or newer with venv is needed: apt-get install python3-venv"; exit 1; }
	@echo "creating .venv (about a minute)"; python3 -m venv .venv
	@$(PYTHON) -m pip --quiet --disable-pip-version-check install --require-hashes --no-deps --only-binary=:all: -r $<
	@$(PYTHON) -m pip --quiet --disable-pip-version-check install --no-deps --no-build-isolation -e .
	@touch $@

PACKAGES := tinkie bootkit tink_docker network settings release sandbox tests images
check: setup-venv ## format, lint, types, spelling, shell
	@$(PYTHON) -m ruff format --check --quiet $(PACKAGES) || { echo "run: make format"; exit 1; }
	@$(PYTHON) -m ruff check --quiet $(PACKAGES)
	@$(PYTHON) -m mypy --no-error-summary $(PACKAGES)
	@.venv/bin/codespell $$(git ls-files)
	@git ls-files | xargs awk 'FNR == 1 && /^#!.*sh/ { print FILENAME } { nextfile }' | xargs shellcheck --severity=warning
	@! command -v gofmt >/dev/null || test -z "$$(gofmt -l programs)" || { echo "run: gofmt -w programs"; exit 1; }

format: setup-venv ## format the Python code
	@$(PYTHON) -m ruff format --quiet $(PACKAGES)

docs: setup-venv ## write the tables of docs/cmdline.md from the code
	@$(PYTHON) -m release.cmdline_docs

test-unit: setup-venv ## unit tests of the agents, of the build and of the images' scripts; branch coverage of the agents
	@$(PYTHON) -m pytest --quiet --numprocesses=auto tests/unit images --cov

fuzz: setup-venv ## property-based unit tests with thousands of new random examples (minutes)
	@$(PYTHON) -m pytest --quiet --hypothesis-profile=fuzz -m hypothesis tests/unit

lock: setup-venv ## renew requirements/*.txt (needs a package index)
	@$(PYTHON) -m pip --quiet install uv
	@sh requirements/lock.sh

images: setup-venv ## every image that linuxkit.yml names (ARCH=aarch64: as all builds)
	@$(PYTHON) -m release.images

dist: setup-venv ## the release, signed with SIGN=key (VERSION=x.y.z; UKI=key: a signed EFI program, too)
	@$(PYTHON) -m release.pack

verify: ## check the signature and the files of a release (SIGNERS=file RELEASE=folder VERSION=x.y.z)
	@python3 -m release.verify -- "$(or $(RELEASE),.)"

addon: setup-venv ## ADDON=file: more kernel parameters for a signed release (UKI=key UKI_CMDLINE="words")
	@test -n "$(ADDON)" || { echo "make addon ADDON=name.addon.efi: the file to write is missing"; exit 1; }
	@$(PYTHON) -m release.uki "$(ADDON)"

quick: setup-venv ## out/vmlinuz and out/initramfs only, compressed quickly
	@$(PYTHON) -m release.assemble

convert: setup-venv ## TAR=file: LinuxKit's tar into out/vmlinuz and out/initramfs
	@test -f "$(TAR)" || { echo "make convert TAR=file: the tar that linuxkit build made is missing"; exit 1; }
	@$(PYTHON) -m release.convert $(TAR) out

refresh: setup-venv ## build again from Debian's newest packages
	@$(PYTHON) -m release.assemble --refresh

run: quick ## the built OS in a virtual machine on this terminal (APPEND=words MEMORY=MiB ARCH=name)
	@$(PYTHON) -m sandbox.run --memory $(or $(MEMORY),2048) --append "$(APPEND)"

sandbox: setup ## a real Tinkerbell provisions a virtual machine (options: README)
	@$(PYTHON) -m sandbox up

sandbox-down: setup-venv ## remove whatever a sandbox left
	@$(PYTHON) -m sandbox down

MARKS := -m "not long"
test-engine: setup-tests images ## our two images in containers, with a real Tinkerbell, registry, workers
	@$(PYTHON) -m pytest $(MARKS) --numprocesses=4 --dist=loadfile --durations=10 tests/engine

test-boot: setup-tests quick ## virtual machines: a netboot, a direct boot, a sample of the faults
	@$(PYTHON) -m pytest $(MARKS) --numprocesses=2 --dist=loadfile --durations=10 tests/boot

test-boot-all: MARKS :=
test-boot-all: test-boot ## every virtual machine and every fault (half an hour)

faults: setup-tests images quick ## every fault of both matrices; the tables in docs/reliability.md
	@$(PYTHON) -m pytest --quiet tests/engine/test_fault_matrix.py tests/boot/test_fault_matrix.py
	@$(PYTHON) -m tests.matrix.report

kill-report: setup-tests images ## which workflows survive the kill of each program; the table in docs/reliability.md
	@$(PYTHON) -m tests.engine.kill_report

soak: setup-tests images ## random faults for MINUTES=n (3), the same ones again with SEED=n
	@MINUTES=$(or $(MINUTES),3) SEED=$(or $(SEED),$$(od -An -N3 -tu4 /dev/urandom | tr -d " ")) $(PYTHON) -m pytest --quiet -s tests/engine/test_soak.py

quick-aarch64: setup-venv ## as `make quick ARCH=aarch64`, for tests
	@ARCH=aarch64 $(PYTHON) -m release.assemble

test-compat: setup-tests quick quick-aarch64 ## combinations of hardware and servers that take long to emulate
	@$(PYTHON) -m pytest tests/compat

test: setup-tests test-unit test-engine test-boot ## unit and engine tests, a sample of booted machines (20 minutes on two cores without KVM)

test-all: MARKS :=
test-all: test test-compat ## every test there is (an hour on two cores without KVM)

herd: setup ## N machines come back to servers that were away LATE seconds (root; N=200 LATE=60)
	@$(PYTHON) -m tests.herd $(or $(N),200) $(or $(LATE),60)

bench: setup ## builds, sizes and a boot in figures (half an hour)
	@$(PYTHON) -m release.bench

audit: setup ## known vulnerabilities of what the SBOM lists (DATA=folder or file in OSV format; SBOM=file)
	@$(PYTHON) -m release.audit

bench-peer: setup ## boots of out/ and of another OS in turn, compared (ARTIFACTS=folder; docs/performance.md)
	@$(PYTHON) -m sandbox.bench_peer $(ARTIFACTS) --boots $(or $(N),3) --cpus $(or $(CPUS),1) \
	    --memory $(or $(MEMORY),2048) $(if $(filter 1,$(LEAST)),--least)

reproduce: setup ## two builds from nothing, compared byte by byte (half an hour); MANIFEST=file: one, with that release
	@$(PYTHON) -m release.clone --manifest "$(MANIFEST)"

clean: ## remove all results in this folder (the cache stays)
	rm -rf out tinkie-[0-9]* osie-[0-9]* dtbs-*.tar.gz checksum.txt checksum.txt.sig manifest-*.json
	rm -f tinkie.allowed_signers tinkie.pem
