/* letter.h - work that any thread leaves for a loop's thread.
 *
 * What one thread posts to one loop is opened in the order in which it was posted. */
#ifndef TACIT_SERVER_NET_LETTER_H
#define TACIT_SERVER_NET_LETTER_H

#include <stdbool.h>
#include <stdint.h>

/* The first member of what is posted. */
struct net_letter {
	struct net_letter *next;
	/* On the loop's thread; or, lost, on any, when the loop has ended: only to free it. */
	void (*open)(struct net_letter *l, bool lost);
};

/* Any thread. loop as in struct http_handle. Takes l, whatever comes. */
void net_post(uint32_t loop, struct net_letter *l);
/* Is this the thread of that loop? */
bool net_is_here(uint32_t loop);
/* On a loop's thread: app->alarm is called once, in so many milliseconds, and not earlier. A later
 * call replaces it; negative: not at all. */
void net_set_alarm(int64_t ms);

#endif
