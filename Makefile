# The two doors are `make demo` and `make test`: each installs the Debian packages it needs, builds, then runs.
# Everything else is CMake's (CMakePresets.json).

help:
	@echo "make demo         builds mote, compiles C programs to WebAssembly and runs them on real input, their files on SQLite, Redis, MySQL and PostgreSQL"
	@echo "make test         builds mote and runs its tests, the WebAssembly specification suite included"
	@echo "make test-more    other compilers, sanitizers, the portable build, arm64 under qemu"
	@echo "make test-guests  programs of other toolchains: Go, CPython, SQLite, Rust, ..."
	@echo "make test-dapr    builds a real daprd (Go; slow the first time) and compares: each reads what the other wrote"
	@echo "make build        builds build/release/mote alone"
	@echo "make install      installs it (PREFIX=/usr/local, DESTDIR)"
	@echo "make clean        removes build/"

PREFIX ?= /usr/local

build:
	@scripts/deps.sh build
	@cmake --preset release >/dev/null
	@cmake --build --preset release --target mote_command

demo:
	@scripts/deps.sh build parts stores demo
	@$(MAKE) --no-print-directory build
	@scripts/demo
	@tests/parts/with-servers scripts/demo-components

test:
	@scripts/test

test-more:
	@scripts/test-more

test-guests:
	@scripts/test-guests

test-dapr:
	@scripts/test-dapr

install: build
	@cmake --build --preset release
	@cmake --install build/release --prefix "$(PREFIX)"

clean:
	rm -rf build

.PHONY: help build demo test test-more test-guests test-dapr install clean
