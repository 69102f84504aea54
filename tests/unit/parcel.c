#include "e2e/parcel/parcel.h"

#include <string.h>

#include "parcel_people.h"
#include "support/tap.h"

static uint8_t bytes[5000];

static void fill(void)
{
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7 + i / 251);
}

static struct tacit_bytes content(size_t n)
{
	fill();
	return tacit_bytes(bytes, n);
}

/* --- codes ----------------------------------------------------------------------------------- */

static bool parses_to(const char *typed, const char *shown)
{
	struct tacit_parcel_code code;
	char text[TACIT_PARCEL_CODE_ROOM];
	if (tacit_parcel_code_parse(tacit_cstr(typed), &code) != TACIT_OK)
		return false;
	tacit_parcel_code_text(&code, text);
	return strcmp(text, shown) == 0;
}

static void a_code_is_read_as_people_type(void)
{
	CHECK(parses_to("7-amber-falcon", "7-amber-falcon"));
	CHECK(parses_to("  7 Amber FALCON \n", "7-amber-falcon"));
	CHECK(parses_to("7_amber.falcon", "7-amber-falcon"));
	CHECK(parses_to("7ambe-falc", "7-amber-falcon"));
	CHECK(parses_to("123-048-153", "123-048-153"));
	CHECK(parses_to("123 048153", "123-048-153"));
	CHECK(parses_to("9-0 4 8 1 5 3", "9-048-153"));
	CHECK(parses_to(
	        "999999999-walnut-violet-copper-tiger", "999999999-walnut-violet-copper-tiger"));
}

static void what_is_no_code_is_refused(void)
{
	static const char *const malformed[] = {"", "7", "7-", "amber-falcon", "0-amber-falcon",
	        "07-amber-falcon", "7-amber", "7-12345", "7-1234567", "7-123-amber",
	        "7-amber-123456", "7-amber-falcon-walnut-violet-copper", "1234567890-amber-falcon",
	        "-", "7048153"};
	struct tacit_parcel_code code;
	for (size_t i = 0; i < TACIT_COUNT(malformed); i++)
		CHECK_ERR(tacit_parcel_code_parse(tacit_cstr(malformed[i]), &code),
		        TACIT_E_MALFORMED);
	CHECK_ERR(tacit_parcel_code_parse(TACIT_STR("7-amber-falcoon"), &code), TACIT_E_BAD_NAME);
	CHECK_ERR(tacit_parcel_code_parse(TACIT_STR("7-amb-falcon"), &code), TACIT_E_BAD_NAME);
	CHECK_INT(code.nameplate, 0);
	CHECK_INT(code.secret[0], 0);
}

static void made_codes_are_read_back(void)
{
	struct tacit_env env = tap_env(5);
	for (uint32_t i = 1; i < 300; i++) {
		struct tacit_parcel_code made, read;
		char text[TACIT_PARCEL_CODE_ROOM];
		tacit_parcel_code_make(
		        i % 2 == 0 ? TACIT_PARCEL_CODE_WORDS : TACIT_PARCEL_CODE_DIGITS, i, &env,
		        &made);
		tacit_parcel_code_text(&made, text);
		CHECK_OK(tacit_parcel_code_parse(tacit_cstr(text), &read));
		CHECK_INT(read.nameplate, i);
		CHECK(strcmp(read.secret, made.secret) == 0);
	}
}

/* Every word may come up, and none more often than its share. */
static void words_are_drawn_evenly(void)
{
	struct tacit_env env = tap_env(6);
	unsigned seen[TACIT_PARCEL_WORDS] = {0}, most = 0, least = 1000;
	for (int i = 0; i < 256 * 100; i++) {
		struct tacit_parcel_code code;
		tacit_parcel_code_make(TACIT_PARCEL_CODE_WORDS, 1, &env, &code);
		*strchr(code.secret, '-') = '\0';
		for (size_t w = 0; w < TACIT_PARCEL_WORDS; w++)
			if (strcmp(tacit_parcel_word((uint8_t)w), code.secret) == 0)
				seen[w]++;
	}
	for (size_t w = 0; w < TACIT_PARCEL_WORDS; w++) {
		most = seen[w] > most ? seen[w] : most;
		least = seen[w] < least ? seen[w] : least;
	}
	CHECK(least > 50 && most < 150);
}

/* What docs/threat-model.md says of one guess: 1 in 65,536 for words, 1 in 1,000,000 for digits. A
 * million guesses at as many codes: 15.3 and 1 are to be expected. */
static unsigned lucky_guesses(enum tacit_parcel_code_kind kind)
{
	struct tacit_env env = tap_env(8);
	struct tacit_parcel_code code, guess;
	unsigned lucky = 0;
	for (int i = 0; i < 1000000; i++) {
		tacit_parcel_code_make(kind, 1, &env, &code);
		tacit_parcel_code_make(kind, 1, &env, &guess);
		lucky += strcmp(code.secret, guess.secret) == 0;
	}
	return lucky;
}

static void a_guess_is_as_unlikely_as_promised(void)
{
	unsigned words = lucky_guesses(TACIT_PARCEL_CODE_WORDS);
	CHECK(words >= 4 && words <= 32);
	CHECK(lucky_guesses(TACIT_PARCEL_CODE_DIGITS) <= 6);
}

