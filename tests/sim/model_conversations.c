/* Conversations, messages, commits, Welcomes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/model_int.h"

#define MAX_MISSING 32 /* commits in a refusal */

/* --- who is in ------------------------------------------------------------------------------ */

json_t *model_conversation(const struct model_server *s, json_int_t id)
{
	size_t i;
	json_t *v;
	json_array_foreach(json_object_get(s->state, "conversations"), i,
	        v) if (number_of(v, "id") == id) return v;
	return NULL;
}

static json_t *member_of(const json_t *conversation, json_int_t user)
{
	size_t i;
	json_t *m;
	json_array_foreach(json_object_get(conversation, "members"), i,
	        m) if (number_of(m, "user") == user) return m;
	return NULL;
}

bool model_is_in(const struct model_server *s, json_int_t conversation, const char *username)
{
	const json_t *v = model_conversation(s, conversation), *u = model_user(s, username);
	return v != NULL && u != NULL && member_of(v, number_of(u, "id")) != NULL;
}

static void tell(struct call *c, const json_t *v, const char *event, json_t *body)
{
	if (c->s->tell != NULL)
		c->s->tell(c->s->ctx, number_of(v, "id"), event, body);
	json_decref(body);
}

static json_t *describe(struct call *c, const json_t *v)
{
	size_t i;
	json_t *m, *people = json_array();
	json_array_foreach(json_object_get(v, "members"), i, m)
	{
		const json_t *u = user_by_id(c->s, number_of(m, "user"));
		json_array_append_new(
		        people, json_pack("{s:I,s:s,s:s,s:o,s:I}", "user_id", number_of(u, "id"),
		                        "username", text_of(u, "username"), "public_key",
		                        text_of(u, "public_key"), "joined_at",
		                        time_of(number_of(m, "joined")), "read_message_id",
		                        number_of(m, "read")));
	}
	return json_pack("{s:I,s:s,s:s,s:I,s:I,s:o}", "id", number_of(v, "id"), "kind",
	        text_of(v, "kind"), "name", text_of(v, "name"), "last_message_id",
	        number_of(v, "last"), "unread", (json_int_t)0, "participants", people);
}

static void list_conversations(struct call *c)
{
	size_t i;
	json_t *v, *list = json_array();
	json_array_foreach(json_object_get(c->s->state, "conversations"), i,
	        v) if (member_of(v, number_of(c->user, "id")) != NULL)
	        json_array_append_new(list, describe(c, v));
	call_answer(c, 200, json_pack("{s:o}", "conversations", list));
}

static void add_member(struct call *c, json_t *v, json_int_t user)
{
	if (member_of(v, user) == NULL)
		json_array_append_new(json_object_get(v, "members"),
		        json_pack("{s:I,s:I,s:I}", "user", user, "read", (json_int_t)0, "joined",
		                (json_int_t)c->s->now));
}

static void tell_people(struct call *c, const json_t *v, const char *change, const json_t *names)
{
	size_t i;
	json_t *name, *users = json_array();
	json_array_foreach(names, i, name) json_array_append_new(
	        users, json_pack("{s:I,s:s}", "user_id",
	                       number_of(model_user(c->s, json_string_value(name)), "id"),
	                       "username", json_string_value(name)));
	tell(c, v, "participants",
	        json_pack("{s:I,s:s,s:o,s:{s:I,s:s}}", "room_id", number_of(v, "id"), "change",
	                change, "users", users, "by", "user_id", number_of(c->user, "id"),
	                "username", text_of(c->user, "username")));
}

/* All are known, and none of them is in. */
static bool addable(struct call *c, const json_t *v, const json_t *names)
{
	size_t i;
	json_t *name;
	json_array_foreach(names, i, name)
	{
		const json_t *u = model_user(c->s, json_string_value(name));
		if (u == NULL) {
			call_refuse(c, 404, "USER_NOT_FOUND");
			return false;
		}
		if (member_of(v, number_of(u, "id")) != NULL) {
			call_refuse(c, 409, "ALREADY_EXISTS");
			return false;
		}
	}
	return true;
}

static void add_members(struct call *c, json_t *v, const json_t *names)
{
	size_t i;
	json_t *name;
	json_array_foreach(names, i, name)
	        add_member(c, v, number_of(model_user(c->s, json_string_value(name)), "id"));
}

static void add_participants(struct call *c, json_t *v)
{
	const json_t *names = json_object_get(c->data, "usernames");
	if (strcmp(text_of(v, "kind"), "direct") == 0)
		call_refuse(c, 409, "CONFLICT");
	else if (addable(c, v, names)) {
		add_members(c, v, names);
		tell_people(c, v, "added", names);
		call_answer(c, 201, describe(c, v));
	}
}

