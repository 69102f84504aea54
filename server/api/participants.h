/* participants.h - a participant in an answer. */
#ifndef TACIT_SERVER_API_PARTICIPANTS_H
#define TACIT_SERVER_API_PARTICIPANTS_H

#include "server/api/names.h"

/* A row of store's participant_list as an array element; ctx: the struct api_json. */
enum tacit_err api_participant_row(void *ctx, const struct store_participant *p);

/* Puts into the outbox that these came or went. WRITE lane. */
TACIT_MUST_USE enum tacit_err api_tell_participants(struct api_call *c, struct store *store,
        int64_t conversation, enum live_change change, const struct api_names *names);

/* The ids (int64_t) of all participants, appended. */
TACIT_MUST_USE enum tacit_err api_member_ids(
        struct api_call *c, struct store *store, int64_t conversation, struct tacit_buf *out);

#endif
