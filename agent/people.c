#include "agent/people.h"

#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "crypto/encoding.h"
#include "crypto/hash.h"
#include "wire/names.h"

#define TRIES 10       /* of a password for one name, */
#define TRY_SECONDS 60 /* in such a time */
#define TRY_SLOTS 256

struct name {
	uint8_t text[TACIT_MAX_USERNAME];
	size_t n;
};

struct account {
	struct account *next;
	struct name name;
	struct host *host;
	pthread_mutex_t lock; /* of the host */
	unsigned logins, users;
};

struct login {
	struct login *next;
	struct account *account;
	uint8_t word_hash[TACIT_SHA256_BYTES];
	int64_t used_at;
	unsigned users;
	bool over;
};

/* Names share slots by their hash: one may have to wait for another's guesser, none is forgotten.
 */
struct tries {
	int64_t since;
	unsigned count;
};

struct people {
	struct agent *agent;
	pthread_mutex_t lock, admission;
	struct account *accounts;
	struct login *logins;
	struct tries tries[TRY_SLOTS];
};

static struct name name_of(struct tacit_bytes username)
{
	struct name n = {{0}, 0};
	n.n = tacit_username_lower(username, n.text);
	return n;
}

static bool same_name(const struct name *a, const struct name *b)
{
	return tacit_bytes_eq(tacit_bytes(a->text, a->n), tacit_bytes(b->text, b->n));
}

enum tacit_err people_new(struct agent *a, struct people **out)
{
	struct people *p = tacit_calloc(1, sizeof(*p));
	*out = p;
	if (p == NULL)
		return TACIT_E_NOMEM;
	p->agent = a;
	pthread_mutex_init(&p->lock, NULL);
	pthread_mutex_init(&p->admission, NULL);
	return TACIT_OK;
}

/* --- under the lock -------------------------------------------------------------------------- */

static void free_account(struct people *p, struct account *a)
{
	struct account **at = &p->accounts;
	while (*at != a)
		at = &(*at)->next;
	*at = a->next;
	host_close(a->host);
	pthread_mutex_destroy(&a->lock);
	tacit_free(a);
}

static void free_login(struct people *p, struct login *l)
{
	struct account *a = l->account;
	struct login **at = &p->logins;
	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	tacit_wipe(l, sizeof(*l));
	tacit_free(l);
	if (--a->logins == 0)
		free_account(p, a);
}

static void end_login(struct people *p, struct login *l)
{
	l->over = true;
	if (l->users == 0)
		free_login(p, l);
}

static struct account *find_account(const struct people *p, const struct name *name)
{
	struct account *a = p->accounts;
	while (a != NULL && !same_name(&a->name, name))
		a = a->next;
	return a;
}

static void make_room(struct people *p)
{
	size_t count = 0;
	struct login *oldest = NULL;
	for (struct login *l = p->logins; l != NULL; l = l->next) {
		if (l->over)
			continue;
		count++;
		if (oldest == NULL || l->used_at < oldest->used_at)
			oldest = l;
	}
	if (count >= PEOPLE_MAX_LOGINS)
		end_login(p, oldest);
}

/* --- logins ---------------------------------------------------------------------------------- */

static struct account *take_account(struct people *p, struct host *h)
{
	struct name name = name_of(tacit_engine_username(host_engine(h)));
	struct account *a = find_account(p, &name);
	if (a != NULL) {
		host_close(h);
		return a;
	}
	a = tacit_calloc(1, sizeof(*a));
	if (a == NULL) {
		host_close(h);
		return NULL;
	}
	a->name = name;
	a->host = h;
	pthread_mutex_init(&a->lock, NULL);
	a->next = p->accounts;
	p->accounts = a;
	return a;
}

enum tacit_err people_enter(struct people *p, struct host *h, char word[PEOPLE_WORD_CHARS + 1])
{
	uint8_t raw[PEOPLE_WORD_CHARS / 2];
	struct login *l = tacit_calloc(1, sizeof(*l));
	if (l == NULL) {
		host_close(h);
		return TACIT_E_NOMEM;
	}
	tacit_env_random(&p->agent->env, raw, sizeof(raw));
	tacit_hex(tacit_bytes(raw, sizeof(raw)), word);
	tacit_sha256(tacit_bytes(word, PEOPLE_WORD_CHARS), l->word_hash);
	tacit_wipe(raw, sizeof(raw));
	l->used_at = agent_monotonic_s();
	pthread_mutex_lock(&p->lock);
	make_room(p);
	l->account = take_account(p, h);
	if (l->account != NULL) {
		l->account->logins++;
		l->next = p->logins;
		p->logins = l;
	}
	pthread_mutex_unlock(&p->lock);
	if (l->account == NULL) {
		tacit_free(l);
		return TACIT_E_NOMEM;
	}
	return TACIT_OK;
}