static json_t *direct_between(struct call *c, json_int_t a, json_int_t b)
{
	size_t i;
	json_t *v;
	json_array_foreach(json_object_get(c->s->state, "conversations"), i,
	        v) if (strcmp(text_of(v, "kind"), "direct") == 0 && member_of(v, a) != NULL &&
	               member_of(v, b) != NULL) return v;
	return NULL;
}

static void create(struct call *c)
{
	json_t *v = json_pack("{s:s,s:s,s:I,s:I,s:[]}", "kind", text_of(c->data, "kind"), "name",
	        text_of(c->data, "name"), "last", (json_int_t)0, "creator",
	        number_of(c->user, "id"), "members");
	if (!addable(c, v, json_object_get(c->data, "participants"))) {
		json_decref(v);
		return;
	}
	add_member(c, v, number_of(c->user, "id"));
	add_members(c, v, json_object_get(c->data, "participants"));
	const json_t *members = json_object_get(v, "members");
	json_t *there = NULL;
	if (strcmp(text_of(v, "kind"), "direct") == 0)
		there = direct_between(
		        c, number_of(c->user, "id"), number_of(json_array_get(members, 1), "user"));
	if (there == NULL) {
		json_object_set_new(v, "id", json_integer(100 + next_id(c->s, "conversation")));
		json_array_append(json_object_get(c->s->state, "conversations"), v);
		tell_people(c, v, "added", json_object_get(c->data, "participants"));
	}
	call_answer(c, there != NULL ? 200 : 201, describe(c, there != NULL ? there : v));
	json_decref(v);
}

static void drop_conversation(struct call *c, const json_t *v)
{
	size_t i;
	json_t *other, *list = json_object_get(c->s->state, "conversations");
	json_array_foreach(list, i, other)
	{
		if (other != v)
			continue;
		json_array_remove(list, i);
		return;
	}
}

static void remove_member(struct call *c, json_t *v, const char *name)
{
	size_t i;
	json_t *m, *list = json_object_get(v, "members");
	const json_t *u = model_user(c->s, name);
	bool own = u == c->user;
	if (!own && number_of(v, "creator") != number_of(c->user, "id")) {
		call_refuse(c, 403, "NOT_ALLOWED");
		return;
	}
	json_array_foreach(list, i, m)
	{
		if (u == NULL || number_of(m, "user") != number_of(u, "id"))
			continue;
		drop_welcomes(c->s, number_of(u, "id"), number_of(v, "id"));
		json_array_remove(list, i);
		json_t *names = json_pack("[s]", text_of(u, "username"));
		tell_people(c, v, own ? "left" : "removed", names);
		json_decref(names);
		if (json_array_size(list) == 0)
			drop_conversation(c, v);
		call_answer(c, 200, json_object());
		return;
	}
	call_refuse(c, 404, "NOT_FOUND");
}

static void list_devices(struct call *c, const json_t *v)
{
	size_t i, k;
	json_t *m, *d, *list = json_array();
	json_array_foreach(json_object_get(v, "members"), i, m)
	{
		const json_t *u = user_by_id(c->s, number_of(m, "user"));
		json_array_foreach(json_object_get(u, "devices"), k, d) json_array_append_new(
		        list, json_pack("{s:I,s:s,s:s,s:s,s:s}", "user_id", number_of(u, "id"),
		                      "username", text_of(u, "username"), "public_key",
		                      text_of(u, "public_key"), "id", text_of(d, "id"), "device",
		                      text_of(d, "device")));
	}
	call_answer(c, 200, json_pack("{s:o}", "devices", list));
}

/* --- messages ------------------------------------------------------------------------------- */

static json_int_t query_number(const char *query, const char *name, json_int_t otherwise)
{
	const char *at = strstr(query, name);
	return at != NULL ? strtoll(at + strlen(name), NULL, 10) : otherwise;
}

/* The oldest behind `after`; without it the newest. */
static void list_messages(struct call *c, const json_t *v, const char *query)
{
	json_int_t after = query_number(query, "after=", 0);
	size_t limit = (size_t)query_number(query, "limit=", 50), i;
	json_t *m, *list = json_array();
	bool more = false;
	json_array_foreach(model_messages(c->s), i, m)
	{
		if (number_of(m, "conversation_id") != number_of(v, "id") ||
		        number_of(m, "id") <= after)
			continue;
		more = json_array_size(list) == limit;
		if (more && after > 0)
			break;
		if (more)
			json_array_remove(list, 0);
		json_array_append(list, m);
	}
	call_answer(c, 200, json_pack("{s:o,s:b}", "messages", list, "has_more", more));
}