static size_t distance(const char *a, const char *b)
{
	size_t row[16], n = strlen(b);
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1] != '\0'; i++) {
		size_t before = row[0];
		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t here = before + (a[i - 1] != b[j - 1]);
			before = row[j];
			here = before + 1 < here ? before + 1 : here;
			row[j] = row[j - 1] + 1 < here ? row[j - 1] + 1 : here;
		}
	}
	return row[n];
}

static void no_word_looks_like_another(void)
{
	for (size_t i = 0; i < TACIT_PARCEL_WORDS; i++)
		for (size_t j = 0; j < i; j++) {
			const char *a = tacit_parcel_word((uint8_t)i),
			           *b = tacit_parcel_word((uint8_t)j);
			CHECK(distance(a, b) >= 3 && strncmp(a, b, 4) != 0);
		}
}

static char completed[TACIT_PARCEL_CODE_ROOM]; /* the last one */

static void collect(void *ctx, const char *code)
{
	(void)ctx;
	memcpy(completed, code, strlen(code) + 1);
}

static void a_code_is_completed(void)
{
	CHECK_INT(tacit_parcel_code_complete(TACIT_STR("7-amb"), collect, NULL), 1);
	CHECK(strcmp(completed, "7-amber") == 0);
	CHECK_INT(tacit_parcel_code_complete(TACIT_STR("7-AMBER-falc"), collect, NULL), 1);
	CHECK(strcmp(completed, "7-amber-falcon") == 0);
	CHECK_INT(tacit_parcel_code_complete(TACIT_STR("7-"), collect, NULL), TACIT_PARCEL_WORDS);
	CHECK_INT(tacit_parcel_code_complete(TACIT_STR("7"), collect, NULL), 0);
	CHECK_INT(tacit_parcel_code_complete(TACIT_STR("7-amber-falcon-w"), collect, NULL), 0);
	CHECK_INT(tacit_parcel_code_complete(TACIT_STR("7-nosuch-f"), collect, NULL), 0);
	CHECK_INT(tacit_parcel_code_complete(TACIT_STR("7-12"), collect, NULL), 0);
}

/* --- offers ---------------------------------------------------------------------------------- */

static enum tacit_err decode_paths(enum tacit_parcel_kind kind, const char *const *paths,
        size_t count, struct tacit_parcel_offer *out)
{
	struct tacit_parcel_entry e[8] = {0};
	struct tacit_buf b = {0};
	struct tacit_parcel_offer o = {.kind = kind, .count = count, .entries = e};
	for (size_t i = 0; i < count; i++) {
		size_t n = strlen(paths[i]);
		e[i].path = paths[i][0] == '+' ? paths[i] + 1 : paths[i];
		e[i].folder = paths[i][0] == '+';
		e[i].size = e[i].folder ? 0 : n;
		o.total += e[i].size;
	}
	CHECK_OK(tacit_parcel_offer_encode(&o, &b));
	enum tacit_err err = tacit_parcel_offer_decode(tacit_buf_view(&b), out);
	tacit_buf_clear(&b);
	return err;
}

#define DECODE(kind, out, ...)                                                                     \
	decode_paths((kind), (const char *const[]){__VA_ARGS__},                                   \
	        TACIT_COUNT(((const char *const[]){__VA_ARGS__})), (out))

static void an_offer_comes_back(void)
{
	struct tacit_parcel_offer o;
	REQUIRE(DECODE(TACIT_PARCEL_FOLDER, &o, "+src", "src/main.c", "+src/.git",
	                "src/.git/config", "+src/a b") == TACIT_OK);
	CHECK_INT(o.count, 5);
	CHECK(strcmp(o.entries[3].path, "src/.git/config") == 0);
	CHECK(o.entries[2].folder && !o.entries[3].folder);
	CHECK_INT(o.total, 10 + 15);
	tacit_parcel_offer_clear(&o);
	REQUIRE(DECODE(TACIT_PARCEL_FILES, &o, "a", "+b", "b/c", "a.b") == TACIT_OK);
	tacit_parcel_offer_clear(&o);
}

static void names_become_safe(void)
{
	struct tacit_parcel_offer o;
	static const char *const pairs[][2] = {{".bashrc", "_bashrc"}, {"-rf", "_rf"},
	        {"a\nb", "a_b"}, {"a\x1b[31m", "a_[31m"}, {"~", "_"}, {"x\\..\\y", "y"},
	        {"\xff\xfe", "__"}, {"CON", "_ON"}};
	for (size_t i = 0; i < TACIT_COUNT(pairs); i++) {
		REQUIRE(DECODE(TACIT_PARCEL_FILE, &o, pairs[i][0]) == TACIT_OK);
		CHECK_BYTES(tacit_cstr(o.entries[0].path), tacit_cstr(pairs[i][1]));
		tacit_parcel_offer_clear(&o);
	}
}

