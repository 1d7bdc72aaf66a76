# One command checks everything: format, lint, types, tests.
PYTHON ?= python

.PHONY: check format completions man
check:
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy
	$(PYTHON) -m pytest -n 2 --dist loadfile

format:
	$(PYTHON) -m ruff format .
	$(PYTHON) -m ruff check --fix .

completions:
	$(PYTHON) tests/test_completions.py

man:
	$(PYTHON) man/generate.py
