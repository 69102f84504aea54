/* calls_message.c - users, the inbox, messages to one and to many. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/calls.h"
#include "agent/inbox.h"
#include "agent/people.h"
#include "base/alloc.h"
#include "base/utf8.h"
#include "wire/names.h"

#define MAX_MARKED 256 /* conversations that one reading of the inbox marks read */

/* A call of the account has failed; with its session at the server gone, so are its logins. */
static enum tacit_err refuse_host(struct exchange *x, const struct host *h, enum tacit_err err)
{
	if (x->problem != AGENT_FINE)
		return err;
	if (err == TACIT_E_NOT_LOGGED_IN)
		people_end_account(x->agent->people, x->login);
	return call_refuse_host(x, h, err);
}

/* --- users ----------------------------------------------------------------------------------- */

struct users {
	json_t *list;
	bool failed;
};

static void on_user(void *ctx, const struct tacit_notice *n)
{
	struct users *u = ctx;
	if (n->kind != TACIT_NOTICE_USER)
		return;
	json_t *o = json_object();
	agent_put_text(&o, "username", n->username);
	agent_put_bool(&o, "verified", n->flag);
	agent_put_time(&o, "created_at", n->time);
	u->failed |= o == NULL || json_array_append_new(u->list, o) != 0;
}

enum tacit_err call_users(struct exchange *x)
{
	enum tacit_err err;
	struct users u = {.list = json_array()};
	const struct tacit_command users = {.kind = TACIT_CMD_USERS, .text = agent_query(x, "q")};
	struct host *h = people_lock(x->login);
	TRY(u.list != NULL ? TACIT_OK : TACIT_E_NOMEM);
	err = host_run(h, &users, on_user, &u);
	if (err != TACIT_OK)
		err = refuse_host(x, h, err);
	TRY(err);
	TRY(u.failed ? TACIT_E_NOMEM : TACIT_OK);
	json_t *o = json_object();
	agent_put_number(&o, "count", json_array_size(u.list));
	agent_put(&o, "users", u.list);
	u.list = NULL;
	err = agent_answer(x, MHD_HTTP_OK, o);
out:
	people_unlock(x->login);
	json_decref(u.list);
	return err;
}

/* --- the inbox ------------------------------------------------------------------------------- */

static bool is_set(struct tacit_bytes flag)
{
	return flag.p != NULL && !tacit_bytes_eq(flag, TACIT_STR("0")) &&
	       !tacit_bytes_eq(flag, TACIT_STR("false"));
}

static enum tacit_err read_wish(struct exchange *x, struct inbox_wish *w)
{
	struct tacit_bytes limit = agent_query(x, "limit");
	uint64_t n = 0;
	*w = (struct inbox_wish){.limit = INBOX_DEFAULT, .from = agent_query(x, "from")};
	w->whose = is_set(agent_query(x, "all")) ? INBOX_ALL : INBOX_INCOMING;
	w->only_unread = is_set(agent_query(x, "unread"));
	for (size_t i = 0; i < limit.n; i++) {
		if (limit.p[i] < '0' || limit.p[i] > '9' || n > INBOX_MOST)
			return agent_refuse(x, AGENT_INVALID_QUERY);
		n = 10 * n + (uint64_t)(limit.p[i] - '0');
	}
	if (limit.p != NULL && (n == 0 || n > INBOX_MOST))
		return agent_refuse(x, AGENT_INVALID_QUERY);
	w->limit = limit.p != NULL ? n : INBOX_DEFAULT;
	return TACIT_OK;
}

static enum tacit_err mark_read(struct host *h, const struct inbox_unread *unread)
{
	enum tacit_err err = TACIT_OK;
	for (size_t i = 0; i < unread->count && err == TACIT_OK; i++) {
		const struct tacit_command mark = {
		        .kind = TACIT_CMD_MARK_READ, .conversation = unread->conversations[i]};
		err = host_run(h, &mark, NULL, NULL);
	}
	return err;
}

