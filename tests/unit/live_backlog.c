/* A loop that does not keep up: what waits for it is bounded, and nothing is lost unnoticed. */
#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "server/live/home.h"
#include "server/net/mailbox.h"
#include "support/tap.h"

#define FRAME_BYTES (64 * 1024)

static struct {
	pthread_barrier_t step;
	struct live *live;
	uint32_t box;
} stuck;

/* Has a home, and does nothing until it is let go. */
static void *stand_still(void *ctx)
{
	(void)ctx;
	home_began(stuck.live, stuck.box);
	pthread_barrier_wait(&stuck.step);
	pthread_barrier_wait(&stuck.step);
	home_ended(stuck.live, stuck.box);
	return NULL;
}

static void publish(struct live *l, size_t times)
{
	char text[FRAME_BYTES] = "\"e\",\"";
	memset(text + 5, 'x', sizeof(text) - 6);
	text[sizeof(text) - 1] = '"';
	for (size_t i = 0; i < times; i++) {
		struct live_frame *f = live_frame_new(tacit_bytes(text, sizeof(text)), 0);
		REQUIRE(f != NULL);
		live_publish(l, 1, f, NULL);
		live_frame_drop(f);
	}
}

/* How many letters wait; all are opened as lost. */
static size_t drain(uint32_t box)
{
	size_t count = 0;
	struct mailbox_content mail;
	while (mailbox_take(box, &mail))
		while (mail.letters != NULL) {
			struct net_letter *l = mail.letters;
			mail.letters = l->next;
			l->open(l, true);
			count++;
		}
	return count;
}

static void what_waits_is_bounded(void)
{
	int wake;
	uint32_t generation;
	pthread_t thread;
	const struct live_settings settings = {0};
	const struct live_app app = {0};
	const size_t fit = LIVE_MAX_WAITING_BYTES / FRAME_BYTES;
	CHECK_OK(live_new(&settings, &app, &stuck.live));
	CHECK_OK(mailbox_open(&stuck.box, &generation, &wake));
	REQUIRE(pthread_barrier_init(&stuck.step, NULL, 2) == 0);
	REQUIRE(pthread_create(&thread, NULL, stand_still, NULL) == 0);
	pthread_barrier_wait(&stuck.step);

	publish(stuck.live, fit / 2);
	CHECK_INT(drain(stuck.box), fit / 2);
	publish(stuck.live, 2 * fit);
	size_t waiting = drain(stuck.box);
	CHECK(waiting > fit / 2 && waiting <= fit); /* with the one that says that some are lost */
	publish(stuck.live, 10);                    /* and there is room again */
	CHECK_INT(drain(stuck.box), 10);

	pthread_barrier_wait(&stuck.step);
	REQUIRE(pthread_join(thread, NULL) == 0);
	mailbox_close(stuck.box, generation);
	live_free(stuck.live);
	pthread_barrier_destroy(&stuck.step);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"what waits for a loop is bounded", what_waits_is_bounded},
	};
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
