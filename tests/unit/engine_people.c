#include "engine_people.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/tap.h"
#include "wire/json.h"

#define PASSWORD "correct horse 1!"

int64_t person_clock = 1700000000;

static int64_t now(void *ctx)
{
	(void)ctx;
	return person_clock;
}

struct tacit_env person_env(void)
{
	static struct tacit_env
	        env; /* one stream of randomness for all, or they were the same person */
	if (env.random == NULL)
		env = tap_env(42);
	env.now = now;
	return env;
}

void person_init(struct person *p, const char *name, struct fake_server *s)
{
	*p = (struct person){.name = name, .server = s, .env = person_env(), .power = -1};
	if (tacit_engine_new(&p->env, &p->engine) != TACIT_OK)
		abort();
}

static void drop_queue(struct person *p)
{
	for (size_t i = 0; i < p->queue_count; i++) {
		tacit_buf_clear(&p->queue[i].path);
		tacit_buf_clear(&p->queue[i].data);
	}
	p->queue_count = 0;
}

void person_clear(struct person *p)
{
	tacit_engine_free(p->engine);
	drop_queue(p);
	for (size_t i = 0; i < p->record_count; i++)
		tacit_buf_clear(&p->records[i].data);
	for (size_t i = 0; i < p->log_count; i++)
		tacit_buf_clear(&p->log[i].data);
	tacit_buf_clear(&p->profile);
	tacit_buf_clear(&p->secret);
	*p = (struct person){0};
}

enum tacit_err person_restart(struct person *p)
{
	enum tacit_err err;
	tacit_engine_free(p->engine);
	p->engine = NULL;
	drop_queue(p);
	p->failed = false;
	p->power = -1;
	if (p->profile.n == 0)
		return tacit_engine_new(&p->env, &p->engine);
	TRY(tacit_engine_open(&p->env, tacit_buf_view(&p->profile), &p->engine));
	TRY(tacit_engine_unlock_with_secret(p->engine, tacit_buf_view(&p->secret)));
	for (size_t i = p->record_count; i > 0; i--) /* any order: backwards */
		TRY(tacit_engine_restore(
		        p->engine, &p->records[i - 1].id, tacit_buf_view(&p->records[i - 1].data)));
out:
	return err;
}

/* --- carrying out effects
 * ------------------------------------------------------------------------- */

static void replace(struct tacit_buf *to, struct tacit_buf *from)
{
	tacit_buf_clear(to);
	*to = *from;
	*from = (struct tacit_buf){0};
}