/* Messages that came are told even if they cannot be marked: they come again, as unread. */
static enum tacit_err read_inbox(
        struct exchange *x, struct host *h, const struct inbox_wish *w, json_t **out)
{
	enum tacit_err err;
	uint64_t room[MAX_MARKED];
	struct inbox_unread unread = {.conversations = room, .max = MAX_MARKED};
	const struct tacit_command sync = {.kind = TACIT_CMD_SYNC};
	TRY(host_run(h, &sync, NULL, NULL));
	TRY(inbox_gather(h, w, &unread, out));
	/* Who asks for one sender's has not seen the others'. */
	if (!is_set(agent_query(x, "peek")) && w->from.n == 0)
		tacit_ignore(mark_read(h, &unread), "told once more, as unread");
out:
	return err;
}

enum tacit_err call_messages_list(struct exchange *x)
{
	enum tacit_err err;
	struct inbox_wish wish;
	json_t *list = NULL;
	TRY(read_wish(x, &wish));
	struct host *h = people_lock(x->login);
	err = read_inbox(x, h, &wish, &list);
	if (err != TACIT_OK)
		err = refuse_host(x, h, err);
	people_unlock(x->login);
	TRY(err);
	json_t *o = json_object();
	agent_put_number(&o, "count", json_array_size(list));
	agent_put(&o, "messages", list);
	TRY(agent_answer(x, MHD_HTTP_OK, o));
out:
	return err;
}

/* --- sending --------------------------------------------------------------------------------- */

struct sent {
	uint64_t conversation, message;
	int64_t time;
	bool kept;
};

static void on_sent(void *ctx, const struct tacit_notice *n)
{
	struct sent *s = ctx;
	if (n->kind == TACIT_NOTICE_DONE || n->kind == TACIT_NOTICE_FAILED)
		*s = (struct sent){n->conversation, n->message, n->time,
		        n->kind == TACIT_NOTICE_FAILED && n->flag};
}

static enum tacit_err read_text(struct exchange *x, struct tacit_bytes *text)
{
	enum tacit_err err;
	const char *name = json_object_get(x->json, "message") != NULL ? "message" : "content";
	if (json_object_get(x->json, name) == NULL)
		name = "message";
	TRY(agent_text(x, name, SIZE_MAX, text));
	if (text->n > TACIT_MAX_TEXT)
		err = agent_refuse_because(
		        x, AGENT_TOO_LARGE, "A message holds at most 64 KiB of text.");
out:
	return err;
}

/* Text that waits in the outbox is not lost: 202, and it goes out by itself with the next call. */
static enum tacit_err answer_sent(struct exchange *x, const struct sent *s, json_t *recipients)
{
	json_t *o = json_object();
	agent_put_text(&o, "message",
	        s->kept ? TACIT_STR("The server could not be reached; the message is kept and goes "
	                            "out with the next call")
	                : TACIT_STR("Message sent successfully"));
	agent_put_text(&o, "status", s->kept ? TACIT_STR("queued") : TACIT_STR("sent"));
	agent_put_number(&o, "id", s->message);
	agent_put_number(&o, "message_id", s->message);
	agent_put_number(&o, "conversation_id", s->conversation);
	agent_put_time(&o, "timestamp", s->kept ? tacit_env_now(&x->agent->env) : s->time);
	if (json_is_array(recipients))
		agent_put(&o, "recipients", json_incref(recipients));
	else
		agent_put(&o, "recipient", json_incref(recipients));
	return agent_answer(x, s->kept ? MHD_HTTP_ACCEPTED : MHD_HTTP_CREATED, o);
}

struct letter {
	uint64_t conversation;
	struct tacit_bytes username, text;
};

