# tinynas: every target does its own set-up.
PYTHON ?= python3
BIN := .venv/bin

# What pip cannot bring; the tests that need one of these skip without it. chromium: report.html in a browser; the Arm
# compiler with its libraries, and the emulator: the firmware's sources; cmake and Arduino's builder: packages.
SYSTEM_PACKAGES := chromium gcc g++ gcc-arm-none-eabi libnewlib-arm-none-eabi libstdc++-arm-none-eabi-newlib qemu-system-arm \
  cmake arduino-builder arduino-ctags

# What only slow tests of the engine need: another compiler, and processors of 32 bits, of the other byte order, and with an
# int of 16 bits.
SLOW_PACKAGES := clang libc6-dev-i386 lib32gcc-$(shell gcc -dumpversion 2> /dev/null || echo 12)-dev gcc-powerpc64-linux-gnu \
  libc6-dev-ppc64-cross qemu-user gcc-avr avr-libc simavr

# A process a core, of up to 2 GB each; tests/conftest.py says which tests share one and which come first.
ON_ALL_CORES := -n auto --maxprocesses 8 --dist loadgroup --no-loadscope-reorder

.PHONY: system-packages slow-packages package-tools install demo test test-all test-ray check audit lock clean

# The stamp holds the environment to the lock file: it is made anew when either changes.
.venv/installed: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if (3, 10) <= sys.version_info < (3, 14) else "tinynas needs Python 3.10 to 3.13: try make PYTHON=python3.11 " + "(this is " + sys.version.split()[0] + ")")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

install: .venv/installed

system-packages: WANTED := $(SYSTEM_PACKAGES)
slow-packages: WANTED := $(SLOW_PACKAGES)
system-packages slow-packages:
	@command -v apt-get > /dev/null || { echo "There is no apt-get here: install $(WANTED) by hand."; exit 1; }
	$$([ "$$(id -u)" = 0 ] || echo sudo) apt-get update
	$$([ "$$(id -u)" = 0 ] || echo sudo) apt-get install --yes --no-install-recommends $(WANTED)

# What looks packages over, in an environment of its own: tests/export/test_packages.py skips without it. PACK.xsd of
# Open-CMSIS-Pack-Spec may be put beside it by hand.
package-tools:
	$(PYTHON) -m venv .package-tools
	.package-tools/bin/pip install --quiet pykwalify west kconfiglib xmlschema platformio idf-component-manager

# A search on the digits that come with scikit-learn, then the files for the board.
demo: install
	$(BIN)/tinynas search --target nucleo_f401 --trials 12
	$(BIN)/tinynas convert best

test: install
	$(BIN)/pytest $(ON_ALL_CORES)

test-all: install
	$(BIN)/pytest $(ON_ALL_CORES) --timeout 3600 -m "slow or not slow"

# Trials on a cluster: two nodes on this machine. Ray comes on top of the lock, which has what all tests need.
test-ray: install
	$(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation -e '.[ray]'
	$(BIN)/pytest -m "slow or not slow" tests/searching/test_cluster.py tests/searching/test_executor.py

check: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest -q tests/test_layers.py tests/test_imports.py

# Needs pip-audit (pip install pip-audit) and its service. --strict: a package that cannot be looked up is an error too.
audit: install
	$(BIN)/python tools/licences.py
	pip-audit --strict --disable-pip --require-hashes -r requirements.lock

# Needs uv (pip install uv). The lock holds for every Python and platform that pyproject.toml names.
lock:
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.10 --generate-hashes --no-emit-index-url --no-header -o requirements.lock

clean:
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
