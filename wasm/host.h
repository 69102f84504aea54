/* host.h - all that the module asks of its host: randomness and the time.
 *
 * Both come from whoever instantiates it (web/src/core/module.ts): crypto.getRandomValues and
 * Date.now. What wasi-libc would ask besides, for files and for its own clock, is never called; a
 * host answers such a call by ending the module. */
#ifndef TACIT_WASM_HOST_H
#define TACIT_WASM_HOST_H

#include <stddef.h>

#ifdef __wasm__
#define TACIT_IMPORT(name) __attribute__((import_module("tacit"), import_name(name)))
#else /* tests, under sanitizers */
#define TACIT_IMPORT(name)
#endif

/* n unpredictable bytes. A host that cannot, throws. */
TACIT_IMPORT("random") void tacit_host_random(void *out, size_t n);
/* Unix seconds, UTC. */
TACIT_IMPORT("now") double tacit_host_now(void);

#endif
