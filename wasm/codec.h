/* codec.h - commands in, effects and notices out, in the form of abi.h. */
#ifndef TACIT_WASM_CODEC_H
#define TACIT_WASM_CODEC_H

#include "base/reader.h"
#include "base/writer.h"
#include "engine/engine.h"

/* The writer's error tells: NOMEM, TOO_LARGE, USAGE (a number that has no word). Keys of files go
 * to files.c, and their tokens out. */
void tacit_write_effects(struct tacit_writer *w, const struct tacit_effects *fx);
void tacit_write_notice(struct tacit_writer *w, const struct tacit_notice *n);

struct tacit_said { /* a command as it was read; cleared with tacit_said_clear */
	struct tacit_command command;
	struct tacit_content content;
	struct tacit_bytes *users;
};
/* Views are borrowed from the input. Fails: USAGE (a word that is none; a file's token that is not
 * known, or may not be sent yet), TRUNCATED, TRAILING, TOO_LARGE, NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_read_command(struct tacit_bytes in, struct tacit_said *out);
void tacit_said_clear(struct tacit_said *s); /* wipes */

#endif
