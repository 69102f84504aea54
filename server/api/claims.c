#include "server/api/claims.h"

#include <pthread.h>
#include <string.h>

#include "base/alloc.h"

#define BUCKETS 256 /* by the first byte of the id, which is random */

struct api_claims {
	pthread_mutex_t lock; /* a leaf: nothing else is taken under it */
	struct api_claim *bucket[BUCKETS];
};

struct api_claims *api_claims_new(void)
{
	struct api_claims *c = tacit_calloc(1, sizeof(*c));
	if (c != NULL && pthread_mutex_init(&c->lock, NULL) != 0) {
		tacit_free(c);
		return NULL;
	}
	return c;
}

void api_claims_free(struct api_claims *c)
{
	if (c == NULL)
		return;
	(void)pthread_mutex_destroy(&c->lock);
	tacit_free(c);
}

static struct api_claim **bucket_of(struct api_claims *c, const char *id)
{
	return &c->bucket[((unsigned char)id[0] * 31u + (unsigned char)id[1]) % BUCKETS];
}

static bool held(struct api_claims *c, const char *id)
{
	for (const struct api_claim *k = *bucket_of(c, id); k != NULL; k = k->next)
		if (strcmp(k->id, id) == 0)
			return true;
	return false;
}

bool api_claim_take(struct api_claims *c, struct api_claim *claim, const char *id)
{
	(void)pthread_mutex_lock(&c->lock);
	bool taken = !held(c, id);
	if (taken) {
		struct api_claim **head = bucket_of(c, id);
		memcpy(claim->id, id, sizeof(claim->id));
		claim->next = *head;
		claim->link = head;
		if (claim->next != NULL)
			claim->next->link = &claim->next;
		*head = claim;
	}
	(void)pthread_mutex_unlock(&c->lock);
	return taken;
}

void api_claim_release(struct api_claims *c, struct api_claim *claim)
{
	if (claim->id[0] == '\0')
		return;
	(void)pthread_mutex_lock(&c->lock);
	*claim->link = claim->next;
	if (claim->next != NULL)
		claim->next->link = claim->link;
	(void)pthread_mutex_unlock(&c->lock);
	claim->id[0] = '\0';
}

bool api_claim_held(struct api_claims *c, const char *id)
{
	(void)pthread_mutex_lock(&c->lock);
	bool found = held(c, id);
	(void)pthread_mutex_unlock(&c->lock);
	return found;
}