static void paths_that_trick_are_refused(void)
{
	struct tacit_parcel_offer o;
	static const char *const bad[] = {"/etc/passwd", "..", ".", "../x", "a/../b", "a/./b",
	        "a//b", "a/", "", "/", "a/..", "\\", "a/\\"};
	for (size_t i = 0; i < TACIT_COUNT(bad); i++)
		CHECK_ERR(DECODE(TACIT_PARCEL_FILES, &o, bad[i]), TACIT_E_MALFORMED);
	char deep[400];
	for (size_t i = 0; i < 200; i++)
		memcpy(deep + 2 * i, "a/", 2);
	deep[399] = '\0';
	CHECK_ERR(DECODE(TACIT_PARCEL_FILES, &o, deep), TACIT_E_MALFORMED);
	CHECK_ERR(DECODE(TACIT_PARCEL_FILES, &o, "a", "a"), TACIT_E_EXISTS);
	CHECK_ERR(DECODE(TACIT_PARCEL_FILES, &o, "-a", "_a"), TACIT_E_EXISTS);
	CHECK_ERR(DECODE(TACIT_PARCEL_FILES, &o, "a/b", "x", "a"), TACIT_E_MALFORMED);
	CHECK_ERR(DECODE(TACIT_PARCEL_FILE, &o, "a/b"), TACIT_E_MALFORMED);
	CHECK_ERR(DECODE(TACIT_PARCEL_FILE, &o, "a", "b"), TACIT_E_MALFORMED);
	CHECK_ERR(DECODE(TACIT_PARCEL_FILE, &o, "+a"), TACIT_E_MALFORMED);
	CHECK_ERR(DECODE(TACIT_PARCEL_FOLDER, &o, "+a", "b/c"), TACIT_E_MALFORMED);
	CHECK_ERR(DECODE(TACIT_PARCEL_FOLDER, &o, "a/b"), TACIT_E_MALFORMED);
	CHECK_ERR(DECODE(TACIT_PARCEL_TEXT, &o, "a"), TACIT_E_MALFORMED);
}

static void offers_that_lie_are_refused(void)
{
	struct tacit_parcel_offer o;
	struct tacit_buf b = {0};
	offer_file("name", 1000, &b);
	b.p[9]++; /* the total */
	CHECK_ERR(tacit_parcel_offer_decode(tacit_buf_view(&b), &o), TACIT_E_MALFORMED);
	b.p[9]--;
	for (size_t n = 0; n < b.n; n++)
		CHECK(tacit_parcel_offer_decode(tacit_bytes(b.p, n), &o) != TACIT_OK);
	CHECK_OK(tacit_buf_append(&b, TACIT_STR("x")));
	CHECK_ERR(tacit_parcel_offer_decode(tacit_buf_view(&b), &o), TACIT_E_TRAILING);
	b.n--;
	memcpy(b.p + 10, "\x7f\xff\xff\xff", 4); /* a million names */
	CHECK_ERR(tacit_parcel_offer_decode(tacit_buf_view(&b), &o), TACIT_E_TOO_LARGE);
	memcpy(b.p + 10, "\x00\x00\xff\xff", 4); /* more than the bytes can hold */
	CHECK_ERR(tacit_parcel_offer_decode(tacit_buf_view(&b), &o), TACIT_E_TRUNCATED);
	b.p[0] = 2;
	CHECK_ERR(tacit_parcel_offer_decode(tacit_buf_view(&b), &o), TACIT_E_UNSUPPORTED);
	tacit_buf_clear(&b);
	struct tacit_parcel_offer text = {
	        .kind = TACIT_PARCEL_TEXT, .total = TACIT_PARCEL_MAX_TEXT + 1};
	CHECK_OK(tacit_parcel_offer_encode(&text, &b));
	CHECK_ERR(tacit_parcel_offer_decode(tacit_buf_view(&b), &o), TACIT_E_MALFORMED);
	tacit_buf_clear(&b);
}

/* --- transfers ------------------------------------------------------------------------------- */

/* However they are handed over: from anywhere, where the parcel says, where its host says. */
static void bytes_arrive(void)
{
	static const size_t sizes[] = {0, 1, 999, 1000, 1001, 5000};
	static uint8_t place[TACIT_PARCEL_MAX_MESSAGE];
	for (size_t i = 0; i < 4 * TACIT_COUNT(sizes); i++) {
		struct room r;
		room_open(&r);
		r.give.content = content(sizes[i / 4]);
		r.give.in_place = (i & 1) != 0;
		r.give.place = (i & 2) != 0 ? place : NULL;
		room_meet(&r, "7-amber-falcon", "7 AMBER falc");
		room_run(&r);
		CHECK_OK(r.give.err);
		CHECK_OK(r.take.err);
		CHECK(r.give.received && r.take.done);
		CHECK_BYTES(tacit_buf_view(&r.take.store), r.give.content);
		CHECK_INT(tacit_parcel_done(r.give.parcel), sizes[i / 4]);
		room_close(&r);
	}
}

