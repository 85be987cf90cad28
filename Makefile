# One short target per verb. `make help` lists them.
.DEFAULT_GOAL := help
PYTHON := .venv/bin/python
TARGETS := $(shell sed -n 's/^\([a-z-]*\):.*/\1/p' $(MAKEFILE_LIST))
.PHONY: $(TARGETS)

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install what building and testing need, quickly if it is there (root)
	@python3 -m release.setup

images: ## every image that linuxkit.yml names
	@python3 -m release.images

dist: ## the release: tarball, checksums, manifest, licences
	@python3 -m release.pack

quick: ## out/vmlinuz and out/initramfs only, compressed quickly
	@python3 -m release.assemble

convert: ## TAR=file: LinuxKit's tar into out/vmlinuz and out/initramfs
	@python3 -m release.convert $(TAR) out/vmlinuz-x86_64 out/initramfs-x86_64

refresh: ## build again from Debian's newest packages
	@python3 -m release.assemble --refresh

sandbox: setup ## a real Tinkerbell provisions a virtual machine (WORKFLOW=wipe TEMPLATE= ARTIFACTS=)
	@$(PYTHON) -m sandbox up

sandbox-down: ## remove whatever a sandbox left
	@$(PYTHON) -m sandbox down

test-boot: setup quick ## virtual machines against the real Tinkerbell (minutes)
	@$(PYTHON) -m pytest tests/boot

clean: ## remove all results in this folder (the cache stays)
	rm -rf out tinkie-*.tar.gz checksum.txt manifest-*.json
