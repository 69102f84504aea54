#include "server/mail/mail.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "crypto/encoding.h"
#include "crypto/secret.h"
#include "server/log.h"
#include "wire/names.h"

#define CONNECT_SECONDS 20L
#define LETTER_SECONDS 60L
#define RETRY_SECONDS 5
#define SMTPS_PORT 465

struct letter {
	struct letter *next;
	struct tacit_buf to, text; /* to: NUL-terminated; text: the whole letter, headers first */
	size_t sent;
};

struct mailer {
	struct tacit_env env;
	struct tacit_buf url, user, from; /* NUL-terminated; user empty: no login */
	struct tacit_secret password;     /* with a NUL */
	bool loopback;
	pthread_t thread;
	bool threaded;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t changed;
	struct letter *first;
	size_t waiting;
	bool stopping;
};

/* --- settings --------------------------------------------------------------------------------- */

static bool is_loopback(const char *host)
{
	struct in_addr four;
	return strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
	       (inet_pton(AF_INET, host, &four) == 1 && ntohl(four.s_addr) >> 24 == 127);
}

/* A name or an address, and nothing that would mean something else in a URL. */
static bool is_host(const char *host)
{
	static const char allowed[] =
	        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:";
	size_t n = strlen(host);
	return n > 0 && n < 256 && strspn(host, allowed) == n;
}

const char *mail_settings_problem(const struct mail_settings *s)
{
	if (s->host == NULL || !is_host(s->host))
		return "smtp-host: is not a host's name";
	if (s->from == NULL || !tacit_email_valid(tacit_cstr(s->from)))
		return "smtp-from: is needed with smtp-host, and must be an address";
	if ((s->user != NULL && s->user[0] != '\0') != (s->password.n > 0))
		return "smtp-user, smtp-password: one needs the other";
	return NULL;
}

/* --- sending ---------------------------------------------------------------------------------- */

static size_t read_letter(char *room, size_t size, size_t count, void *ctx)
{
	struct letter *l = ctx;
	size_t n = l->text.n - l->sent < size * count ? l->text.n - l->sent : size * count;
	memcpy(room, l->text.p + l->sent, n);
	l->sent += n;
	return n;
}

static int on_progress(
        void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d) /* 1: give up */
{
	struct mailer *m = ctx;
	(void)a;
	(void)b;
	(void)c;
	(void)d;
	pthread_mutex_lock(&m->lock);
	int stop = m->stopping;
	pthread_mutex_unlock(&m->lock);
	return stop;
}

static void set_options(CURL *c, struct mailer *m, struct letter *l)
{
	curl_easy_setopt(c, CURLOPT_URL, (const char *)m->url.p);
	curl_easy_setopt(c, CURLOPT_USE_SSL, m->loopback ? CURLUSESSL_TRY : CURLUSESSL_ALL);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	if (m->user.n > 0) {
		curl_easy_setopt(c, CURLOPT_USERNAME, (const char *)m->user.p);
		curl_easy_setopt(c, CURLOPT_PASSWORD, (const char *)m->password.p);
	}
	curl_easy_setopt(c, CURLOPT_MAIL_FROM, (const char *)m->from.p);
	curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(c, CURLOPT_READFUNCTION, read_letter);
	curl_easy_setopt(c, CURLOPT_READDATA, l);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
	curl_easy_setopt(c, CURLOPT_TIMEOUT, LETTER_SECONDS);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(c, CURLOPT_XFERINFODATA, m);
}

static CURLcode send_letter(struct mailer *m, struct letter *l)
{
	CURLcode rc = CURLE_OUT_OF_MEMORY;
	CURL *c = curl_easy_init();
	struct curl_slist *to = curl_slist_append(NULL, (const char *)l->to.p);
	l->sent = 0;
	if (c != NULL && to != NULL) {
		set_options(c, m, l);
		curl_easy_setopt(c, CURLOPT_MAIL_RCPT, to);
		rc = curl_easy_perform(c);
	}
	curl_slist_free_all(to);
	curl_easy_cleanup(c);
	return rc;
}

static void free_letter(struct letter *l)
{
	tacit_buf_clear(&l->to);
	tacit_buf_clear(&l->text);
	tacit_free(l);
}

/* With the lock held: until the time is over or the mailer stops. */
static void rest(struct mailer *m)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += RETRY_SECONDS;
	while (!m->stopping && pthread_cond_timedwait(&m->changed, &m->lock, &until) == 0)
		continue;
}

/* With the lock held. No address is logged: who has an account here is nobody's business. */
static void deliver(struct mailer *m, struct letter *l)
{
	CURLcode rc = CURLE_OK;
	for (int tries = 0; tries < MAIL_TRIES && !m->stopping; tries++) {
		if (tries > 0)
			rest(m);
		pthread_mutex_unlock(&m->lock);
		rc = send_letter(m, l);
		pthread_mutex_lock(&m->lock);
		if (rc == CURLE_OK)
			return;
		log_event(LOG_WARNING, "mail", "a letter could not be sent: %s",
		        curl_easy_strerror(rc));
	}
}

static void *run(void *ctx)
{
	struct mailer *m = ctx;
	pthread_mutex_lock(&m->lock);
	while (!m->stopping) {
		struct letter *l = m->first;
		if (l == NULL) {
			pthread_cond_wait(&m->changed, &m->lock);
			continue;
		}
		m->first = l->next;
		m->waiting--;
		deliver(m, l);
		free_letter(l);
	}
	pthread_mutex_unlock(&m->lock);
	return NULL;
}

/* --- life ------------------------------------------------------------------------------------- */

