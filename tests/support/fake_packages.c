/* Key packages and Welcomes of devices. */
#include <stdlib.h>
#include <string.h>

#include "support/fake_request.h"

struct fake_device *fake_device_of(struct fake_user *u, const char *id, size_t n)
{
	for (size_t i = 0; i < u->device_count; i++)
		if (strncmp(u->devices[i].id, id, n) == 0 && u->devices[i].id[n] == 0)
			return &u->devices[i];
	return NULL;
}

static void drop_first(struct fake_device *d)
{
	memmove(d->packages, d->packages + 1, --d->package_count * sizeof(d->packages[0]));
	memmove(d->ends, d->ends + 1, d->package_count * sizeof(d->ends[0]));
}

static void drop_lapsed(const struct fake_server *s, struct fake_device *d)
{
	while (d->package_count > 0 && d->ends[0] > 0 && d->ends[0] <= s->now)
		drop_first(d);
	if (d->last_ends > 0 && d->last_ends <= s->now)
		d->last_resort = NULL;
}

static void do_packages(struct request *r, struct fake_device *d)
{
	size_t i;
	json_t *item;
	const json_t *last = json_object_get(r->data, "last_resort");
	int64_t ends = json_integer_value(json_object_get(r->data, "not_after"));
	drop_lapsed(r->s, d);
	json_array_foreach(json_object_get(r->data, "key_packages"), i, item)
	{
		if (d->package_count == FAKE_PACKAGES)
			abort();
		d->ends[d->package_count] = ends;
		d->packages[d->package_count++] = fake_keep(json_string_value(item));
	}
	if (last != NULL) {
		d->last_resort = fake_keep(json_string_value(last));
		d->last_ends = ends;
	}
	fake_give(r, 200,
	        json_pack("{s:I,s:b}", "available", (json_int_t)d->package_count, "last_resort",
	                d->last_resort != NULL));
}

static void do_welcomes(struct request *r, const struct fake_device *d)
{
	json_t *list = json_array();
	for (size_t i = 0; i < r->s->welcome_count; i++) {
		const struct fake_welcome *w = &r->s->welcomes[i];
		if (w->user == r->user->id && strcmp(w->device, d->id) == 0)
			json_array_append_new(
			        list, json_pack("{s:I,s:I,s:I,s:I,s:s}", "id", (json_int_t)w->id,
			                      "conversation_id", (json_int_t)w->conversation,
			                      "epoch", (json_int_t)w->epoch, "message_id",
			                      (json_int_t)w->message, "welcome", w->bytes));
	}
	fake_give(r, 200, json_pack("{s:o}", "welcomes", list));
}

static void do_delete_welcome(struct request *r, uint64_t id)
{
	struct fake_server *s = r->s;
	for (size_t i = 0; i < s->welcome_count; i++)
		if (s->welcomes[i].id == id && s->welcomes[i].user == r->user->id)
			s->welcomes[i--] = s->welcomes[--s->welcome_count];
	fake_give(r, 200, json_object());
}

void fake_in_device(struct request *r, const char *path)
{
	size_t n = strcspn(path, "/");
	struct fake_device *d = fake_device_of(r->user, path, n);
	if (d == NULL)
		fake_refuse(r, 404, "NOT_FOUND");
	else if (path[n] == 0)
		fake_do_delete_device(r, path);
	else if (strcmp(path + n, "/key-packages") == 0)
		do_packages(r, d);
	else if (strcmp(path + n, "/welcomes") == 0)
		do_welcomes(r, d);
	else
		do_delete_welcome(r, strtoull(path + n + 10, NULL, 10));
}

void fake_claim_one(struct request *r, struct fake_device *d, json_t *list)
{
	drop_lapsed(r->s, d);
	const char *package = d->last_resort;
	if (d->package_count > 0) {
		package = d->packages[0];
		drop_first(d);
	}
	if (package != NULL)
		json_array_append_new(
		        list, json_pack("{s:s,s:s}", "device", d->id, "key_package", package));
}
