# First Light. Everything is done by code/firstlight/press/bootstrap.py, which needs nothing
# but a Python and sets up .venv when something is missing: without make, call it directly.

PYTHON ?=
export PYTHON
C ?=
N ?= 5
T ?=
B ?=
ARGS ?=

# Any Python that starts can run the bootstrap, which then looks for one that fits the book.
LAUNCH := $(shell for p in .venv/bin/python "$(PYTHON)" python3 python python3.13 python3.12 \
	python3.11; do "$$p" -E -S -c 'import sys; sys.exit(sys.version_info < (3, 6))' \
	>/dev/null 2>&1 && echo "$$p" && break; done)
BOOTSTRAP = @$(if $(LAUNCH),"$(LAUNCH)" -E -s code/firstlight/press/bootstrap.py,echo "No Python \
	found. The book needs Python 3.11, 3.12 or 3.13: install one from \
	https://www.python.org/downloads/ or name yours: make book PYTHON=/path/to/python3.13" >&2; \
	false)
CHAPTER = $(if $(C),$(C),$(error Name a chapter, such as C=supervised/galaxy-zoo))

.PHONY: help setup book test chapter seeds mutants bench notebooks pdf epub lock clean

## make book                  set up what is missing, execute every chapter, build the HTML
## make test [T=tests/...]    set up what is missing, run the tests
## make chapter C=part/name   execute and render one page: the author's loop
## make seeds C=part/name N=5 run a chapter under N other seeds: every claim beside its band
## make mutants               break every study on purpose: each headline claim must notice
## make bench [B=name]        speed against plain scripts, plain GalSim and a well-known peer
## make notebooks             write the executed chapters as notebooks, for Colab
## make pdf                   write the built book as one PDF (needs Chromium or Chrome)
## make epub                  write the built book as one ePub (needs it, too)
## make lock                  compile requirements.in into requirements.txt
## make setup                 set up the environment in .venv, nothing else
## make clean                 remove _build (the environment in .venv stays)
##
## PYTHON=/path/to/python3.12 chooses the Python of the environment.

help:
	@sed -n 's/^## \{0,1\}//p' Makefile

setup:
	$(BOOTSTRAP) setup

book:
	$(BOOTSTRAP) book

test:
	$(BOOTSTRAP) test $(T)

chapter:
	$(BOOTSTRAP) chapter $(CHAPTER)

seeds:
	$(BOOTSTRAP) seeds $(CHAPTER) -n $(N)

mutants:
	$(BOOTSTRAP) mutants $(C)

bench:
	$(BOOTSTRAP) bench $(B)

notebooks:
	$(BOOTSTRAP) notebooks $(ARGS)

pdf:
	$(BOOTSTRAP) pdf $(ARGS)

epub:
	$(BOOTSTRAP) epub $(ARGS)

lock:
	$(BOOTSTRAP) lock $(ARGS)

clean:
	$(BOOTSTRAP) clean