static bool same_id(const struct tacit_record_id *a, const struct tacit_record_id *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

static void put(struct person *p, struct tacit_effect *fx)
{
	size_t i = 0;
	while (i < p->record_count && !same_id(&p->records[i].id, &fx->id))
		i++;
	if (fx->data.n == 0) {
		if (i < p->record_count) {
			tacit_buf_clear(&p->records[i].data);
			p->records[i] = p->records[--p->record_count];
		}
		return;
	}
	if (i == PERSON_RECORDS)
		abort();
	if (i == p->record_count)
		p->records[p->record_count++] = (struct kept){.id = fx->id};
	replace(&p->records[i].data, &fx->data);
}

static void log_it(struct person *p, struct tacit_effect *fx)
{
	for (size_t i = 0; i < p->log_count; i++)
		if (same_id(&p->log[i].id, &fx->id) && p->log[i].position == fx->position)
			return;
	if (p->log_count == PERSON_LOG)
		abort();
	p->log[p->log_count] = (struct kept){.id = fx->id, .position = fx->position};
	replace(&p->log[p->log_count++].data, &fx->data);
}

static void purge(struct person *p, const struct tacit_effect *fx)
{
	for (size_t i = 0; i < p->log_count;) {
		struct kept *k = &p->log[i];
		if (!same_id(&k->id, &fx->id) || k->position < fx->position ||
		        k->position > fx->until) {
			i++;
			continue;
		}
		tacit_buf_clear(&k->data);
		*k = p->log[--p->log_count];
	}
}

static void flat(char *to, size_t n, struct tacit_bytes from)
{
	size_t fits = from.n < n ? from.n : n - 1;
	if (fits > 0)
		memcpy(to, from.p, fits);
	to[fits] = '\0';
}

static void hear(struct person *p, const struct tacit_notice *n)
{
	if (p->heard_count == PERSON_HEARD)
		abort();
	struct heard *h = &p->heard[p->heard_count++];
	*h = (struct heard){.kind = n->kind,
	        .op = n->op,
	        .err = n->err,
	        .conversation = n->conversation,
	        .message = n->message,
	        .count = n->count,
	        .text_n = n->text.n,
	        .flag = n->flag,
	        .reply_to = n->content.reply_to,
	        .content_kind = n->content.kind};
	flat(h->text, sizeof(h->text), n->text);
	flat(h->username, sizeof(h->username), n->username);
	flat(h->title, sizeof(h->title), n->title);
	flat(h->members, sizeof(h->members), n->members);
	flat(h->detail, sizeof(h->detail), n->detail);
	flat(h->content, sizeof(h->content), n->content.text);
}

/* True when the power fails right now. */
static bool power_fails(struct person *p)
{
	if (p->power < 0 || p->power-- > 0)
		return false;
	p->failed = true;
	return true;
}

static int rank(enum tacit_effect_kind kind)
{
	return kind == TACIT_EFFECT_SEND || kind == TACIT_EFFECT_DELIVER ||
	                       kind == TACIT_EFFECT_LIVE || kind == TACIT_EFFECT_RECALL
	               ? 2
	       : kind == TACIT_EFFECT_COOKIE ? 1
	                                     : 0;
}

static void keep(struct person *p, struct tacit_effects *fx)
{
	for (size_t i = 0; i < fx->count; i++) {
		struct tacit_effect *one = &fx->list[i];
		CHECK(i == 0 || rank(fx->list[i - 1].kind) <= rank(one->kind));
		if (one->kind == TACIT_EFFECT_PERSIST)
			put(p, one);
		if (one->kind == TACIT_EFFECT_LOG)
			log_it(p, one);
		if (one->kind == TACIT_EFFECT_PURGE)
			purge(p, one);
		if (one->kind == TACIT_EFFECT_PROFILE) {
			replace(&p->profile, &one->data);
			/* The kernel's keyring of this person. */
			tacit_buf_clear(&p->secret);
			if (tacit_buf_append(&p->secret, tacit_engine_account_secret(p->engine)) !=
			        TACIT_OK)
				abort();
		}
	}
}

static void say_live(struct person *p, const struct tacit_effect *fx)
{
	json_t *body = NULL;
	CHECK_OK(tacit_json_parse(tacit_buf_view(&fx->data), &body));
	snprintf(p->said, sizeof(p->said), "%s %.*s", (const char *)fx->path.p, (int)fx->data.n,
	        (const char *)fx->data.p);
	if (strcmp((const char *)fx->path.p, "join_room") == 0) {
		if (p->join_count == PERSON_JOINS)
			abort();
		p->joins[p->join_count] =
		        (uint64_t)json_integer_value(json_object_get(body, "room_id"));
		p->join_after[p->join_count++] =
		        (uint64_t)json_integer_value(json_object_get(body, "after"));
	}
	json_decref(body);
}

static void carry_out(struct person *p, struct tacit_effects *fx);

static void recall(struct person *p, const struct tacit_effect *asked)
{
	struct tacit_effects fx = {0};
	struct tacit_bytes entry = {0};
	for (size_t i = 0; i < p->log_count; i++)
		if (same_id(&p->log[i].id, &asked->id) && p->log[i].position == asked->position)
			entry = tacit_buf_view(&p->log[i].data);
	p->trouble = tacit_engine_recalled(p->engine, asked->request, entry, &fx);
	if (p->trouble == TACIT_OK)
		carry_out(p, &fx);
	tacit_effects_clear(&fx);
}

static void carry_out(struct person *p, struct tacit_effects *fx)
{
	if (p->store_is_full)
		p->failed = true;
	else if (!power_fails(p))
		keep(p, fx);
	p->trouble = TACIT_OK;
	for (size_t i = 0; i < fx->count && !p->failed && !power_fails(p) && p->trouble == TACIT_OK;
	        i++) {
		struct tacit_effect *one = &fx->list[i];
		if (one->kind == TACIT_EFFECT_DELIVER)
			hear(p, &one->notice);
		if (one->kind == TACIT_EFFECT_LIVE)
			say_live(p, one);
		if (one->kind == TACIT_EFFECT_RECALL)
			recall(p, one);
		if (one->kind != TACIT_EFFECT_SEND)
			continue;
		if (p->queue_count == PERSON_QUEUE)
			abort();
		p->queue[p->queue_count++] = *one;
		one->path = one->data = (struct tacit_buf){0};
	}
	tacit_effects_clear(fx);
}

/* --- running
 * ---------------------------------------------------------------------------------------- */

enum tacit_err person_begin(struct person *p, const struct tacit_command *c, uint64_t *op)
{
	struct tacit_effects fx = {0};
	enum tacit_err err = tacit_engine_command(p->engine, c, op, &fx);
	if (err == TACIT_OK) {
		carry_out(p, &fx);
		err = p->trouble;
	} else {
		CHECK_INT(fx.count, 0);
	}
	tacit_effects_clear(&fx);
	return err;
}

bool person_step(struct person *p, enum tacit_err *err)
{
	struct tacit_effects fx = {0};
	struct fake_answer got;
	*err = TACIT_OK;
	if (p->queue_count == 0 || p->failed)
		return false;
	struct tacit_effect send = p->queue[0];
	memmove(&p->queue[0], &p->queue[1], --p->queue_count * sizeof(p->queue[0]));
	fake_server_answer(p->server, tacit_engine_cookie(p->engine), &send, &got);
	struct tacit_http_answer a = {
	        .status = got.status,
	        .body = tacit_buf_view(&got.body),
	        .cookie = tacit_cstr(got.cookie),
	        .cookie_name = tacit_cstr(got.cookie_name),
	};
	if (!power_fails(p)) {
		*err = tacit_engine_answer(p->engine, send.request, &a, &fx);
		if (*err == TACIT_OK) {
			carry_out(p, &fx);
			*err = p->trouble;
		}
	}
	tacit_effects_clear(&fx);
	tacit_buf_clear(&got.body);
	tacit_buf_clear(&send.path);
	tacit_buf_clear(&send.data);
	return *err == TACIT_OK && !p->failed;
}

enum tacit_err person_run(struct person *p, const struct tacit_command *c)
{
	uint64_t op;
	size_t first = p->heard_count;
	enum tacit_err err = person_begin(p, c, &op);
	if (err != TACIT_OK)
		return err;
	while (person_step(p, &err))
		continue;
	if (err != TACIT_OK)
		return err;
	if (p->failed)
		return TACIT_E_CANCELLED;
	size_t ends = 0;
	for (size_t i = first; i < p->heard_count; i++) {
		const struct heard *h = &p->heard[i];
		if (h->op != op || (h->kind != TACIT_NOTICE_DONE && h->kind != TACIT_NOTICE_FAILED))
			continue;
		ends++;
		err = h->kind == TACIT_NOTICE_DONE ? TACIT_OK : h->err;
	}
	CHECK_INT(ends, 1);
	return err;
}

/* --- live
 * -------------------------------------------------------------------------------------------- */

static void run_out(struct person *p, enum tacit_err err, struct tacit_effects *fx)
{
	CHECK_OK(err);
	carry_out(p, fx);
	CHECK_OK(p->trouble);
	tacit_effects_clear(fx);
	while (person_step(p, &err))
		continue;
	CHECK_OK(err);
}

void person_live_up(struct person *p)
{
	struct tacit_effects fx = {0};
	p->live = true;
	p->join_count = 0;
	run_out(p, tacit_engine_live_up(p->engine, &fx), &fx);
}

void person_live_down(struct person *p)
{
	p->live = false;
	tacit_engine_live_down(p->engine);
}

void person_live(struct person *p, const char *name, const char *body)
{
	struct tacit_effects fx = {0};
	run_out(p, tacit_engine_live_event(p->engine, tacit_cstr(name), tacit_cstr(body), &fx),
	        &fx);
}

void person_tick(struct person *p)
{
	struct tacit_effects fx = {0};
	run_out(p, tacit_engine_tick(p->engine, &fx), &fx);
}

static json_t *live_form(const struct fake_message *m)
{
	return json_pack("{s:I,s:I,s:I,s:s,s:s,s:s}", "id", (json_int_t)m->id, "room_id",
	        (json_int_t)m->conversation, "user_id", (json_int_t)m->user, "username",
	        m->username, "encrypted_content", m->content, "created_at", "2023-11-14T22:13:20Z");
}

static void send_event(struct person *p, const char *name, json_t *body)
{
	char *text = json_dumps(body, JSON_COMPACT);
	person_live(p, name, text);
	free(text);
	json_decref(body);
}

void person_live_message(struct person *p, size_t i)
{
	send_event(p, "new_message", live_form(&p->server->messages[i]));
}

static void answer_join(struct person *p, uint64_t room, uint64_t after, unsigned page)
{
	json_t *list = json_array();
	bool more = false;
	for (size_t i = 0; i < p->server->message_count; i++) {
		const struct fake_message *m = &p->server->messages[i];
		if (m->conversation != room || m->id <= after || m->hidden)
			continue;
		more = json_array_size(list) == page;
		if (more)
			break;
		json_array_append_new(list, live_form(m));
	}
	send_event(p, "room_history",
	        json_pack("{s:I,s:o,s:b,s:b}", "room_id", (json_int_t)room, "messages", list,
	                "more", more, "joined", !more));
}

void person_live_join(struct person *p, unsigned page)
{
	while (p->join_count > 0) {
		uint64_t room = p->joins[0], after = p->join_after[0];
		p->join_count--;
		memmove(p->joins, p->joins + 1, p->join_count * sizeof(p->joins[0]));
		memmove(p->join_after, p->join_after + 1, p->join_count * sizeof(p->join_after[0]));
		answer_join(p, room, after, page);
	}
}

static struct tacit_content text_content(const char *text)
{
	return (struct tacit_content){.kind = TACIT_CONTENT_TEXT, .text = tacit_cstr(text)};
}

enum tacit_err person_tell(
        struct person *p, uint64_t conversation, const struct tacit_content *content)
{
	return person_run(p,
	        &(struct tacit_command){
	                .kind = TACIT_CMD_SEND, .conversation = conversation, .content = content});
}

enum tacit_err person_say(struct person *p, const char *to, const char *text)
{
	struct tacit_content content = text_content(text);
	return person_run(p,
	        &(struct tacit_command){
	                .kind = TACIT_CMD_SEND, .username = tacit_cstr(to), .content = &content});
}

enum tacit_err person_say_in(struct person *p, uint64_t conversation, const char *text)
{
	struct tacit_content content = text_content(text);
	return person_tell(p, conversation, &content);
}

enum tacit_err person_sync(struct person *p)
{
	return person_run(p, &(struct tacit_command){.kind = TACIT_CMD_SYNC});
}

enum tacit_err person_do(struct person *p, enum tacit_command_kind kind, const char *username)
{
	return person_run(
	        p, &(struct tacit_command){.kind = kind, .username = tacit_cstr(username)});
}

void person_register(struct person *p)
{
	char email[64];
	snprintf(email, sizeof(email), "%s@example.org", p->name);
	CHECK_OK(person_run(p, &(struct tacit_command){.kind = TACIT_CMD_REGISTER,
	                               .username = tacit_cstr(p->name),
	                               .email = tacit_cstr(email),
	                               .password = TACIT_STR(PASSWORD)}));
	CHECK_OK(person_run(p, &(struct tacit_command){.kind = TACIT_CMD_VERIFY_TOTP,
	                               .code = TACIT_STR("123456")}));
	/* Messages are younger than the devices. */
	person_clock += 10;
	p->server->now = person_clock;
}

/* --- listening
 * ---------------------------------------------------------------------------------------- */

size_t person_heard(const struct person *p, enum tacit_notice_kind kind, const char *content)
{
	size_t n = 0;
	for (size_t i = 0; i < p->heard_count; i++)
		n += p->heard[i].kind == kind &&
		     (content == NULL || strcmp(p->heard[i].content, content) == 0);
	return n;
}

const struct heard *person_last(const struct person *p, enum tacit_notice_kind kind)
{
	static const struct heard nothing;
	for (size_t i = p->heard_count; i > 0; i--)
		if (p->heard[i - 1].kind == kind)
			return &p->heard[i - 1];
	return &nothing;
}

bool person_told(const struct person *p, enum tacit_notice_kind kind, enum tacit_err err,
        const char *part_of_text)
{
	for (size_t i = 0; i < p->heard_count; i++)
		if (p->heard[i].kind == kind && p->heard[i].err == err &&
		        strstr(p->heard[i].text, part_of_text) != NULL)
			return true;
	printf("# not told: \"%s\" (%s); heard were:\n", part_of_text, tacit_err_name(err));
	for (size_t i = 0; i < p->heard_count; i++)
		printf("#   kind %d, %s: %s%s\n", (int)p->heard[i].kind,
		        tacit_err_name(p->heard[i].err), p->heard[i].text, p->heard[i].content);
	return false;
}

void person_forget(struct person *p)
{
	p->heard_count = 0;
}

static void describe(const struct tacit_notice *n, char *out, size_t size)
{
	if (n->kind == TACIT_NOTICE_DELETED)
		snprintf(
		        out, size, "%.*s deleted", (int)n->username.n, (const char *)n->username.p);
	else if (n->kind != TACIT_NOTICE_MESSAGE)
		snprintf(out, size, "refused");
	else
		snprintf(out, size, "%.*s: %.*s%s%s%.*s%s", (int)n->username.n,
		        (const char *)n->username.p, (int)n->content.text.n,
		        (const char *)n->content.text.p, n->count > 0 ? " (edited)" : "",
		        n->detail.n > 0 ? " [" : "", (int)n->detail.n, (const char *)n->detail.p,
		        n->detail.n > 0 ? "]" : "");
}

const char *person_entry(struct person *p, uint64_t conversation, uint64_t message)
{
	static char text[512];
	struct tacit_record_id tag;
	struct tacit_buf room = {0};
	struct tacit_notice n;
	snprintf(text, sizeof(text), "nothing");
	tacit_engine_log_tag(p->engine, conversation, &tag);
	for (size_t i = 0; i < p->log_count; i++) {
		const struct kept *k = &p->log[i];
		if (!same_id(&k->id, &tag) || k->position != message * 8 + 1)
			continue;
		CHECK_OK(tacit_engine_log_open(
		        p->engine, &k->id, k->position, tacit_buf_view(&k->data), &n, &room));
		describe(&n, text, sizeof(text));
	}
	tacit_buf_clear(&room);
	return text;
}

size_t person_logged(struct person *p, const char *content)
{
	size_t n = 0;
	for (size_t i = 0; i < p->log_count; i++) {
		struct tacit_notice notice;
		struct tacit_buf room = {0};
		CHECK_OK(tacit_engine_log_open(p->engine, &p->log[i].id, p->log[i].position,
		        tacit_buf_view(&p->log[i].data), &notice, &room));
		n += notice.kind == TACIT_NOTICE_MESSAGE &&
		     tacit_bytes_eq(notice.content.text, tacit_cstr(content));
		tacit_buf_clear(&room);
	}
	return n;
}

void person_forget_history(struct person *p)
{
	for (size_t i = 0; i < p->log_count; i++)
		tacit_buf_clear(&p->log[i].data);
	p->log_count = 0;
}
