/* participants.h - a participant in an answer. */
#ifndef TACIT_SERVER_API_PARTICIPANTS_H
#define TACIT_SERVER_API_PARTICIPANTS_H

#include "server/api/call.h"

/* A row of store's participant_list as an array element; ctx: the struct api_json. */
enum tacit_err api_participant_row(void *ctx, const struct store_participant *p);

#endif
