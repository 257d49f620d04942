# Everything runs in .venv, made by PYTHON (make test PYTHON=python3.12); remove it to change the Python.
PYTHON = python3
BIN = .venv/bin
SOURCES = pyproject.toml setup.py \
	$(shell find fastvec -name '*.py' -o -name '*.pyi' -o -name '*.p[yx][xd]' -o -name '*.h' -o -name '*.html')

# What is tested is what was installed: a Python started in this folder would import the sources instead.
unexport PYTHONPATH
# Tests are compiled once, with their assertions rewritten, and not by every process of every run.
unexport PYTHONDONTWRITEBYTECODE
export PIP_DISABLE_PIP_VERSION_CHECK = 1

# A process for each processor, and in it one thread of BLAS. Tests of a module stay together as long as can be, for its
# fixtures are made once in each process.
PYTEST = cd tests && OPENBLAS_NUM_THREADS=1 ../$(BIN)/pytest -n auto --maxprocesses 8 --dist worksteal
# The tests but for those of packages that the extra `test` lacks.
TESTS = --ignore=interop .

.PHONY: build test test-backends test-interop test-arm64 mutants killed fuzz lint lint-cross bench docs check demo

# For development: compiled in place, changes of Python files take effect at once, until another target installs
# a copy.
build: .venv/made
	@echo "Building fastvec in place, which takes half a minute on two cores without the downloads ..."
	rm -f .venv/installed
	$(BIN)/pip install --quiet --editable '.[test,lint]'

test: .venv/test
	@$(BIN)/python -I -c 'import fastvec; print("testing", fastvec.__file__)'
	$(PYTEST) $(TESTS)

# What trains through the public interface, on every backend that `make test` did not select: what is compared
# with other backends has run on them all there. What examples print depends on how numbers are rounded, which the
# fastest backend and the baseline show. The reference is too slow for them, and for threads that share a chunk.
EXAMPLES = $(addprefix --ignore=test_,$(addsuffix .py,docs docstrings))
LONG = $(EXAMPLES) $(addprefix --ignore=test_,$(addsuffix .py,deterministic held_out))
# Not even collected: modules all of whose tests are left out.
MARKED = $(patsubst tests/%,--ignore=%,$(shell grep -lE '^pytestmark = pytest.mark.(any|every)_backend' tests/test_*.py))
test-backends: .venv/test
	@names=$$($(BIN)/python -I -c 'from fastvec import kernels; print(*kernels.available()[:-1])') || exit 1; \
	for name in $$names; do \
	    echo "testing what depends on kernels on $$name"; \
	    case $$name in reference) long='$(LONG)';; baseline) long=;; *) long='$(EXAMPLES)';; esac; \
	    (export FASTVEC_BACKEND=$$name; $(PYTEST) -m 'not every_backend and not any_backend' $$long $(MARKED) $(TESTS)) || exit 1; \
	done

# What other libraries make of vectors: with pandas, PyTorch, spaCy and others, some gigabytes of packages.
test-interop: .venv/test-interop
	cd tests && OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 ../$(BIN)/pytest interop

# The kernels on another processor: cross-compiled, and tested under QEMU with an arm64 Python.
test-arm64:
	PYTHON=$(PYTHON) tests/arm64.sh

# Errors are planted one by one in copies of the tree: does a test turn red for each?
mutants: .venv/test
	cd tests && ../$(BIN)/python -m mutants

# Trainings whose processes are killed and stopped at random moments: make killed RUNS=50.
RUNS = 50
killed: .venv/test
	cd tests && OPENBLAS_NUM_THREADS=1 ../$(BIN)/python killed_workers.py $(RUNS)

# Damaged files for every reader, under the sanitizers: make fuzz INPUTS=1000000 SEED=2.
INPUTS = 100000
SEED = 1
fuzz: .fuzz/made
	cd tests && PYTHONPATH=../.fuzz LD_PRELOAD=$$(gcc -print-file-name=libasan.so) \
	    ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 OPENBLAS_NUM_THREADS=1 \
	    ../$(BIN)/python -m fuzz --inputs $(INPUTS) --seed $(SEED) --keep ../.fuzz/found

lint: .venv/lint
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	PATH="$(CURDIR)/$(BIN):$$PATH" cython-lint fastvec  # which starts pycodestyle by name
	$(BIN)/mypy
	$(BIN)/zizmor --offline --quiet .github

# Do the kernels compile for macOS, Windows and musl?
lint-cross: .venv/cross
	$(BIN)/python tests/cross/compile.py

bench: .venv/bench
	cd bench && ../$(BIN)/pytest . --benchmark-enable

docs: .venv/docs
	cd docs && ../$(BIN)/sphinx-build -W --keep-going --quiet . _build/html
	@echo "docs/_build/html/index.html"

check: lint test

demo: .venv/installed
	$(BIN)/fastvec demo

.venv/made:
	$(PYTHON) -m venv .venv
	touch $@

# Without build/lib a file that was deleted does not live on in the wheel.
.venv/installed: .venv/made $(SOURCES)
	@echo "Building and installing fastvec, which takes half a minute on two cores without the downloads ..."
	rm -rf build/lib*
	$(BIN)/pip install --quiet .
	touch $@

# A copy of its own, with bounds checks and sanitizers.
.fuzz/made: .venv/test $(SOURCES)
	@echo "Building fastvec with sanitizers, which takes a few minutes on two cores ..."
	rm -rf .fuzz build/lib*
	FASTVEC_DEBUG_BUILD=1 $(BIN)/pip install --quiet --no-deps --target .fuzz .
	rm -rf build/lib*
	touch $@

# fastvec is there: what this installs is the packages of one of its extras. Among them is Cython, whose files must not
# be newer than the C that it has made, or it would make that anew for the tests and for other systems.
.venv/test .venv/test-interop .venv/lint .venv/cross .venv/bench .venv/docs: .venv/%: .venv/installed
	$(BIN)/pip install --quiet 'fastvec[$*]'
	find build/cython -name '*.c' -exec touch {} +
	touch $@
