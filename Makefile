# Berth: what a person types. Each target installs what it needs; the second time that costs a second.
JOBS ?= 2
export JOBS

.PHONY: help build run test test-fast bench check fuzz package image clean

help:
	@sed -n 's/^# make /make /p' Makefile

# make build      the release binary, build/release/berth
build:
	@scripts/install-build
	@scripts/build release berth

# make run        build it and serve on 127.0.0.1:5000, data in ./berth-data
run: build
	@exec build/release/berth serve

# make test       everything: unit and HTTP tests (also under ASan and TSan), real clients, conformance
test:
	@scripts/install-build
	@scripts/install-test
	@scripts/test

# make test-fast  unit and HTTP tests only
test-fast:
	@scripts/install-build
	@scripts/install-test --unit
	@scripts/test --fast

# make check      formatting, layers and clang-tidy
check:
	@scripts/install-build
	@scripts/install-check
	@scripts/check

# make fuzz       each fuzzer for FUZZ_SECONDS (30)
fuzz:
	@scripts/install-build
	@scripts/install-check
	@scripts/fuzz

# make bench      Berth beside its peers; the table goes to bench/results/
bench:
	@scripts/install-build
	@bench/run

# make package    the Debian package, build/package/berth_*.deb
package:
	@scripts/install-build
	@scripts/package

# make image      an OCI image of Berth, build/package/berth-image.tar, for `docker load`
image:
	@scripts/install-build
	@scripts/image

# make clean      remove what was built (not the data)
clean:
	rm -rf build