static enum tacit_err copy_settings(struct mailer *m, const struct mail_settings *s)
{
	enum tacit_err err;
	bool six = strchr(s->host, ':') != NULL;
	m->env = s->env;
	m->loopback = is_loopback(s->host);
	TRY(tacit_buf_printf(&m->url, "%s://%s%s%s:%u", s->port == SMTPS_PORT ? "smtps" : "smtp",
	        six ? "[" : "", s->host, six ? "]" : "", s->port));
	TRY(tacit_buf_terminate(&m->url));
	TRY(tacit_buf_append(&m->from, tacit_cstr(s->from)));
	TRY(tacit_buf_terminate(&m->from));
	TRY(tacit_buf_append(&m->user, tacit_cstr(s->user)));
	TRY(tacit_buf_terminate(&m->user));
	TRY(tacit_secret_new(&m->password, s->password.n + 1));
	if (s->password.n > 0)
		memcpy(m->password.p, s->password.p, s->password.n);
out:
	return err;
}

static void init_condition(pthread_cond_t *c)
{
	pthread_condattr_t how;
	pthread_condattr_init(&how);
	pthread_condattr_setclock(&how, CLOCK_MONOTONIC);
	pthread_cond_init(c, &how);
	pthread_condattr_destroy(&how);
}

enum tacit_err mailer_new(const struct mail_settings *s, struct mailer **out)
{
	enum tacit_err err;
	*out = NULL;
	if (mail_settings_problem(s) != NULL)
		return TACIT_E_USAGE;
	struct mailer *m = tacit_calloc(1, sizeof(*m));
	if (m == NULL)
		return TACIT_E_NOMEM;
	pthread_mutex_init(&m->lock, NULL);
	init_condition(&m->changed);
	TRY(copy_settings(m, s));
	TRY(curl_global_init(CURL_GLOBAL_DEFAULT) == 0 ? TACIT_OK : TACIT_E_NOMEM);
	m->threaded = pthread_create(&m->thread, NULL, run, m) == 0;
	TRY(m->threaded ? TACIT_OK : TACIT_E_IO);
	*out = m;
	m = NULL;
out:
	mailer_free(m);
	return err;
}

void mailer_free(struct mailer *m)
{
	if (m == NULL)
		return;
	pthread_mutex_lock(&m->lock);
	m->stopping = true;
	pthread_cond_broadcast(&m->changed);
	pthread_mutex_unlock(&m->lock);
	if (m->threaded)
		pthread_join(m->thread, NULL);
	for (struct letter *l = m->first, *next; l != NULL; l = next) {
		next = l->next;
		free_letter(l);
	}
	tacit_buf_clear(&m->url);
	tacit_buf_clear(&m->user);
	tacit_buf_clear(&m->from);
	tacit_secret_free(&m->password);
	pthread_mutex_destroy(&m->lock);
	pthread_cond_destroy(&m->changed);
	tacit_free(m);
}

/* --- letters -----------------------------------------------------------------------------------
 */

/* RFC 5322 3.6; lines end in CR LF. libcurl doubles a dot at the beginning of one (RFC 5321 4.5.2).
 */
static enum tacit_err compose(struct mailer *m, const struct mail_letter *l, struct tacit_buf *out)
{
	enum tacit_err err;
	char date[48], id[33];
	uint8_t random[16];
	struct tm t;
	time_t now = (time_t)tacit_env_now(&m->env);
	const char *at = strchr((const char *)m->from.p, '@');
	if (gmtime_r(&now, &t) == NULL ||
	        strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S +0000", &t) == 0)
		return TACIT_E_USAGE;
	tacit_env_random(&m->env, random, sizeof(random));
	tacit_hex(tacit_bytes(random, sizeof(random)), id);
	TRY(tacit_buf_printf(out,
	        "From: tacit <%s>\r\nTo: <%.*s>\r\nSubject: %.*s\r\nDate: %s\r\n"
	        "Message-ID: <%s%s>\r\nMIME-Version: 1.0\r\n"
	        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"
	        "Auto-Submitted: auto-generated\r\n\r\n",
	        (const char *)m->from.p, (int)l->to.n, (const char *)l->to.p, (int)l->subject.n,
	        (const char *)l->subject.p, date, id, at));
	for (size_t i = 0; i < l->text.n; i++) {
		if (l->text.p[i] == '\n')
			TRY(tacit_buf_append(out, TACIT_STR("\r")));
		TRY(tacit_buf_append(out, tacit_bytes(l->text.p + i, 1)));
	}
out:
	return err;
}

bool mailer_is_full(struct mailer *m)
{
	pthread_mutex_lock(&m->lock);
	bool full = m->waiting >= MAIL_MAX_WAITING;
	pthread_mutex_unlock(&m->lock);
	return full;
}

enum tacit_err mailer_post(struct mailer *m, const struct mail_letter *given)
{
	enum tacit_err err;
	struct letter *l = tacit_calloc(1, sizeof(*l));
	TRY(l != NULL ? TACIT_OK : TACIT_E_NOMEM);
	TRY(tacit_email_valid(given->to) ? TACIT_OK : TACIT_E_BAD_NAME);
	TRY(tacit_buf_append(&l->to, given->to));
	TRY(tacit_buf_terminate(&l->to));
	TRY(compose(m, given, &l->text));
	pthread_mutex_lock(&m->lock);
	err = m->waiting < MAIL_MAX_WAITING ? TACIT_OK : TACIT_E_LIMIT;
	if (err == TACIT_OK) {
		struct letter **end = &m->first;
		while (*end != NULL)
			end = &(*end)->next;
		*end = l;
		m->waiting++;
		l = NULL;
		pthread_cond_broadcast(&m->changed);
	}
	pthread_mutex_unlock(&m->lock);
out:
	if (l != NULL)
		free_letter(l);
	return err;
}
