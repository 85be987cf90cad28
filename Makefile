# One short target per verb. `make help` lists them.
.DEFAULT_GOAL := help
PYTHON := .venv/bin/python

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

.PHONY: help
