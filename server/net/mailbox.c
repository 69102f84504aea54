#include "server/net/mailbox.h"

#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "server/net/loop.h"

struct mailbox {
	pthread_mutex_t lock;
	bool open;
	int wake;
	uint32_t generation;
	struct http_response *first, **last;
	struct net_letter *first_letter, **last_letter;
	struct http_handle *resumed;
	size_t resumed_count, resumed_room;
	bool stop;
	unsigned grace_s;
};

static struct mailbox boxes[MAILBOX_COUNT];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_locks(void)
{
	for (size_t i = 0; i < MAILBOX_COUNT; i++)
		pthread_mutex_init(&boxes[i].lock, NULL);
}

static struct mailbox *find(uint32_t box)
{
	pthread_once(&once, make_locks);
	return box < MAILBOX_COUNT ? &boxes[box] : NULL;
}

static bool is_empty(const struct mailbox *m)
{
	return m->first == NULL && m->first_letter == NULL && m->resumed_count == 0 && !m->stop;
}

/* Loops whose wake waits for http_uncork(). */
static _Thread_local struct {
	bool on;
	uint32_t end; /* behind the last that waits */
	bool boxes[MAILBOX_COUNT];
} corked;

/* Held lock. An eventfd's counter cannot overflow by ones, and nothing else can fail. */
static void wake(const struct mailbox *m)
{
	uint64_t one = 1;
	TACIT_ASSERT(write(m->wake, &one, sizeof(one)) == sizeof(one));
}

static void wake_if(const struct mailbox *m, bool was_empty)
{
	uint32_t box = (uint32_t)(m - boxes);
	if (was_empty && corked.on) {
		corked.boxes[box] = true;
		corked.end = corked.end > box ? corked.end : box + 1;
	} else if (was_empty) {
		wake(m);
	}
}

void http_cork(void)
{
	corked.on = true;
}

void http_uncork(void)
{
	corked.on = false;
	for (uint32_t i = 0; i < corked.end; i++) {
		bool waits = corked.boxes[i];
		corked.boxes[i] = false;
		pthread_mutex_lock(&boxes[i].lock);
		if (waits && boxes[i].open)
			wake(&boxes[i]);
		pthread_mutex_unlock(&boxes[i].lock);
	}
	corked.end = 0;
}

enum tacit_err mailbox_open(uint32_t *box, uint32_t *generation, int *wake)
{
	for (uint32_t i = 0; i < MAILBOX_COUNT; i++) {
		struct mailbox *m = find(i);
		pthread_mutex_lock(&m->lock);
		bool taken = m->open;
		if (!taken) {
			m->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
			m->open = m->wake >= 0;
			m->last = &m->first;
			m->last_letter = &m->first_letter;
			*box = i;
			*wake = m->wake;
			*generation = m->generation;
		}
		enum tacit_err err = m->open ? TACIT_OK : TACIT_E_IO;
		pthread_mutex_unlock(&m->lock);
		if (!taken)
			return err;
	}
	return TACIT_E_LIMIT;
}

void mailbox_close(uint32_t box, uint32_t generation)
{
	struct mailbox *m = find(box);
	pthread_mutex_lock(&m->lock);
	struct http_response *r = m->first;
	struct net_letter *letter = m->first_letter;
	close(m->wake);
	tacit_free(m->resumed);
	m->open = m->stop = false;
	m->generation = generation;
	m->first = NULL;
	m->first_letter = NULL;
	m->resumed = NULL;
	m->resumed_count = m->resumed_room = 0;
	pthread_mutex_unlock(&m->lock);
	while (r != NULL) {
		struct http_response *next = r->next;
		http_response_free(r);
		r = next;
	}
	while (letter != NULL) {
		struct net_letter *next = letter->next;
		letter->open(letter, true);
		letter = next;
	}
}

enum tacit_err mailbox_reserve(uint32_t box, size_t resumes)
{
	struct mailbox *m = find(box);
	enum tacit_err err = TACIT_OK;
	pthread_mutex_lock(&m->lock);
	if (m->resumed_room < resumes) {
		size_t room = resumes * 2;
		struct http_handle *grown = tacit_realloc(m->resumed, room * sizeof(*grown));
		if (grown != NULL) {
			m->resumed = grown;
			m->resumed_room = room;
		}
		err = grown != NULL ? TACIT_OK : TACIT_E_NOMEM;
	}
	pthread_mutex_unlock(&m->lock);
	return err;
}

void mailbox_stop(uint32_t box, unsigned grace_s)
{
	struct mailbox *m = find(box);
	pthread_mutex_lock(&m->lock);
	bool was_empty = is_empty(m);
	m->stop = true;
	m->grace_s = grace_s;
	wake_if(m, was_empty);
	pthread_mutex_unlock(&m->lock);
}

bool mailbox_take(uint32_t box, struct mailbox_content *out)
{
	struct mailbox *m = find(box);
	pthread_mutex_lock(&m->lock);
	bool any = !is_empty(m);
	out->replies = m->first;
	m->first = NULL;
	m->last = &m->first;
	out->letters = m->first_letter;
	m->first_letter = NULL;
	m->last_letter = &m->first_letter;
	size_t n = m->resumed_count < MAILBOX_BATCH ? m->resumed_count : MAILBOX_BATCH;
	out->resumed_count = n;
	if (n > 0) {
		m->resumed_count -= n;
		memcpy(out->resumed, m->resumed + m->resumed_count, n * sizeof(*out->resumed));
	}
	out->stop = m->stop;
	out->grace_s = m->grace_s;
	m->stop = false;
	pthread_mutex_unlock(&m->lock);
	return any;
}

void http_reply(struct http_handle h, struct http_response *r)
{
	if (r == NULL || net_loop_reply_here(h, r))
		return;
	struct mailbox *m = find(h.loop);
	TACIT_ASSERT(m != NULL);
	r->to = h;
	r->next = NULL;
	pthread_mutex_lock(&m->lock);
	bool open = m->open;
	if (open) {
		bool was_empty = is_empty(m);
		*m->last = r;
		m->last = &r->next;
		wake_if(m, was_empty);
	}
	pthread_mutex_unlock(&m->lock);
	if (!open)
		http_response_free(r);
}

void net_post(uint32_t loop, struct net_letter *l)
{
	struct mailbox *m = find(loop);
	TACIT_ASSERT(m != NULL);
	l->next = NULL;
	pthread_mutex_lock(&m->lock);
	bool open = m->open;
	if (open) {
		bool was_empty = is_empty(m);
		*m->last_letter = l;
		m->last_letter = &l->next;
		wake_if(m, was_empty);
	}
	pthread_mutex_unlock(&m->lock);
	if (!open)
		l->open(l, true);
}

void http_resume(struct http_handle h)
{
	struct mailbox *m = find(h.loop);
	TACIT_ASSERT(m != NULL);
	if (net_loop_resume_here(h))
		return;
	pthread_mutex_lock(&m->lock);
	/* Reserved when the piece was given; what is beyond was never given. */
	if (m->open && m->resumed_count < m->resumed_room) {
		bool was_empty = is_empty(m);
		m->resumed[m->resumed_count++] = h;
		wake_if(m, was_empty);
	}
	pthread_mutex_unlock(&m->lock);
}
