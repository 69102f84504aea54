/* Who is connected, and what others are told of it. The live side is played by this program: it
 * writes down what it is told. */
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "server/api/live_people.h"
#include "support/tap.h"

static char told[4096];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

TACIT_PRINTF(1, 2) static void note(const char *form, ...)
{
	va_list arguments;
	size_t n = strlen(told);
	va_start(arguments, form);
	vsnprintf(told + n, sizeof(told) - n, form, arguments);
	va_end(arguments);
}

struct live_frame {
	char text[512];
};

struct live_frame *live_frame_new(struct tacit_bytes args, int64_t order)
{
	struct live_frame *f = tacit_calloc(1, sizeof(*f));
	if (f != NULL)
		snprintf(f->text, sizeof(f->text), "%.*s/%" PRId64, (int)args.n,
		        (const char *)args.p, order);
	return f;
}

void live_frame_drop(struct live_frame *f)
{
	tacit_free(f);
}

void live_publish(
        struct live *l, int64_t room, struct live_frame *f, const struct live_handle *except)
{
	(void)l;
	CHECK(except == NULL);
	note("%" PRId64 ": %s\n", room, f->text);
}

void live_whisper(struct live_handle s, int64_t room, struct live_frame *f)
{
	note("to %u in %" PRId64 ": %s\n", s.slot, room, f->text);
}

static void check_told(const char *want)
{
	CHECK_BYTES(tacit_cstr(told), tacit_cstr(want));
	told[0] = '\0';
}

static struct live_guest guest(unsigned slot, int64_t user, enum live_state state)
{
	return (struct live_guest){.handle = {1, slot, 1},
	        .who = {user, 100 + slot},
	        .expires_at = 1000 + slot,
	        .state = state};
}

static void enter(struct live_people *p, unsigned slot, int64_t user, enum live_state state)
{
	const struct live_guest g = guest(slot, user, state);
	CHECK_OK(live_people_enter(p, &g, user == 5 ? "anna" : "ben"));
}

static void announce(struct live_people *p, int64_t user)
{
	const int64_t rooms[] = {8, 9};
	CHECK(live_people_announce(p, NULL, user, rooms, TACIT_COUNT(rooms)));
}

#define STATE_IN(room, state)                                                                      \
	room ": \"presence\",{\"room_id\":" room                                                   \
	     ",\"users\":[{\"user_id\":5,\"username\":\"anna\",\"state\":\"" state "\"}]}/0\n"
#define STATE(state) STATE_IN("8", state) STATE_IN("9", state)

static void the_first_and_the_last_socket_count(void)
{
	struct live_people *p = live_people_new();
	REQUIRE(p != NULL);
	announce(p, 5);
	check_told("");
	enter(p, 1, 5, LIVE_ONLINE);
	announce(p, 5);
	check_told(STATE("online"));
	enter(p, 2, 5, LIVE_AWAY);
	announce(p, 5);
	check_told("");
	live_people_leave(p, 5, guest(1, 5, 0).handle);
	announce(p, 5);
	check_told(STATE("away"));
	live_people_set_state(p, 5, guest(2, 5, 0).handle, LIVE_HIDDEN);
	announce(p, 5);
	check_told(STATE("offline"));
	live_people_set_state(p, 5, guest(2, 5, 0).handle, LIVE_ONLINE);
	live_people_leave(p, 5, guest(2, 5, 0).handle);
	announce(p, 5);
	check_told("");
	live_people_leave(p, 5, guest(2, 5, 0).handle);
	live_people_free(p);
}

static int always(void *ctx)
{
	(void)ctx;
	return 1;
}

static void announce_without_memory(struct live_people *p)
{
	const int64_t rooms[] = {8, 9};
	struct tacit_buf ids = {0};
	tacit_alloc_set_fault(always, NULL);
	CHECK(!live_people_announce(p, NULL, 5, rooms, TACIT_COUNT(rooms)));
	tacit_alloc_set_fault(NULL, NULL);
	check_told("");
	CHECK_OK(live_people_untold(p, 10, &ids));
	CHECK_INT(ids.n, sizeof(int64_t));
	tacit_buf_clear(&ids);
}

static void what_could_not_be_told_is_told_later(void)
{
	struct live_people *p = live_people_new();
	REQUIRE(p != NULL);
	enter(p, 1, 5, LIVE_ONLINE);
	announce_without_memory(p);
	announce(p, 5);
	check_told(STATE("online"));
	live_people_set_state(p, 5, guest(1, 5, 0).handle, LIVE_HIDDEN);
	announce_without_memory(p);
	announce(p, 5);
	check_told(STATE("offline"));
	live_people_free(p);
}

