#include "fixture.h"

#include <pthread.h>
#include <stdatomic.h>

/* The writer commits messages in batches of BATCH; a reader must always see a multiple of it. */
#define BATCH 5
#define BATCHES 60
#define READERS 3

struct reader {
	struct fixture *f;
	int64_t conversation;
	atomic_bool *over;
	int64_t torn, looks, last;
	bool backwards;
};

static void *read_on(void *arg)
{
	struct reader *r = arg;
	char why[256];
	struct store *s = NULL;
	if (store_open(r->f->url, STORE_READER, why, &s) != TACIT_OK) {
		r->torn = -1;
		return NULL;
	}
	bool last_look = false;
	do {
		last_look = atomic_load(r->over);
		int64_t n = message_count(r->f, s, r->conversation, r->f->ben);
		r->torn += n % BATCH != 0;
		r->backwards |= n < r->last;
		r->last = n;
		r->looks++;
	} while (!last_look);
	store_close(s);
	return NULL;
}

static void readers_see_whole_batches(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	atomic_bool over = false;
	pthread_t threads[READERS];
	struct reader readers[READERS];
	int64_t group = add_group(&f);
	for (size_t i = 0; i < READERS; i++) {
		readers[i] = (struct reader){.f = &f, .conversation = group, .over = &over};
		REQUIRE(pthread_create(&threads[i], NULL, read_on, &readers[i]) == 0);
	}
	for (int batch = 0; batch < BATCHES; batch++) {
		CHECK_OK(f.ops->batch_begin(f.w));
		for (int i = 0; i < BATCH; i++) {
			CHECK_OK(f.ops->mark(f.w));
			add_message(&f, group, f.anna, "text");
			CHECK_OK(f.ops->release(f.w));
		}
		if (batch % 7 == 3)
			f.ops->batch_abort(f.w);
		else
			CHECK_OK(f.ops->batch_commit(f.w));
	}
	atomic_store(&over, true);
	int64_t aborted = (BATCHES + 3) / 7;
	for (size_t i = 0; i < READERS; i++) {
		CHECK_INT(pthread_join(threads[i], NULL), 0);
		CHECK_INT(readers[i].torn, 0);
		CHECK(!readers[i].backwards && readers[i].looks > 0);
		CHECK_INT(readers[i].last, (BATCHES - aborted) * BATCH);
	}
	tear_down(&f);
}

struct writer {
	struct fixture *f;
	int64_t conversation, user;
	unsigned failed;
};

static void *write_on(void *arg)
{
	struct writer *w = arg;
	char why[256];
	struct store *s = NULL;
	if (store_open(w->f->url, STORE_WRITER, why, &s) != TACIT_OK) {
		w->failed = 1000;
		return NULL;
	}
	for (int i = 0; i < 20; i++) {
		struct store_message m;
		bool existed;
		enum tacit_err err = s->ops->message_append(s,
		        &(struct store_new_message){.conversation_id = w->conversation,
		                .user_id = w->user,
		                .content = TACIT_STR("text"),
		                .now = NOW},
		        &m, &existed);
		w->failed += err != TACIT_OK;
	}
	store_close(s);
	return NULL;
}

/* As when an administrator's command runs beside the server. */
static void writers_take_turns(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	int64_t group = add_group(&f);
	pthread_t threads[2];
	struct writer writers[2] = {{&f, group, f.anna, 0}, {&f, group, f.ben, 0}};
	for (size_t i = 0; i < 2; i++)
		REQUIRE(pthread_create(&threads[i], NULL, write_on, &writers[i]) == 0);
	for (size_t i = 0; i < 2; i++) {
		CHECK_INT(pthread_join(threads[i], NULL), 0);
		CHECK_INT(writers[i].failed, 0);
	}
	CHECK_INT(message_count(&f, f.r, group, f.anna), 40);
	tear_down(&f);
}

/* Of several operations, each with a snapshot of its own otherwise. */
static void what_is_read_together_is_of_one_moment(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct store_session s;
	int64_t session, group = add_group(&f);
	CHECK_OK(f.ops->session_create(
	        f.w, f.anna, hash_of(1), hash_of(2), NOW, NOW + 100, &session));
	add_message(&f, group, f.anna, "before");
	f.ops->read_begin(f.r);
	CHECK_INT(message_count(&f, f.r, group, f.ben), 1); /* what was there is there */
	add_message(&f, group, f.anna, "meanwhile");
	CHECK_OK(f.ops->session_end(f.w, session));
	f.ops->read_begin(f.r); /* changes nothing */
	CHECK_INT(message_count(&f, f.r, group, f.ben), 1);
	CHECK_OK(f.ops->session_by_id(f.r, session, NOW, &s));
	f.ops->read_end(f.r);
	CHECK_INT(message_count(&f, f.r, group, f.ben), 2);
	CHECK_ERR(f.ops->session_by_id(f.r, session, NOW, &s), TACIT_E_NOT_FOUND);
	f.ops->read_end(f.r);
	f.ops->read_begin(f.r);
	CHECK_INT(message_count(&f, f.r, group, f.ben), 2);
	CHECK_ERR(f.ops->session_by_token(f.r, hash_of(1), NOW, &s), TACIT_E_NOT_FOUND);
	f.ops->read_end(f.r);

	f.ops->read_begin(f.w); /* who writes sees what he writes */
	add_message(&f, group, f.anna, "more");
	CHECK_INT(message_count(&f, f.w, group, f.ben), 3);
	f.ops->read_end(f.w);
	f.ops->read_begin(f.r); /* closed in the midst of it */
	CHECK_INT(message_count(&f, f.r, group, f.ben), 3);
	tear_down(&f);
}

static const struct tap_case cases[] = {
        {"readers see whole batches", readers_see_whole_batches},
        {"writers take turns", writers_take_turns},
        {"what is read together is of one moment", what_is_read_together_is_of_one_moment},
};
const struct case_list concurrency_cases = {cases, TACIT_COUNT(cases)};