static json_t *earlier(struct call *c, const json_t *v)
{
	size_t i;
	json_t *m;
	json_array_foreach(model_messages(c->s), i,
	        m) if (number_of(m, "conversation_id") == number_of(v, "id") &&
	               number_of(m, "user_id") == number_of(c->user, "id") &&
	               strcmp(text_of(m, "client_id"), text_of(c->data, "client_id")) ==
	                       0) return m;
	return NULL;
}

static json_t *receipt(const json_t *m)
{
	json_t *answer = json_pack("{s:I,s:I,s:s,s:s}", "id", number_of(m, "id"), "conversation_id",
	        number_of(m, "conversation_id"), "created_at", text_of(m, "created_at"),
	        "client_id", text_of(m, "client_id"));
	if (json_object_get(m, "epoch") != NULL)
		json_object_set_new(answer, "epoch", json_integer(number_of(m, "epoch") + 1));
	return answer;
}

static json_t *append(struct call *c, json_t *v)
{
	json_int_t id = next_id(c->s, "message");
	json_t *m = json_pack("{s:I,s:I,s:I,s:s,s:s,s:s,s:o}", "id", id, "conversation_id",
	        number_of(v, "id"), "user_id", number_of(c->user, "id"), "username",
	        text_of(c->user, "username"), "content", text_of(c->data, "content"), "client_id",
	        text_of(c->data, "client_id"), "created_at", time_of(c->s->now));
	json_array_append_new(model_messages(c->s), m);
	json_object_set_new(v, "last", json_integer(id));
	return m;
}

json_t *model_live_form(const json_t *m)
{
	json_t *e = json_copy((json_t *)m);
	json_object_set(e, "room_id", json_object_get(m, "conversation_id"));
	json_object_set(e, "encrypted_content", json_object_get(m, "content"));
	return e;
}

static void post_message(struct call *c, json_t *v)
{
	json_t *m = earlier(c, v);
	bool fresh = m == NULL;
	if (fresh) {
		m = append(c, v);
		tell(c, v, "new_message", model_live_form(m));
	}
	call_answer(c, fresh ? 201 : 200, receipt(m));
}

/* --- the group ------------------------------------------------------------------------------ */

static json_int_t epoch_of(const json_t *v)
{
	return number_of(json_object_get(v, "group"), "epoch");
}

static void get_group(struct call *c, const json_t *v)
{
	json_t *group = json_object_get(v, "group");
	call_answer(c, 200,
	        group != NULL ? json_incref(group) : json_pack("{s:I}", "epoch", (json_int_t)0));
}

static void refuse_stale(struct call *c, const json_t *v)
{
	size_t i;
	json_t *m, *list = json_array();
	json_array_foreach(model_messages(c->s), i,
	        m) if (number_of(m, "conversation_id") == number_of(v, "id") &&
	               json_object_get(m, "epoch") != NULL &&
	               number_of(m, "epoch") >= number_of(c->data, "epoch") &&
	               json_array_size(list) < MAX_MISSING) json_array_append(list, m);
	call_answer(c, 409,
	        json_pack("{s:s,s:s,s:o}", "error", "Another commit has ended this epoch.", "code",
	                "EPOCH_PASSED", "commits", list));
}

static void keep_welcomes(struct call *c, const json_t *v, const json_t *commit)
{
	size_t i;
	json_t *device;
	json_int_t id = next_id(c->s, "welcome");
	json_array_foreach(json_object_get(c->data, "welcome_devices"), i, device)
	{
		json_t *owner;
		if (device_anywhere(c->s, json_string_value(device), &owner) == NULL ||
		        member_of(v, number_of(owner, "id")) == NULL)
			continue;
		json_array_append_new(json_object_get(c->s->state, "welcomes"),
		        json_pack("{s:I,s:s,s:I,s:I,s:I,s:I,s:s}", "id", id, "device",
		                json_string_value(device), "user", number_of(owner, "id"),
		                "conversation_id", number_of(v, "id"), "epoch", epoch_of(v),
		                "message_id", number_of(commit, "id"), "welcome",
		                text_of(c->data, "welcome")));
	}
}

