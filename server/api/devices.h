/* devices.h - a device in an answer. */
#ifndef TACIT_SERVER_API_DEVICES_H
#define TACIT_SERVER_API_DEVICES_H

#include "server/api/call.h"

/* The members "id" and "device". */
void api_device_members(struct api_json *w, const struct tacit_device *d);
/* A row of store's device lists as an array element; ctx: the struct api_json. */
enum tacit_err api_device_row(void *ctx, int64_t user_id, const struct tacit_device *d);

#endif