static void another_code_opens_nothing(void)
{
	static const char *const others[] = {
	        "7-amber-walnut", "8-amber-falcon", "7-048-153", "7-falcon-amber"};
	for (size_t i = 0; i < TACIT_COUNT(others); i++) {
		struct room r;
		room_open(&r);
		r.give.content = content(100);
		room_meet(&r, "7-amber-falcon", others[i]);
		room_run(&r);
		CHECK(r.give.err == TACIT_E_BAD_PASSWORD || r.take.err == TACIT_E_BAD_PASSWORD);
		CHECK(!r.give.opened && !r.take.opened);
		/* One try was all there was. */
		struct tacit_parcel_code code;
		CHECK_OK(tacit_parcel_code_parse(TACIT_STR("7-amber-falcon"), &code));
		CHECK_ERR(tacit_parcel_meet(r.take.parcel, &code, TACIT_PARCEL_JOINER),
		        TACIT_E_USAGE);
		room_close(&r);
	}
}

static void two_senders_do_not_match(void)
{
	struct room r, s;
	struct tacit_parcel_code code;
	struct tacit_parcel_event ev;
	room_open(&r);
	room_open(&s);
	CHECK_OK(tacit_parcel_code_parse(TACIT_STR("7-amber-falcon"), &code));
	CHECK_OK(tacit_parcel_meet(r.give.parcel, &code, TACIT_PARCEL_OPENER));
	CHECK_OK(tacit_parcel_meet(s.give.parcel, &code, TACIT_PARCEL_JOINER));
	CHECK_ERR(tacit_parcel_input(r.give.parcel, tacit_buf_view(&s.give.mail.messages[0]), &ev),
	        TACIT_E_CONFLICT);
	room_close(&r);
	room_close(&s);
}

static void who_declines_gets_nothing(void)
{
	struct room r;
	room_open(&r);
	r.give.content = content(100);
	r.take.refuses = true;
	room_meet(&r, "7-amber-falcon", "7-amber-falcon");
	room_run(&r);
	CHECK(r.give.declined && !r.give.answered && r.take.store.n == 0);
	room_close(&r);
}

static void who_stops_says_so(void)
{
	for (int why = TACIT_PARCEL_GAVE_UP; why <= TACIT_PARCEL_CHANGED; why++) {
		struct room r;
		room_open(&r);
		room_meet(&r, "7-amber-falcon", "7-amber-falcon");
		room_run(&r);
		REQUIRE(r.give.opened && r.take.opened);
		tacit_parcel_stop_since(r.give.parcel, (enum tacit_parcel_why)why);
		room_run(&r);
		CHECK(r.take.stopped);
		CHECK_INT(r.take.last.offset, why);
		room_close(&r);
	}
}

/* --- the relay lies -------------------------------------------------------------------------- */

enum lie { FLIP, DROP, REPEAT, TRUNCATE, EXTEND, SWAP, LIES };

struct liar {
	enum lie lie;
	size_t at; /* the message, counted from 0 */
	struct tacit_buf held;
};

static unsigned lie(void *ctx, size_t n, struct tacit_buf *m)
{
	struct liar *l = ctx;
	if (l->lie == SWAP && n == l->at) {
		struct tacit_buf empty = {0};
		l->held = *m;
		*m = empty;
		return 0;
	}
	if (l->lie == SWAP && n == l->at + 1) {
		struct tacit_buf now = *m;
		*m = l->held; /* the earlier one comes later; the later one is lost with it */
		l->held = now;
		return 1;
	}
	if (n != l->at)
		return 1;
	switch (l->lie) {
	case FLIP:
		m->p[m->n / 2] ^= 0x20;
		return 1;
	case DROP:
		return 0;
	case REPEAT:
		return 2;
	case TRUNCATE:
		m->n--;
		return 1;
	default:
		CHECK_OK(tacit_buf_append(m, TACIT_STR("x")));
		return 1;
	}
}

/* Whatever it does to whichever message: what arrives is whole, or there is no receipt. */
static void no_lie_of_the_relay_passes(void)
{
	struct room r;
	room_open(&r);
	r.give.content = content(5000);
	room_meet(&r, "7-amber-falcon", "7-amber-falcon");
	room_run(&r);
	size_t messages = r.passed;
	room_close(&r);
	CHECK(messages > 10);
	for (int what = 0; what < LIES; what++)
		for (size_t at = 0; at < messages; at++) {
			struct liar l = {.lie = (enum lie)what, .at = at};
			room_open(&r);
			r.relay = lie;
			r.ctx = &l;
			r.give.content = content(5000);
			room_meet(&r, "7-amber-falcon", "7-amber-falcon");
			room_run(&r);
			bool whole = r.take.ended && r.take.store.n == 5000 &&
			             memcmp(r.take.store.p, bytes, 5000) == 0;
			CHECK(whole || !r.take.ended);
			CHECK(whole || !r.give.received);
			if (at + 2 < messages)
				CHECK(!r.give.received);
			room_close(&r);
			tacit_buf_clear(&l.held);
		}
}

static struct tacit_buf recorded[MOST_MESSAGES];

static unsigned record(void *ctx, size_t n, struct tacit_buf *m)
{
	(void)ctx;
	if (n < MOST_MESSAGES)
		CHECK_OK(tacit_buf_append(&recorded[n], tacit_buf_view(m)));
	return 1;
}

