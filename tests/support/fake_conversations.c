/* Conversations, their messages, and their groups. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/fake_request.h"

static struct fake_member *member_of(struct fake_conversation *c, const struct fake_user *u)
{
	for (size_t i = 0; i < c->member_count; i++)
		if (c->members[i].user == u->id)
			return &c->members[i];
	return NULL;
}

static json_t *conversation_object(struct request *r, const struct fake_conversation *c)
{
	uint64_t last = c->last_forgotten;
	json_t *people = json_array();
	for (size_t i = 0; i < c->member_count; i++) {
		const struct fake_user *u = fake_user_by_id(r->s, c->members[i].user);
		json_array_append_new(
		        people, json_pack("{s:I,s:s,s:o,s:s,s:I}", "user_id", (json_int_t)u->id,
		                        "username", u->name, "public_key", fake_pem(u), "joined_at",
		                        "2023-01-01T00:00:00Z", "read_message_id",
		                        (json_int_t)c->members[i].read));
	}
	for (size_t i = 0; i < r->s->message_count; i++)
		if (r->s->messages[i].conversation == c->id && r->s->messages[i].id > last)
			last = r->s->messages[i].id;
	if (c->last_claimed != 0)
		last = c->last_claimed;
	return json_pack("{s:I,s:s,s:s,s:I,s:I,s:I,s:o}", "id", (json_int_t)c->id, "kind", c->kind,
	        "name", c->name, "last_message_id", (json_int_t)last, "unread", (json_int_t)0,
	        "message_ttl_seconds", (json_int_t)c->ttl, "participants", people);
}

void fake_do_list(struct request *r)
{
	json_t *list = json_array();
	const char *at = strstr(r->path, "skip=");
	size_t skip = at != NULL ? strtoul(at + 5, NULL, 10) : 0;
	bool more = false;
	for (size_t i = 0; i < r->s->conversation_count; i++) {
		if (member_of(&r->s->conversations[i], r->user) == NULL)
			continue;
		if (skip > 0) {
			skip--;
			continue;
		}
		more = r->s->list_page > 0 && json_array_size(list) == r->s->list_page;
		if (more)
			break;
		json_array_append_new(list, conversation_object(r, &r->s->conversations[i]));
	}
	fake_give(r, 200, json_pack("{s:o,s:b}", "conversations", list, "has_more", more));
}

static bool add_members(struct request *r, struct fake_conversation *c, const json_t *names)
{
	size_t i;
	json_t *name;
	json_array_foreach(names, i, name)
	{
		const struct fake_user *u = fake_user_named(r->s, json_string_value(name));
		if (u == NULL)
			return false;
		if (member_of(c, u) == NULL)
			c->members[c->member_count++].user = u->id;
	}
	return true;
}

void fake_do_create(struct request *r)
{
	struct fake_server *s = r->s;
	struct fake_conversation fresh = {.id = 100 + s->conversation_count};
	snprintf(fresh.kind, sizeof(fresh.kind), "%s",
	        s->other_kind != NULL ? s->other_kind : fake_text(r->data, "kind"));
	snprintf(fresh.name, sizeof(fresh.name), "%s", fake_text(r->data, "name"));
	fresh.members[fresh.member_count++].user = r->user->id;
	if (!add_members(r, &fresh, json_object_get(r->data, "participants"))) {
		fake_refuse(r, 404, "USER_NOT_FOUND");
		return;
	}
	for (size_t i = 0; i < s->conversation_count; i++) {
		struct fake_conversation *c = &s->conversations[i];
		if (strcmp(fresh.kind, "direct") == 0 && strcmp(c->kind, "direct") == 0 &&
		        member_of(c, r->user) != NULL &&
		        member_of(c, fake_user_by_id(s, fresh.members[1].user)) != NULL) {
			fake_give(r, 200, conversation_object(r, c));
			return;
		}
	}
	if (s->ghost != NULL)
		fresh.members[fresh.member_count++].user = fake_user_named(s, s->ghost)->id;
	s->conversations[s->conversation_count++] = fresh;
	fake_give(r, 201, conversation_object(r, &fresh));
}

static void do_conversation_devices(struct request *r, const struct fake_conversation *c)
{
	json_t *list = json_array();
	for (size_t i = 0; i < c->member_count; i++) {
		const struct fake_user *u = fake_user_by_id(r->s, c->members[i].user);
		for (size_t k = 0; k < u->device_count; k++)
			json_array_append_new(list,
			        json_pack("{s:I,s:s,s:o,s:s,s:s}", "user_id", (json_int_t)u->id,
			                "username", u->name, "public_key", fake_pem(u), "id",
			                u->devices[k].id, "device", u->devices[k].encoded));
	}
	fake_give(r, 200, json_pack("{s:o}", "devices", list));
}

static json_t *message_object(const struct fake_server *s, const struct fake_message *m)
{
	json_t *object = json_pack("{s:I,s:I,s:I,s:s,s:s,s:s,s:o}", "id", (json_int_t)m->id,
	        "conversation_id", (json_int_t)m->conversation, "user_id", (json_int_t)m->user,
	        "username", m->username, "content", m->content, "client_id", m->client_id,
	        "created_at", fake_time(s));
	if (m->commit)
		json_object_set_new(object, "epoch", json_integer((json_int_t)m->epoch));
	return object;
}

static void do_messages(struct request *r, const struct fake_conversation *c, const char *query)
{
	unsigned long long after = 0;
	unsigned limit = 50, count = 0;
	bool more = false;
	const char *at = strstr(query, "after=");
	if (at != NULL)
		after = strtoull(at + 6, NULL, 10);
	at = strstr(query, "limit=");
	if (at != NULL)
		limit = (unsigned)strtoul(at + 6, NULL, 10);
	json_t *list = json_array();
	for (size_t i = 0; i < r->s->message_count; i++) {
		const struct fake_message *m = &r->s->messages[i];
		if (m->conversation != c->id || m->id <= after || m->hidden)
			continue;
		if (count == limit) {
			more = true;
			break;
		}
		count++;
		json_array_append_new(list, message_object(r->s, m));
	}
	fake_give(r, 200, json_pack("{s:o,s:b}", "messages", list, "has_more", more));
}

static const struct fake_message *sent_before(const struct request *r)
{
	for (size_t i = 0; i < r->s->message_count; i++) {
		const struct fake_message *m = &r->s->messages[i];
		if (m->user == r->user->id &&
		        strcmp(m->client_id, fake_text(r->data, "client_id")) == 0)
			return m;
	}
	return NULL;
}

static void receipt(struct request *r, int status, const struct fake_message *m)
{
	json_t *body = json_pack("{s:I,s:o,s:s}", "id", (json_int_t)m->id, "created_at",
	        fake_time(r->s), "client_id", m->client_id);
	if (m->commit)
		json_object_set_new(body, "epoch", json_integer((json_int_t)m->epoch + 1));
	fake_give(r, status, body);
}

static struct fake_message *append(struct request *r, const struct fake_conversation *c)
{
	struct fake_server *s = r->s;
	if (s->message_count == FAKE_MESSAGES)
		abort();
	struct fake_message *m = &s->messages[s->message_count++];
	*m = (struct fake_message){
	        .id = s->next_message++, .conversation = c->id, .user = r->user->id};
	m->content = strdup(fake_text(r->data, "content"));
	snprintf(m->client_id, sizeof(m->client_id), "%s", fake_text(r->data, "client_id"));
	snprintf(m->username, sizeof(m->username), "%s", r->user->name);
	return m;
}

static void do_post(struct request *r, const struct fake_conversation *c)
{
	const struct fake_message *before = sent_before(r);
	r->s->posts++;
	if (before != NULL)
		receipt(r, 200, before);
	else
		receipt(r, 201, append(r, c));
}

static void do_group(struct request *r, const struct fake_conversation *c)
{
	if (c->epoch == 0)
		fake_give(r, 200, json_pack("{s:i}", "epoch", 0));
	else
		fake_give(r, 200,
		        json_pack("{s:I,s:I,s:s}", "epoch", (json_int_t)c->epoch, "message_id",
		                (json_int_t)c->epoch_message, "group_info", c->group_info));
}

static void refuse_stale(struct request *r, const struct fake_conversation *c, uint64_t epoch)
{
	json_t *list = json_array();
	for (size_t i = 0; i < r->s->message_count; i++) {
		const struct fake_message *m = &r->s->messages[i];
		if (m->conversation == c->id && m->commit && !m->hidden && m->epoch >= epoch)
			json_array_append_new(list, message_object(r->s, m));
	}
	fake_give(r, 409,
	        json_pack("{s:s,s:s,s:o}", "error", "Somebody was first.", "code", "EPOCH_PASSED",
	                "commits", list));
}

static void keep_welcome(struct request *r, const struct fake_conversation *c,
        const struct fake_message *m, const char *device)
{
	struct fake_server *s = r->s;
	for (size_t i = 0; i < c->member_count; i++) {
		struct fake_user *u = fake_user_by_id(s, c->members[i].user);
		if (fake_device_of(u, device, strlen(device)) == NULL)
			continue;
		if (s->welcome_count == FAKE_WELCOMES)
			abort();
		struct fake_welcome *w = &s->welcomes[s->welcome_count++];
		*w = (struct fake_welcome){.id = s->next_welcome++,
		        .conversation = c->id,
		        .message = m->id,
		        .user = u->id,
		        .epoch = m->epoch + 1};
		snprintf(w->device, sizeof(w->device), "%s", device);
		w->bytes = fake_keep(fake_text(r->data, "welcome"));
	}
}

static void do_commit(struct request *r, struct fake_conversation *c)
{
	size_t i;
	json_t *item;
	const struct fake_message *before = sent_before(r);
	uint64_t epoch = (uint64_t)json_integer_value(json_object_get(r->data, "epoch"));
	if (before != NULL) {
		receipt(r, 200, before);
		return;
	}
	if (epoch != c->epoch) {
		refuse_stale(r, c, epoch);
		return;
	}
	struct fake_message *m = append(r, c);
	m->commit = true;
	m->epoch = epoch;
	r->s->commits++;
	c->epoch = epoch + 1;
	c->epoch_message = m->id;
	c->group_info = fake_keep(fake_text(r->data, "group_info"));
	json_array_foreach(json_object_get(r->data, "welcome_devices"), i, item)
	        keep_welcome(r, c, m, json_string_value(item));
	receipt(r, 201, m);
}

static void do_claim(struct request *r, const struct fake_conversation *c)
{
	size_t i;
	json_t *item, *list = json_array();
	json_array_foreach(json_object_get(r->data, "devices"), i, item)
	{
		const char *id = json_string_value(item);
		for (size_t k = 0; k < c->member_count; k++) {
			struct fake_device *d = fake_device_of(
			        fake_user_by_id(r->s, c->members[k].user), id, strlen(id));
			if (d != NULL)
				fake_claim_one(r, d, list);
		}
	}
	fake_give(r, 200, json_pack("{s:o}", "key_packages", list));
}

static void do_key(struct request *r, struct fake_conversation *c)
{
	char **key = &c->keys[r->user->id - 1];
	if (r->method == TACIT_PUT)
		*key = fake_keep(fake_text(r->data, "key"));
	if (*key == NULL)
		fake_refuse(r, 404, "NOT_FOUND");
	else
		fake_give(r, 200, json_pack("{s:s}", "key", *key));
}

static void do_remove(struct request *r, struct fake_conversation *c, const char *name)
{
	for (size_t i = 0; i < c->member_count; i++) {
		if (strcmp(fake_user_by_id(r->s, c->members[i].user)->name, name) != 0)
			continue;
		memmove(&c->members[i], &c->members[i + 1],
		        (c->member_count - i - 1) * sizeof(c->members[0]));
		c->member_count--;
		fake_give(r, 200, json_object());
		return;
	}
	fake_refuse(r, 404, "NOT_FOUND");
}

static void in_conversation(struct request *r, struct fake_conversation *c, const char *rest)
{
	if (rest[0] == 0)
		fake_give(r, 200, conversation_object(r, c));
	else if (strcmp(rest, "/devices") == 0)
		do_conversation_devices(r, c);
	else if (strncmp(rest, "/messages", 9) == 0 && r->method == TACIT_GET)
		do_messages(r, c, rest);
	else if (strcmp(rest, "/messages") == 0)
		do_post(r, c);
	else if (strcmp(rest, "/group") == 0)
		do_group(r, c);
	else if (strcmp(rest, "/commits") == 0)
		do_commit(r, c);
	else if (strcmp(rest, "/key-packages/claim") == 0)
		do_claim(r, c);
	else if (strcmp(rest, "/key") == 0)
		do_key(r, c);
	else if (strcmp(rest, "/participants") == 0 && r->method == TACIT_POST) {
		if (add_members(r, c, json_object_get(r->data, "usernames")))
			fake_give(r, 201, json_object());
		else
			fake_refuse(r, 404, "USER_NOT_FOUND");
	} else if (strncmp(rest, "/participants/", 14) == 0)
		do_remove(r, c, rest + 14);
	else if (strcmp(rest, "/read") == 0) {
		member_of(c, r->user)->read =
		        (uint64_t)json_integer_value(json_object_get(r->data, "message_id"));
		fake_give(r, 200, json_object());
	} else
		fake_refuse(r, 404, "NOT_FOUND");
}

void fake_do_conversation(struct request *r, const char *rest)
{
	char *after;
	uint64_t id = strtoull(rest, &after, 10);
	for (size_t i = 0; i < r->s->conversation_count; i++) {
		struct fake_conversation *c = &r->s->conversations[i];
		if (c->id == id && member_of(c, r->user) != NULL) {
			in_conversation(r, c, after);
			return;
		}
	}
	fake_refuse(r, 404, "NOT_FOUND");
}