static void post_commit(struct call *c, json_t *v)
{
	json_int_t epoch = number_of(c->data, "epoch");
	json_t *m = earlier(c, v);
	if (m != NULL) {
		call_answer(c, 200, receipt(m));
		return;
	}
	if (epoch != epoch_of(v)) {
		refuse_stale(c, v);
		return;
	}
	m = append(c, v);
	json_object_set_new(m, "epoch", json_integer(epoch));
	json_object_set_new(v, "group",
	        json_pack("{s:I,s:I,s:s}", "epoch", epoch + 1, "message_id", number_of(m, "id"),
	                "group_info", text_of(c->data, "group_info")));
	keep_welcomes(c, v, m);
	tell(c, v, "new_message", model_live_form(m));
	call_answer(c, 201, receipt(m));
}

static json_t *take_package(json_t *device)
{
	json_t *stock = json_object_get(device, "packages");
	json_t *last = json_object_get(device, "last_resort");
	if (json_array_size(stock) == 0)
		return last != NULL ? json_incref(last) : NULL;
	json_t *first = json_incref(json_array_get(stock, 0));
	json_array_remove(stock, 0);
	return first;
}

static void claim(struct call *c, const json_t *v)
{
	size_t i;
	json_t *id, *list = json_array();
	json_array_foreach(json_object_get(c->data, "devices"), i, id)
	{
		json_t *owner;
		json_t *device = device_anywhere(c->s, json_string_value(id), &owner);
		if (device == NULL || member_of(v, number_of(owner, "id")) == NULL)
			continue;
		json_t *package = take_package(device);
		if (package != NULL)
			json_array_append_new(
			        list, json_pack("{s:s,s:o}", "device", json_string_value(id),
			                      "key_package", package));
	}
	call_answer(c, 200, json_pack("{s:o}", "key_packages", list));
}

/* --- wrapped keys: one for each participant ------------------------------------------------- */

static void put_key(struct call *c, json_t *v)
{
	json_t *m = member_of(v, number_of(c->user, "id"));
	json_object_set_new(m, "key", json_string(text_of(c->data, "key")));
	call_answer(c, 200, json_pack("{s:s}", "key", text_of(m, "key")));
}

static void get_key(struct call *c, const json_t *v)
{
	const json_t *m = member_of(v, number_of(c->user, "id"));
	if (json_object_get(m, "key") == NULL)
		call_refuse(c, 404, "NOT_FOUND");
	else
		call_answer(c, 200, json_pack("{s:s}", "key", text_of(m, "key")));
}

/* --- paths ---------------------------------------------------------------------------------- */

static void in_conversation(struct call *c, json_t *v, const char *rest)
{
	bool post = c->request->method == TACIT_POST;
	if (rest[0] == 0)
		call_answer(c, 200, describe(c, v));
	else if (strcmp(rest, "/devices") == 0)
		list_devices(c, v);
	else if (strcmp(rest, "/messages") == 0 && post)
		post_message(c, v);
	else if (strncmp(rest, "/messages", 9) == 0)
		list_messages(c, v, rest);
	else if (strcmp(rest, "/group") == 0)
		get_group(c, v);
	else if (strcmp(rest, "/key") == 0 && c->request->method == TACIT_PUT)
		put_key(c, v);
	else if (strcmp(rest, "/key") == 0)
		get_key(c, v);
	else if (strcmp(rest, "/commits") == 0 && post)
		post_commit(c, v);
	else if (strcmp(rest, "/key-packages/claim") == 0 && post)
		claim(c, v);
	else if (strcmp(rest, "/participants") == 0 && post)
		add_participants(c, v);
	else if (strncmp(rest, "/participants/", 14) == 0)
		remove_member(c, v, rest + 14);
	else if (strcmp(rest, "/read") == 0) {
		json_t *m = member_of(v, number_of(c->user, "id"));
		json_object_set_new(m, "read", json_integer(number_of(c->data, "message_id")));
		call_answer(c, 200, json_object());
	} else
		call_refuse(c, 404, "NOT_FOUND");
}

bool call_conversations(struct call *c, const char *path)
{
	static const char root[] = "/api/conversations";
	char *rest;
	if (strncmp(path, root, sizeof(root) - 1) != 0)
		return false;
	path += sizeof(root) - 1;
	if (path[0] == 0 && c->request->method == TACIT_POST)
		create(c);
	else if (path[0] == 0)
		list_conversations(c);
	else {
		json_t *v = model_conversation(c->s, strtoll(path + 1, &rest, 10));
		if (v != NULL && member_of(v, number_of(c->user, "id")) != NULL)
			in_conversation(c, v, rest);
		else
			call_refuse(c, 404, "NOT_FOUND");
	}
	return true;
}