/* What one connection carried says nothing in the next. */
static void an_earlier_connection_cannot_be_replayed(void)
{
	struct room r;
	struct tacit_parcel_event ev;
	room_open(&r);
	r.relay = record;
	r.give.content = content(100);
	room_meet(&r, "7-amber-falcon", "7-amber-falcon");
	room_run(&r);
	REQUIRE(r.give.received);
	r.relay = NULL;
	for (size_t i = 0; i < r.passed; i++) {
		CHECK_OK(tacit_parcel_rejoin(r.take.parcel, tacit_parcel_root(r.take.parcel)));
		room_cut(&r);
		if (tacit_parcel_input(r.take.parcel, tacit_buf_view(&recorded[i]), &ev) ==
		        TACIT_OK)
			CHECK(false); /* no HELLO was among them */
	}
	for (size_t i = 0; i < MOST_MESSAGES; i++)
		tacit_buf_clear(&recorded[i]);
	room_close(&r);
}

/* --- going on -------------------------------------------------------------------------------- */

struct scissors {
	size_t at;
};

static unsigned cut(void *ctx, size_t n, struct tacit_buf *m)
{
	const struct scissors *s = ctx;
	(void)m;
	return n < s->at ? 1 : 0;
}

/* Cut after every message, they rejoin, and what was there is not sent again. */
static void a_transfer_goes_on_where_it_stopped(void)
{
	for (size_t at = 4; at < 24; at++) {
		struct room r;
		struct scissors s = {4 + (at - 4) / 2};
		room_open(&r);
		r.give.content = content(5000);
		r.take.reads_back = at % 2 == 1;
		r.relay = cut;
		r.ctx = &s;
		room_meet(&r, "7-amber-falcon", "7-amber-falcon");
		room_run(&r);
		CHECK_OK(r.give.err);
		CHECK_OK(r.take.err);
		uint64_t had = tacit_parcel_done(r.take.parcel);
		room_cut(&r);
		r.relay = NULL;
		room_rejoin(&r);
		room_run(&r);
		CHECK_OK(r.give.err);
		CHECK_OK(r.take.err);
		CHECK(r.give.received);
		CHECK_INT(r.take.started_at, had);
		CHECK_BYTES(tacit_buf_view(&r.take.store), r.give.content);
		room_close(&r);
	}
}

static void check_change(bool reads_back)
{
	struct room r;
	struct scissors s = {10};
	room_open(&r);
	r.take.reads_back = reads_back;
	r.give.content = content(5000);
	r.relay = cut;
	r.ctx = &s;
	room_meet(&r, "7-amber-falcon", "7-amber-falcon");
	room_run(&r);
	CHECK(tacit_parcel_done(r.take.parcel) > 0);
	room_cut(&r);
	r.relay = NULL;
	bytes[3] ^= 1;
	room_rejoin(&r);
	room_run(&r);
	CHECK(r.give.received);
	CHECK_INT(r.take.started_at, 0);
	CHECK_BYTES(tacit_buf_view(&r.take.store), r.give.content);
	room_close(&r);
}

static void a_file_that_changed_is_sent_anew(void)
{
	check_change(false);
	check_change(true);
}

static void a_new_process_goes_on_from_the_journal(void)
{
	struct room r, fresh;
	struct scissors s = {10};
	uint8_t digest[TACIT_SHA256_BYTES];
	room_open(&r);
	r.give.content = content(5000);
	r.relay = cut;
	r.ctx = &s;
	room_meet(&r, "7-amber-falcon", "7-amber-falcon");
	room_run(&r);
	room_open(&fresh);
	fresh.give.content = r.give.content;
	tacit_parcel_offer_sha256(r.take.parcel, digest);
	tacit_parcel_expect(fresh.take.parcel, digest);
	CHECK_OK(tacit_parcel_rejoin(fresh.give.parcel, tacit_parcel_root(r.give.parcel)));
	CHECK_OK(tacit_parcel_rejoin(fresh.take.parcel, tacit_parcel_root(r.take.parcel)));
	room_run(&fresh);
	CHECK(fresh.give.received);
	CHECK_BYTES(tacit_buf_view(&fresh.take.store), r.give.content);
	room_close(&fresh);
	/* Another offer under the same root is refused. */
	room_open(&fresh);
	fresh.give.content = tacit_bytes(bytes, 4999);
	tacit_parcel_expect(fresh.take.parcel, digest);
	CHECK_OK(tacit_parcel_rejoin(fresh.give.parcel, tacit_parcel_root(r.give.parcel)));
	CHECK_OK(tacit_parcel_rejoin(fresh.take.parcel, tacit_parcel_root(r.take.parcel)));
	room_run(&fresh);
	CHECK_ERR(fresh.take.err, TACIT_E_CONFLICT);
	room_close(&fresh);
	room_close(&r);
}

/* --- peers that break the rules -------------------------------------------------------------- */

/* An end that has the code and a channel of its own, and sends what it likes. */
struct rogue {
	struct tacit_channel channel;
	struct tacit_env env;
	struct hand victim; /* its mail is what it sends to the rogue */
};

static enum tacit_err to_rogue(void *ctx, struct tacit_bytes message)
{
	struct rogue *g = ctx;
	return tacit_buf_append(
	        &g->victim.mail.messages[g->victim.mail.count++ % MOST_MESSAGES], message);
}

