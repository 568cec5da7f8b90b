# The portal's commands. `make run` and `make test` need nothing but make and Python 3.11.

# The first Python that is new enough; `make PYTHON=/usr/bin/python3.11 ...` names another.
NEW_ENOUGH := -c 'import sys; sys.exit(sys.version_info < (3, 11))'
PYTHON ?= $(shell for name in python3 python3.11 python3.12 python3.13; do \
	$$name $(NEW_ENOUGH) 2>/dev/null && echo $$name && exit; done; echo python3)
VENV := .venv/bin/python
INSTALL := $(PYTHON) -B -m apps.core.embedded.install
PORTAL := $(VENV) manage.py portal
COMPILE := .venv/bin/uv pip compile -q --python-version 3.11.2 --generate-hashes --no-header --no-annotate
SOURCES := manage.py apps monitor_portal tests tools
FILE ?= portal-backup.tar

.DEFAULT_GOAL := help
.PHONY: help run stop status test check checks format lock messages bench-probes bench-heartbeats bench-delivery bench-ai backup restore clean \
	test-litellm install development

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

run: ## Install what is missing, then start the portal in the foreground
	@$(INSTALL) && exec $(PORTAL) up --end-with-parent

stop: ## Stop the running portal
	@$(PORTAL) stop

status: ## Tell whether the portal runs, where, and what memory it uses
	@$(PORTAL) status

test: development ## Run the whole suite with servers of its own
	@$(PORTAL) exec -- $(VENV) -m tests.run

test-litellm: .venv-litellm/.installed ## Monitor LiteLLM's proxy (an environment of its own, 750 MB)
	@$(PORTAL) exec -- env LITELLM=$(CURDIR)/.venv-litellm/bin/litellm $(VENV) -m pytest tests/litellm

.venv-litellm/.installed: tests/litellm/requirements.lock | development
	$(VENV) -m venv --clear .venv-litellm
	.venv-litellm/bin/python -m pip --disable-pip-version-check install -q --require-hashes -r $<
	touch $@

check: development ## Format, lint, types, layers, migrations, deployment settings, then the suite
	@$(PORTAL) exec -- $(MAKE) --no-print-directory checks

checks:
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy $(SOURCES)
	.venv/bin/lint-imports --no-cache
	$(VENV) manage.py makemigrations --check --dry-run
	PORTAL_HTTPS=1 $(VENV) manage.py check --deploy --fail-level WARNING
	$(VENV) -m tests.run

format: development ## Format the code and fix what lint can fix
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

lock: development ## Compile the locks after a change to a requirements or package file
	$(COMPILE) requirements.txt -o requirements.lock
	$(COMPILE) --constraint requirements.lock requirements-dev.txt -o requirements-dev.lock
	$(COMPILE) requirements-installer.txt -o requirements-installer.lock
	$(COMPILE) requirements-node.txt -o requirements-node.lock
	$(COMPILE) tests/litellm/requirements.txt -o tests/litellm/requirements.lock
	cd frontend && npm install --package-lock-only
	cd tests/node && npm install --package-lock-only

messages: development ## Collect new strings into locale/, tell which have no translation, and compile
	$(VENV) -m tools.translation
	$(PORTAL) compile

bench-probes: development ## Measure looking: CPU a probe, lateness, the knee (nginx needed; about 30 minutes)
	$(VENV) -m benchmarks.bench_probes

bench-heartbeats: development ## Measure pings through the real web stack
	$(VENV) -m benchmarks.bench_heartbeats

bench-delivery: development ## Prove that no kill loses a message; latency and throughput of telling (about 15 minutes)
	$(VENV) -m benchmarks.bench_delivery

bench-ai: development ## Measure streaming looks: CPU a look, errors of their times, the page of a model (nginx needed; about 12 minutes)
	$(VENV) -m benchmarks.bench_ai

backup: ## Write everything to FILE (make backup FILE=portal.tar)
	@$(PORTAL) backup $(FILE)

restore: ## Bring back what a backup holds (make restore FILE=portal.tar YES=1)
	@$(PORTAL) restore $(if $(YES),--yes) $(FILE)

clean: ## Remove what can be made again; data in .state/ stays
	rm -rf .venv .venv-litellm frontend/node_modules tests/node/node_modules staticfiles .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find apps monitor_portal tests -name __pycache__ -type d -prune -exec rm -rf {} +
	rm -f locale/*/LC_MESSAGES/*.mo

install:
	@$(INSTALL)

development:
	@$(INSTALL) development
