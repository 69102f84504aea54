/* devices.h - a device in an answer, and the sessions that end with it. */
#ifndef TACIT_SERVER_API_DEVICES_H
#define TACIT_SERVER_API_DEVICES_H

#include "server/api/call.h"

/* The members "id" and "device". */
void api_device_members(struct api_json *w, const struct tacit_device *d);
/* A row of store's device lists as an array element; ctx: the struct api_json. */
enum tacit_err api_device_row(void *ctx, int64_t user_id, const struct tacit_device *d);
/* In a WRITE step: the caller's session, if there is one, is this device's, and ends with it. */
TACIT_MUST_USE enum tacit_err api_tie_session(
        struct api_call *c, struct store *store, const struct tacit_device_id *device);

#endif