static void meet_rogue(struct rogue *g, enum tacit_parcel_role victim)
{
	struct tacit_parcel_code code;
	struct tacit_buf out = {0};
	struct tacit_parcel_event ev;
	*g = (struct rogue){.env = tap_env(9)};
	const struct tacit_parcel_options o = {
	        .role = victim, .env = &g->env, .send = to_rogue, .ctx = g};
	CHECK_OK(tacit_parcel_new(&o, &g->victim.parcel));
	CHECK_OK(tacit_parcel_code_parse(TACIT_STR("7-amber-falcon"), &code));
	CHECK_OK(tacit_parcel_meet(g->victim.parcel, &code, TACIT_PARCEL_OPENER));
	const struct tacit_channel_meeting m = {
	        .code = &code,
	        .role = victim == TACIT_PARCEL_SENDER ? TACIT_PARCEL_RECEIVER : TACIT_PARCEL_SENDER,
	        .place = TACIT_PARCEL_JOINER,
	};
	CHECK_OK(tacit_channel_meet(&g->channel, &m, &g->env, &out));
	CHECK_OK(tacit_parcel_input(g->victim.parcel, tacit_buf_view(&out), &ev));
	tacit_buf_clear(&out);
	CHECK_OK(tacit_channel_greet(
	        &g->channel, tacit_buf_view(&g->victim.mail.messages[0]), &out));
	CHECK_OK(tacit_parcel_input(g->victim.parcel, tacit_buf_view(&out), &ev));
	CHECK_INT(ev.kind, TACIT_PARCEL_OPEN);
	CHECK_OK(tacit_channel_greet(
	        &g->channel, tacit_buf_view(&g->victim.mail.messages[1]), &out));
	CHECK_INT(g->channel.state, TACIT_CHANNEL_OPEN);
	tacit_buf_clear(&out);
}

static void leave_rogue(struct rogue *g)
{
	for (size_t i = 0; i < MOST_MESSAGES; i++)
		tacit_buf_clear(&g->victim.mail.messages[i]);
	tacit_parcel_free(g->victim.parcel);
	tacit_channel_clear(&g->channel);
}

static enum tacit_err throw_at(struct rogue *g, uint8_t type, struct tacit_bytes body)
{
	static uint8_t room[TACIT_PARCEL_MAX_MESSAGE];
	struct tacit_parcel_event ev;
	CHECK_OK(tacit_channel_seal(&g->channel, type, body, room));
	return tacit_parcel_input(
	        g->victim.parcel, tacit_bytes(room, 2 + body.n + TACIT_AEAD_TAG_BYTES), &ev);
}

enum { OFFER = 1, ANSWER, DECLINE, START, DATA, END, RECEIPT, DONE, STOP, WAYS, STAY };

static enum tacit_err throw_offer(struct rogue *g, uint64_t size)
{
	struct tacit_buf b = {0};
	CHECK_OK(tacit_buf_append(&b, tacit_bytes("\0\0\0\0", 4)));
	offer_file("name", size, &b);
	b.p[3] = (uint8_t)(b.n - 4);
	enum tacit_err err = throw_at(g, OFFER, tacit_buf_view(&b));
	tacit_buf_clear(&b);
	return err;
}

static const uint8_t zeros[64];

static void start_rogue(struct rogue *g)
{
	meet_rogue(g, TACIT_PARCEL_RECEIVER);
	CHECK_OK(throw_offer(g, 10));
	CHECK_OK(tacit_parcel_answer(g->victim.parcel));
}

static void a_lying_sender_is_refused(void)
{
	struct rogue g;
	struct tacit_bytes nothing = {0}, digest = tacit_bytes(zeros, 32),
	                   offset = tacit_bytes(zeros, 8);
	for (uint8_t type = 0; type < 14; type++) { /* before an offer */
		if (type == OFFER || type == STOP || type == WAYS || type == STAY)
			continue;
		meet_rogue(&g, TACIT_PARCEL_RECEIVER);
		CHECK_ERR(throw_at(&g, type, nothing), TACIT_E_MALFORMED);
		leave_rogue(&g);
	}
	meet_rogue(&g, TACIT_PARCEL_RECEIVER); /* ways are told once, */
	CHECK_OK(throw_at(&g, WAYS, tacit_bytes(zeros, 3)));
	CHECK_ERR(throw_at(&g, WAYS, tacit_bytes(zeros, 3)), TACIT_E_MALFORMED);
	leave_rogue(&g);
	for (uint8_t type = WAYS; type <= STAY; type++) { /* and not after the offer */
		start_rogue(&g);
		CHECK_ERR(throw_at(&g, type, type == WAYS ? tacit_bytes(zeros, 3) : nothing),
		        TACIT_E_MALFORMED);
		leave_rogue(&g);
	}
	start_rogue(&g); /* a reason that is none, and no reason */
	CHECK_ERR(throw_at(&g, STOP, TACIT_STR("\1\1")), TACIT_E_MALFORMED);
	leave_rogue(&g);
	start_rogue(&g); /* data before START */
	CHECK_ERR(throw_at(&g, DATA, digest), TACIT_E_MALFORMED);
	leave_rogue(&g);
	start_rogue(&g); /* more than was offered */
	CHECK_OK(throw_at(&g, START, offset));
	CHECK_OK(throw_at(&g, DATA, tacit_bytes(zeros, 9)));
	CHECK_ERR(throw_at(&g, DATA, tacit_bytes(zeros, 2)), TACIT_E_TRAILING);
	leave_rogue(&g);
	start_rogue(&g); /* less */
	CHECK_OK(throw_at(&g, START, offset));
	CHECK_OK(throw_at(&g, DATA, tacit_bytes(zeros, 9)));
	CHECK_ERR(throw_at(&g, END, nothing), TACIT_E_TRUNCATED);
	leave_rogue(&g);
	start_rogue(&g); /* an end that says more than that */
	CHECK_OK(throw_at(&g, START, offset));
	CHECK_OK(throw_at(&g, DATA, tacit_bytes(zeros, 10)));
	CHECK_ERR(throw_at(&g, END, digest), TACIT_E_MALFORMED);
	leave_rogue(&g);
	start_rogue(&g); /* from somewhere else */
	CHECK_ERR(throw_at(&g, START, TACIT_STR("\0\0\0\0\0\0\0\5")), TACIT_E_MALFORMED);
	leave_rogue(&g);
	start_rogue(&g); /* nothing, for ever */
	CHECK_OK(throw_at(&g, START, offset));
	CHECK_ERR(throw_at(&g, DATA, nothing), TACIT_E_MALFORMED);
	leave_rogue(&g);
}