static enum tacit_err send_letter(
        struct exchange *x, struct host *h, const struct letter *l, struct sent *s)
{
	const struct tacit_content content = {
	        .kind = TACIT_CONTENT_TEXT,
	        .sent_at = tacit_env_now(&x->agent->env),
	        .text = l->text,
	};
	const struct tacit_command send = {
	        .kind = TACIT_CMD_SEND,
	        .conversation = l->conversation,
	        .username = l->username,
	        .content = &content,
	};
	*s = (struct sent){0};
	enum tacit_err err = host_run(h, &send, on_sent, s);
	if (err == TACIT_OK || s->kept)
		return TACIT_OK;
	if (err == TACIT_E_NOT_FOUND && l->conversation == 0)
		return agent_refuse(x, AGENT_USER_NOT_FOUND);
	return refuse_host(x, h, err);
}

static enum tacit_err check_name(struct exchange *x, struct tacit_bytes name)
{
	return tacit_username_valid(name) ? TACIT_OK : agent_refuse(x, AGENT_USER_NOT_FOUND);
}

enum tacit_err call_message_send(struct exchange *x)
{
	enum tacit_err err;
	struct letter l = {0};
	struct sent s;
	TRY(agent_text(x, "recipient", 200, &l.username));
	TRY(read_text(x, &l.text));
	TRY(check_name(x, l.username));
	struct host *h = people_lock(x->login);
	err = send_letter(x, h, &l, &s);
	people_unlock(x->login);
	TRY(err);
	TRY(answer_sent(x, &s, json_object_get(x->json, "recipient")));
out:
	return err;
}

/* --- to many --------------------------------------------------------------------------------- */

struct group {
	const struct tacit_bytes *users; /* without the sender, each once */
	size_t count;
	uint64_t found;
};

static bool has_user(const struct group *g, struct tacit_bytes name)
{
	uint8_t a[TACIT_MAX_USERNAME], b[TACIT_MAX_USERNAME];
	size_t n = tacit_username_lower(name, a);
	for (size_t i = 0; i < g->count; i++) {
		size_t m = tacit_username_lower(g->users[i], b);
		if (tacit_bytes_eq(tacit_bytes(a, n), tacit_bytes(b, m)))
			return true;
	}
	return false;
}

/* Exactly these and oneself, and not one that destroys itself. */
static void look_at(void *ctx, const struct tacit_notice *n)
{
	struct group *g = ctx;
	size_t members = 0, known = 0;
	struct tacit_bytes rest = n->members;
	if (n->conversation_kind != TACIT_GROUP)
		return;
	while (rest.n > 0) {
		const uint8_t *end = memchr(rest.p, '\n', rest.n);
		size_t width = end != NULL ? (size_t)(end - rest.p) : rest.n;
		members += width > 0;
		known += width > 0 && has_user(g, tacit_bytes(rest.p, width));
		rest = tacit_bytes_part(rest, width + 1, rest.n);
	}
	if (known == g->count && members == g->count + 1)
		g->found = n->conversation;
}

static enum tacit_err make_group(
        struct exchange *x, struct host *h, struct group *g, struct tacit_bytes title)
{
	struct sent made = {0};
	const struct tacit_command create = {
	        .kind = TACIT_CMD_CREATE_GROUP,
	        .text = title,
	        .users = g->users,
	        .user_count = g->count,
	};
	enum tacit_err err = host_run(h, &create, on_sent, &made);
	g->found = made.conversation;
	if (err == TACIT_E_NOT_FOUND)
		return agent_refuse(x, AGENT_USER_NOT_FOUND);
	return err == TACIT_OK ? TACIT_OK : refuse_host(x, h, err);
}

/* The names of those who are in it, cut where a title ends. */
static enum tacit_err title_of(
        const struct group *g, struct tacit_bytes self, struct tacit_buf *out)
{
	enum tacit_err err;
	TRY(tacit_buf_append(out, self));
	for (size_t i = 0; i < g->count; i++) {
		if (out->n + g->users[i].n + 2 > TACIT_MAX_CONVERSATION_NAME - 4) {
			TRY(tacit_buf_append(out, TACIT_STR(", ...")));
			break;
		}
		TRY(tacit_buf_append(out, TACIT_STR(", ")));
		TRY(tacit_buf_append(out, g->users[i]));
	}
out:
	return err;
}

