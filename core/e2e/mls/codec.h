/* codec.h - the presentation language of MLS (RFC 9420 2.1) over the readers and writers of base.
 *
 * Vectors carry their length as a variable-size integer of 1, 2 or 4 bytes in the shortest form
 * (2.1.2). Views are borrowed from the input. Errors stick in the reader or writer, as in base. */
#ifndef TACIT_E2E_MLS_CODEC_H
#define TACIT_E2E_MLS_CODEC_H

#include "base/reader.h"
#include "base/writer.h"

#define TACIT_MLS_VEC_MAX 0x3fffffffu /* what 30 bits hold */

/* The length before a vector. Fails: MALFORMED (prefix 3, or not the shortest form), TRUNCATED. */
uint32_t tacit_mls_read_length(struct tacit_reader *r);
/* opaque<V>. Bounded by the input itself: a length beyond what is there is TRUNCATED. */
struct tacit_bytes tacit_mls_read_vec(struct tacit_reader *r);
/* The same for a vector that holds structures: a reader of exactly its content. When r has failed
 * the inner one has failed, too. Finish it with tacit_mls_read_sub_end. */
struct tacit_reader tacit_mls_read_sub(struct tacit_reader *r);
/* Carries the inner reader's error (or TRAILING) over to r. */
void tacit_mls_read_sub_end(struct tacit_reader *r, const struct tacit_reader *sub);
/* optional<T>: true when a value follows. MALFORMED for a presence byte other than 0 and 1. */
bool tacit_mls_read_optional(struct tacit_reader *r);

/* Is there more to read (and nothing failed)? The condition of loops over vectors. */
static inline bool tacit_mls_more(const struct tacit_reader *r)
{
	return r->err == TACIT_OK && r->rest.n > 0;
}

/* TOO_LARGE beyond TACIT_MLS_VEC_MAX. */
void tacit_mls_write_length(struct tacit_writer *w, size_t n);
void tacit_mls_write_vec(struct tacit_writer *w, struct tacit_bytes b);
void tacit_mls_write_optional(struct tacit_writer *w, bool present);
/* A vector whose content is written between these two: end puts the length before it. */
size_t tacit_mls_vec_begin(struct tacit_writer *w);
void tacit_mls_vec_end(struct tacit_writer *w, size_t begin);

#endif