static void offers_in_pieces_are_bounded(void)
{
	struct rogue g;
	meet_rogue(&g, TACIT_PARCEL_RECEIVER);
	CHECK_ERR(throw_at(&g, OFFER,
	                  TACIT_STR("\x7f\xff\xff\xff"
	                            "x")),
	        TACIT_E_TOO_LARGE);
	leave_rogue(&g);
	meet_rogue(&g, TACIT_PARCEL_RECEIVER);
	CHECK_ERR(throw_at(&g, OFFER, TACIT_STR("\0\0\0\2xyz")), TACIT_E_MALFORMED);
	leave_rogue(&g);
	meet_rogue(&g, TACIT_PARCEL_RECEIVER);
	CHECK_ERR(throw_at(&g, OFFER, TACIT_STR("\0\0\0\2")), TACIT_E_MALFORMED);
	leave_rogue(&g);
	meet_rogue(&g, TACIT_PARCEL_RECEIVER); /* the whole shrinks under way */
	CHECK_OK(throw_at(&g, OFFER,
	        TACIT_STR("\0\0\0\x7f"
	                  "abcdef")));
	CHECK_ERR(throw_at(&g, OFFER, TACIT_STR("\0\0\0\3x")), TACIT_E_MALFORMED);
	leave_rogue(&g);
}

static void a_lying_receiver_is_refused(void)
{
	struct rogue g;
	struct tacit_buf offer = {0};
	uint8_t answer[40] = {0};
	offer_file("name", 10, &offer);
	meet_rogue(&g, TACIT_PARCEL_SENDER); /* it has more than there is */
	CHECK_OK(tacit_parcel_offer(g.victim.parcel, tacit_buf_view(&offer)));
	answer[7] = 11;
	CHECK_ERR(throw_at(&g, ANSWER, tacit_bytes(answer, sizeof(answer))), TACIT_E_MALFORMED);
	leave_rogue(&g);
	meet_rogue(&g, TACIT_PARCEL_SENDER); /* a receipt for nothing */
	CHECK_OK(tacit_parcel_offer(g.victim.parcel, tacit_buf_view(&offer)));
	CHECK_ERR(throw_at(&g, RECEIPT, tacit_bytes(zeros, 32)), TACIT_E_MALFORMED);
	leave_rogue(&g);
	meet_rogue(&g, TACIT_PARCEL_SENDER); /* a receipt that says more than that */
	uint64_t from;
	answer[7] = 0;
	CHECK_OK(tacit_parcel_offer(g.victim.parcel, tacit_buf_view(&offer)));
	CHECK_OK(throw_at(&g, ANSWER, tacit_bytes(answer, sizeof(answer))));
	CHECK_OK(tacit_parcel_begin(g.victim.parcel, &from));
	CHECK_OK(tacit_parcel_data(g.victim.parcel, tacit_bytes(zeros, 10)));
	CHECK_OK(tacit_parcel_end(g.victim.parcel));
	CHECK_ERR(throw_at(&g, RECEIPT, tacit_bytes(zeros, 32)), TACIT_E_MALFORMED);
	leave_rogue(&g);
	tacit_buf_clear(&offer);
}

