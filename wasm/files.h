/* files.h - tokens for the files that notices and commands speak of. */
#ifndef TACIT_WASM_FILES_H
#define TACIT_WASM_FILES_H

#include "base/buf.h"
#include "wire/content.h"

/* The token of a file that a message names; the same one for the same file. Appended.
 * Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_files_token(
        const struct tacit_file_ref *file, struct tacit_buf *out);
/* Fills in what a message says of the file besides id, name, type and size. Fails: NOT_FOUND, USAGE
 * (its sealed form is not known yet). */
TACIT_MUST_USE enum tacit_err tacit_files_find(
        struct tacit_bytes token, struct tacit_file_ref *out);

#endif
