/* records_int.h - what the files of the engine's records share. */
#ifndef TACIT_ENGINE_RECORDS_INT_H
#define TACIT_ENGINE_RECORDS_INT_H

#include "base/reader.h"
#include "base/writer.h"
#include "engine/engine_int.h"

#define NAME_BYTES 80

enum record_type {
	TYPE_DEVICE = 1,
	TYPE_SESSION,
	TYPE_CONTACT,
	TYPE_CONVERSATION,
	TYPE_GROUP,
	TYPE_OUTGOING,
	TYPE_NOTE = RECORD_NOTE,
	TYPE_DRAFT,
	TYPE_LIFETIME,
	TYPE_TREE,
	TYPE_COMMIT,
	TYPE_NAME,
	TYPE_RECEIPTS,
	TYPE_SENT,
	TYPE_KEY_PACKAGE,
	TYPE_CHANGE
};

void tacit_record_numbered(const char *what, uint64_t id, char out[NAME_BYTES]);
struct tacit_writer tacit_record_begin(struct tacit_buf *plain, enum record_type type);
/* Finishes a record that was begun so; clears plain. */
TACIT_MUST_USE enum tacit_err tacit_record_put(
        struct tacit_engine *e, const char *name, struct tacit_writer *w, struct tacit_buf *plain);

/* --- records_group.c --- */

TACIT_MUST_USE enum tacit_err tacit_records_flush_group(
        struct tacit_engine *e, struct tacit_conversation *c);
TACIT_MUST_USE enum tacit_err tacit_record_put_key_package(
        struct tacit_engine *e, struct tacit_key_package *k);
typedef enum tacit_err tacit_record_reader(
        struct tacit_engine *e, struct tacit_reader *r, char name[NAME_BYTES]);
tacit_record_reader tacit_record_read_group, tacit_record_read_tree, tacit_record_read_commit,
        tacit_record_read_name, tacit_record_read_receipts, tacit_record_read_sent,
        tacit_record_read_key_package, tacit_record_read_change;

#endif