static void calls_out_of_turn_are_refused(void)
{
	struct room r;
	uint64_t from;
	room_open(&r);
	CHECK_ERR(tacit_parcel_offer(r.give.parcel, TACIT_STR("x")), TACIT_E_USAGE);
	CHECK_ERR(tacit_parcel_begin(r.give.parcel, &from), TACIT_E_USAGE);
	CHECK_ERR(tacit_parcel_data(r.give.parcel, TACIT_STR("x")), TACIT_E_USAGE);
	CHECK_ERR(tacit_parcel_end(r.give.parcel), TACIT_E_USAGE);
	CHECK_ERR(tacit_parcel_answer(r.take.parcel), TACIT_E_USAGE);
	CHECK_ERR(tacit_parcel_decline(r.take.parcel), TACIT_E_USAGE);
	CHECK_ERR(tacit_parcel_receipt(r.take.parcel), TACIT_E_USAGE);
	CHECK_ERR(tacit_parcel_kept(r.take.parcel, TACIT_STR("x")), TACIT_E_USAGE);
	struct tacit_parcel_event ev;
	CHECK_ERR(tacit_parcel_input(r.take.parcel, TACIT_STR("x"), &ev), TACIT_E_USAGE);
	room_close(&r);
}

static void the_resume_id_tells_nothing_of_the_root(void)
{
	uint8_t root[TACIT_PARCEL_ROOT_BYTES] = {1}, a[32], b[32];
	tacit_channel_resume_id(root, a);
	CHECK(memcmp(a, root, 32) != 0);
	root[31] = 1;
	tacit_channel_resume_id(root, b);
	CHECK(memcmp(a, b, 32) != 0);
}

/* --- without memory -------------------------------------------------------------------------- */

static enum tacit_err sink(void *ctx, struct tacit_bytes message)
{
	(void)message;
	return ctx != NULL ? TACIT_OK : TACIT_E_USAGE;
}

static enum tacit_err life_of_an_end(void)
{
	enum tacit_err err;
	struct tacit_env env = tap_env(1);
	struct tacit_parcel *p = NULL;
	struct tacit_parcel_code code = {.nameplate = 1, .secret = "amber-falcon"};
	const struct tacit_parcel_options o = {
	        .role = TACIT_PARCEL_SENDER, .env = &env, .send = sink, .ctx = &env};
	struct tacit_channel peer = {0};
	const struct tacit_channel_meeting m = {
	        .code = &code, .role = TACIT_PARCEL_RECEIVER, .place = TACIT_PARCEL_JOINER};
	struct tacit_buf out = {0};
	struct tacit_parcel_event ev;
	TRY(tacit_parcel_new(&o, &p));
	TRY(tacit_parcel_meet(p, &code, TACIT_PARCEL_OPENER));
	TRY(tacit_channel_meet(&peer, &m, &env, &out));
	TRY(tacit_parcel_input(p, tacit_buf_view(&out), &ev));
out:
	tacit_buf_clear(&out);
	tacit_channel_clear(&peer);
	tacit_parcel_free(p);
	return err;
}

static enum tacit_err decode_once(void)
{
	enum tacit_err err;
	struct tacit_parcel_entry e[2] = {{.path = "a"}, {.path = "b"}};
	struct tacit_parcel_offer o = {.kind = TACIT_PARCEL_FILES, .count = 2, .entries = e};
	struct tacit_buf b = {0};
	TRY(tacit_parcel_offer_encode(&o, &b));
	err = tacit_parcel_offer_decode(tacit_buf_view(&b), &o);
	tacit_parcel_offer_clear(&o);
out:
	tacit_buf_clear(&b);
	return err;
}

static void memory_may_fail(void)
{
	tap_alloc_sweep(life_of_an_end);
	tap_alloc_sweep(decode_once);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"a code is read as people type", a_code_is_read_as_people_type},
	        {"what is no code is refused", what_is_no_code_is_refused},
	        {"made codes are read back", made_codes_are_read_back},
	        {"words are drawn evenly", words_are_drawn_evenly},
	        {"a guess is as unlikely as promised", a_guess_is_as_unlikely_as_promised},
	        {"no word looks like another", no_word_looks_like_another},
	        {"a code is completed", a_code_is_completed},
	        {"an offer comes back", an_offer_comes_back},
	        {"names become safe", names_become_safe},
	        {"paths that trick are refused", paths_that_trick_are_refused},
	        {"offers that lie are refused", offers_that_lie_are_refused},
	        {"bytes arrive", bytes_arrive},
	        {"another code opens nothing", another_code_opens_nothing},
	        {"two senders do not match", two_senders_do_not_match},
	        {"who declines gets nothing", who_declines_gets_nothing},
	        {"who stops says so", who_stops_says_so},
	        {"no lie of the relay passes", no_lie_of_the_relay_passes},
	        {"an earlier connection cannot be replayed",
	                an_earlier_connection_cannot_be_replayed},
	        {"a transfer goes on where it stopped", a_transfer_goes_on_where_it_stopped},
	        {"a file that changed is sent anew", a_file_that_changed_is_sent_anew},
	        {"a new process goes on from the journal", a_new_process_goes_on_from_the_journal},
	        {"a lying sender is refused", a_lying_sender_is_refused},
	        {"offers in pieces are bounded", offers_in_pieces_are_bounded},
	        {"a lying receiver is refused", a_lying_receiver_is_refused},
	        {"calls out of turn are refused", calls_out_of_turn_are_refused},
	        {"the resume id tells nothing of the root",
	                the_resume_id_tells_nothing_of_the_root},
	        {"memory may fail", memory_may_fail},
	};
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