/* The word is looked up by its hash, so that comparing takes no time that depends on it. */
struct login *people_login(struct people *p, struct tacit_bytes word)
{
	uint8_t hash[TACIT_SHA256_BYTES];
	struct login *found = NULL;
	int64_t now = agent_monotonic_s();
	if (word.n != PEOPLE_WORD_CHARS)
		return NULL;
	tacit_sha256(word, hash);
	pthread_mutex_lock(&p->lock);
	for (struct login *l = p->logins; l != NULL && found == NULL; l = l->next)
		if (!l->over && now - l->used_at < PEOPLE_IDLE_S &&
		        tacit_ct_eq(tacit_bytes(hash, sizeof(hash)),
		                tacit_bytes(l->word_hash, sizeof(l->word_hash))))
			found = l;
	if (found != NULL) {
		found->users++;
		found->used_at = now;
	}
	pthread_mutex_unlock(&p->lock);
	return found;
}

struct login *people_login_of(struct people *p, struct tacit_bytes username)
{
	const struct name name = name_of(username);
	pthread_mutex_lock(&p->lock);
	struct login *l = p->logins;
	while (l != NULL && (l->over || !same_name(&l->account->name, &name)))
		l = l->next;
	if (l != NULL)
		l->users++;
	pthread_mutex_unlock(&p->lock);
	return l;
}

void people_release(struct people *p, struct login *l)
{
	if (l == NULL)
		return;
	pthread_mutex_lock(&p->lock);
	if (--l->users == 0 && l->over)
		free_login(p, l);
	pthread_mutex_unlock(&p->lock);
}

void people_leave(struct people *p, struct login *l)
{
	pthread_mutex_lock(&p->lock);
	l->over = true;
	pthread_mutex_unlock(&p->lock);
}

void people_end_account(struct people *p, struct login *l)
{
	pthread_mutex_lock(&p->lock);
	const struct account *account = l->account;
	for (struct login *at = p->logins, *next; at != NULL; at = next) {
		next = at->next;
		if (at->account == account)
			end_login(p, at);
	}
	pthread_mutex_unlock(&p->lock);
}

void people_sweep(struct people *p)
{
	int64_t now = agent_monotonic_s();
	pthread_mutex_lock(&p->lock);
	for (struct login *l = p->logins, *next; l != NULL; l = next) {
		next = l->next;
		if (!l->over && now - l->used_at >= PEOPLE_IDLE_S)
			end_login(p, l);
	}
	pthread_mutex_unlock(&p->lock);
}

size_t people_count(struct people *p)
{
	size_t count = 0;
	pthread_mutex_lock(&p->lock);
	for (const struct account *a = p->accounts; a != NULL; a = a->next)
		count++;
	pthread_mutex_unlock(&p->lock);
	return count;
}

void people_free(struct people *p)
{
	if (p == NULL)
		return;
	while (p->logins != NULL)
		free_login(p, p->logins);
	pthread_mutex_destroy(&p->lock);
	pthread_mutex_destroy(&p->admission);
	tacit_free(p);
}

struct host *people_lock(struct login *l)
{
	pthread_mutex_lock(&l->account->lock);
	return l->account->host;
}

void people_unlock(struct login *l)
{
	pthread_mutex_unlock(&l->account->lock);
}

void people_begin_admission(struct people *p)
{
	pthread_mutex_lock(&p->admission);
}

void people_end_admission(struct people *p)
{
	pthread_mutex_unlock(&p->admission);
}

/* --- tries ----------------------------------------------------------------------------------- */

static struct tries *slot_of(struct people *p, struct tacit_bytes username)
{
	uint8_t hash[TACIT_SHA256_BYTES];
	struct name name = name_of(username);
	tacit_sha256(tacit_bytes(name.text, name.n), hash);
	return &p->tries[hash[0] % TRY_SLOTS];
}

bool people_may_try(struct people *p, struct tacit_bytes username, unsigned *wait_s)
{
	int64_t now = agent_monotonic_s();
	struct tries *t = slot_of(p, username);
	pthread_mutex_lock(&p->lock);
	if (now - t->since >= TRY_SECONDS)
		*t = (struct tries){.since = now};
	bool may = t->count < TRIES;
	t->count += may;
	*wait_s = may ? 0 : (unsigned)(TRY_SECONDS - (now - t->since));
	pthread_mutex_unlock(&p->lock);
	return may;
}

/* The right one alone: who knows the password of one name guesses none the faster at others that
 * share its slot. */
void people_forgive_try(struct people *p, struct tacit_bytes username)
{
	struct tries *t = slot_of(p, username);
	pthread_mutex_lock(&p->lock);
	t->count -= t->count > 0;
	pthread_mutex_unlock(&p->lock);
}
