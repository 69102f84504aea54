# The front door; Meson builds (meson.build, tests/meson.build). Each target is one line of help.
.POSIX:
.PHONY: build run test asan tsan fuzz soak bench bench-live bench-mls bench-transfer bench-web demo install clean format

build:    ## build/tacitd and build/tacit
	@tools/bootstrap build
	@test -f build/build.ninja || meson setup build -Dweb=enabled >/dev/null || { cat build/meson-logs/meson-log.txt; exit 1; }
	@out=$$(ninja -C build --quiet tacitd tacit 2>&1) || { echo "$$out"; exit 1; }

run: build ## start a server on 127.0.0.1:5000 and say what to type next
	@tools/run

test:     ## every test; ends with "N passed, N failed"
	@tools/bootstrap test
	@tools/test

asan:     ## the tests under AddressSanitizer and UndefinedBehaviorSanitizer
	@tools/bootstrap test
	@tools/test asan

tsan:     ## the threaded tests under ThreadSanitizer
	@tools/bootstrap test
	@tools/test tsan

fuzz:     ## every fuzz target for FUZZ_SECONDS (default 30) each
	@tools/bootstrap test
	@tools/fuzz

bench:    ## measure against peers and limits; prints a table and writes build/bench.json
	@tools/bootstrap bench
	@tools/bench

bench-live: ## the same for live events; installs a stock socket.io server beside us
	@tools/bootstrap bench
	@tools/bench live

soak:     ## long: 10,000 simulated lives; live events and transfers through 100 crashes, 30 s without a network
	@tools/bootstrap test
	@tools/soak
	@TACIT_SEED=any TACIT_LIVE_CRASHES=100 TACIT_PARTITION=30 TACIT_TRANSFER_KILLS=100 tools/test plain -t 4 fault-live fault-partition fault-cable fault-transfer

bench-mls: ## groups up to ten thousand beside OpenMLS; writes build/bench-mls.json
	@tools/bootstrap bench
	@tools/bench-mls

bench-transfer: ## 1 GiB beside magic-wormhole, scp and curl; writes build/bench-transfer.json
	@tools/bootstrap bench
	@tools/bench-transfer

bench-web: build ## the web app: weight, start, delivery, file encryption, a long conversation; writes build/bench-web.json
	@tools/bootstrap test
	@tools/bench-web

demo: build ## two people talk on a fresh server; then what the server saw
	@tools/demo

install: build ## install to DESTDIR
	@out=$$(meson compile -C build tacit-mls 2>&1) || { echo "$$out"; exit 1; }
	@meson install -C build --no-rebuild --quiet $${DESTDIR:+--destdir "$$DESTDIR"}

format:   ## let clang-format decide
	@git ls-files '*.c' '*.h' | xargs clang-format -i

clean:
	@rm -rf build build-asan build-bench build-tsan build-fuzz build-wasm