static void who_joins_hears_who_is_there(void)
{
	struct live_people *p = live_people_new();
	REQUIRE(p != NULL);
	const int64_t members[] = {4, 5, 6};
	enter(p, 1, 5, LIVE_AWAY);
	enter(p, 2, 6, LIVE_HIDDEN);
	enter(p, 3, 7, LIVE_ONLINE);
	live_people_describe(p, guest(9, 4, 0).handle, 8, members, TACIT_COUNT(members));
	check_told("to 9 in 8: \"presence\",{\"room_id\":8,\"users\":[{\"user_id\":5,\"username\":"
	           "\"anna\",\"state\":\"away\"}]}/0\n");
	live_people_free(p);
}

static void logins_expire(void)
{
	struct live_people *p = live_people_new();
	REQUIRE(p != NULL);
	struct tacit_buf logins = {0};
	struct live_identity who;
	for (unsigned slot = 1; slot <= 300; slot++) /* more than the first buckets hold */
		enter(p, slot, slot, LIVE_ONLINE);
	CHECK_OK(live_people_logins(p, 1000, &logins));
	CHECK_INT(logins.n, 0);
	CHECK_OK(live_people_logins(p, 1001, &logins));
	REQUIRE(CHECK_INT(logins.n, sizeof(who)));
	memcpy(&who, logins.p, sizeof(who));
	CHECK_INT(who.user_id, 1);
	CHECK_INT(who.session_id, 101);
	tacit_buf_clear(&logins);
	live_people_extend(p, 1, 101, 5000);
	CHECK_OK(live_people_logins(p, 1001, &logins));
	CHECK_INT(logins.n, 0);
	CHECK_OK(live_people_logins(p, 1003, &logins));
	CHECK_INT(logins.n, 2 * sizeof(who));
	tacit_buf_clear(&logins);
	CHECK_OK(live_people_logins(p, INT64_MAX, &logins));
	CHECK_INT(logins.n, 300 * sizeof(who));
	tacit_buf_clear(&logins);
	live_people_free(p);
}

static void the_untold_are_found(void)
{
	struct live_people *p = live_people_new();
	REQUIRE(p != NULL);
	struct tacit_buf ids = {0};
	enter(p, 1, 5, LIVE_ONLINE);
	enter(p, 2, 6, LIVE_HIDDEN);
	CHECK_OK(live_people_untold(p, 9, &ids));
	CHECK_INT(ids.n, sizeof(int64_t));
	tacit_buf_clear(&ids);
	announce(p, 5);
	CHECK_OK(live_people_untold(p, 9, &ids));
	CHECK_INT(ids.n, 0);
	live_people_leave(p, 5, guest(1, 5, 0).handle);
	CHECK_OK(live_people_untold(p, 9, &ids));
	CHECK_INT(ids.n, sizeof(int64_t));
	tacit_buf_clear(&ids);
	announce(p, 5);
	check_told(STATE("online") STATE("offline"));
	live_people_free(p);
}

/* Some come and go while others are told: for TSan, and nobody stays behind. */
static void *come_and_go(void *ctx)
{
	struct live_people *p = ctx;
	for (unsigned i = 0; i < 200; i++) {
		const struct live_guest g = guest(i, 5 + i % 3, LIVE_ONLINE);
		if (live_people_enter(p, &g, "anna") != TACIT_OK)
			return p;
		pthread_mutex_lock(&lock);
		told[0] = '\0';
		announce(p, g.who.user_id);
		pthread_mutex_unlock(&lock);
		live_people_leave(p, g.who.user_id, g.handle);
		pthread_mutex_lock(&lock);
		announce(p, g.who.user_id);
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static void threads_share_it(void)
{
	struct live_people *p = live_people_new();
	REQUIRE(p != NULL);
	pthread_t threads[3];
	struct tacit_buf left = {0};
	for (size_t i = 0; i < TACIT_COUNT(threads); i++)
		CHECK_INT(pthread_create(&threads[i], NULL, come_and_go, p), 0);
	for (size_t i = 0; i < TACIT_COUNT(threads); i++) {
		void *failed = p;
		pthread_join(threads[i], &failed);
		CHECK(failed == NULL);
	}
	CHECK_OK(live_people_logins(p, INT64_MAX, &left));
	CHECK_OK(live_people_untold(p, 9, &left));
	CHECK_INT(left.n, 0);
	told[0] = '\0';
	live_people_free(p);
}

static const struct tap_case cases[] = {
        {"the first and the last socket count", the_first_and_the_last_socket_count},
        {"who joins hears who is there", who_joins_hears_who_is_there},
        {"what could not be told is told later", what_could_not_be_told_is_told_later},
        {"logins expire", logins_expire},
        {"the untold are found", the_untold_are_found},
        {"threads share it", threads_share_it},
};

int main(int argc, char **argv)
{
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