/* The same people again: the same group. */
static enum tacit_err find_group(struct exchange *x, struct host *h, struct group *g)
{
	enum tacit_err err;
	struct tacit_buf made = {0};
	struct tacit_bytes title;
	const struct tacit_command refresh = {.kind = TACIT_CMD_CONVERSATIONS};
	TRY(agent_optional_text(x, "group", 4 * TACIT_MAX_CONVERSATION_NAME, &title));
	if (title.n > 0 && !tacit_conversation_name_valid(title))
		TRY(agent_refuse_because(x, AGENT_INVALID_FIELD, "That is not a group's name."));
	err = host_run(h, &refresh, NULL, NULL);
	if (err != TACIT_OK)
		err = refuse_host(x, h, err);
	TRY(err);
	tacit_engine_each_conversation(host_engine(h), look_at, g);
	if (g->found != 0)
		goto out;
	TRY(title_of(g, tacit_engine_username(host_engine(h)), &made));
	TRY(make_group(x, h, g, title.n > 0 ? title : tacit_buf_view(&made)));
out:
	tacit_buf_clear(&made);
	return err;
}

/* room has a place for each member of the list. */
static enum tacit_err read_recipients(struct exchange *x, const json_t *list,
        struct tacit_bytes self, struct tacit_bytes *room, struct group *g)
{
	enum tacit_err err = TACIT_OK;
	size_t i;
	json_t *item;
	g->users = room;
	json_array_foreach(list, i, item)
	{
		if (!json_is_string(item))
			TRY(agent_refuse_because(x, AGENT_INVALID_FIELD,
			        "Each of \"recipients\" must be a username."));
		struct tacit_bytes name =
		        tacit_bytes(json_string_value(item), json_string_length(item));
		TRY(check_name(x, name));
		const struct group only_self = {.users = &self, .count = 1};
		if (!has_user(g, name) && !has_user(&only_self, name))
			room[g->count++] = name;
	}
	if (g->count == 0)
		err = agent_refuse_because(
		        x, AGENT_INVALID_FIELD, "\"recipients\" must name somebody else.");
out:
	return err;
}

static enum tacit_err send_to_group(struct exchange *x, struct host *h, const json_t *list,
        struct tacit_bytes text, struct sent *s)
{
	enum tacit_err err;
	struct group g = {0};
	struct tacit_bytes *room = tacit_calloc(json_array_size(list) + 1, sizeof(*room));
	TRY(room != NULL ? TACIT_OK : TACIT_E_NOMEM);
	TRY(read_recipients(x, list, tacit_engine_username(host_engine(h)), room, &g));
	struct letter l = {.text = text};
	if (g.count == 1) {
		l.username = g.users[0];
	} else {
		TRY(find_group(x, h, &g));
		l.conversation = g.found;
	}
	TRY(send_letter(x, h, &l, s));
out:
	tacit_free(room);
	return err;
}

enum tacit_err call_group_message_send(struct exchange *x)
{
	enum tacit_err err;
	struct sent s = {0};
	struct tacit_bytes text;
	json_t *list = json_object_get(x->json, "recipients");
	if (!json_is_array(list) || json_array_size(list) == 0)
		TRY(agent_refuse_because(
		        x, AGENT_INVALID_FIELD, "\"recipients\" must be a list of usernames."));
	if (json_array_size(list) > TACIT_MAX_PARTICIPANTS)
		TRY(agent_refuse(x, AGENT_TOO_MANY));
	TRY(read_text(x, &text));
	struct host *h = people_lock(x->login);
	err = send_to_group(x, h, list, text, &s);
	people_unlock(x->login);
	TRY(err);
	TRY(answer_sent(x, &s, list));
out:
	return err;
}
