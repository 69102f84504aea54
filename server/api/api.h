/* api.h - the application behind the HTTP engine: what tacitd answers.
 *
 * Made once, before the loops start; freed after they and the job pool have stopped. */
#ifndef TACIT_SERVER_API_API_H
#define TACIT_SERVER_API_API_H

#include "base/env.h"
#include "crypto/secret.h"
#include "server/job/job.h"
#include "server/live/live.h"
#include "server/mail/mail.h"
#include "server/net/http.h"
#include "server/net/server.h"
#include "server/relay/relay.h"
#include "server/steady.h"
#include "server/store/blob.h"
#include "server/web/web.h"

enum api_registration { API_REGISTRATION_OPEN, API_REGISTRATION_INVITE, API_REGISTRATION_OFF };
enum api_directory { API_DIRECTORY_OPEN, API_DIRECTORY_EXACT, API_DIRECTORY_OFF };
enum api_metrics_access { API_METRICS_LOOPBACK, API_METRICS_OPEN, API_METRICS_OFF };

struct api_settings {
	struct tacit_env env;         /* the clock and the randomness */
	struct steady *steady;        /* the clock of deadlines; borrowed for api's life */
	struct tacit_bytes secret;    /* SECRET_KEY or the key file; borrowed during api_new */
	const struct web_bundle *web; /* NULL: there is no web app */
	const char *cors_origins;     /* separated by commas; borrowed for api's life */
	enum api_registration registration;
	enum api_directory directory;
	enum api_metrics_access metrics_access;
	bool require_signed;
	bool tls; /* for HSTS on answers to what was no request */
	int64_t signature_window_s;
	int64_t session_s;
	int64_t max_file_bytes, quota_bytes;
	int64_t upload_expiry_s;
	unsigned max_participants;
	bool presence;                /* who is online and who is typing is told to members */
	int64_t ttl_min_s, ttl_max_s; /* what clients may ask for: sessions and messages */
	unsigned rate_address;        /* requests a second and address; 0: no limit */
	unsigned rate_account;        /* the same for an account */
	int64_t parcel_room_bytes;    /* all parcels together; 0: there are none here */
	int64_t parcel_lifetime_s;    /* the longest that may be asked for */
	unsigned parcel_rate_mib;     /* MiB of parcels a minute and address; 0: no limit */
	unsigned rate_login; /* tries of a password or code a minute and address; 0: no limit */
};

struct api;

/* blobs is borrowed for api's life. Fails: NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err api_new(
        const struct api_settings *s, struct blob_store *blobs, struct api **out);
void api_free(struct api *a);

/* Before the loops start. */
void api_set_pool(struct api *a, struct job_pool *pool);
/* Before the loops start: the Socket.IO connections, made with api_live_app(). */
void api_set_live(struct api *a, struct live *live);
struct live_app api_live_app(struct api *a);
struct live_http api_live_http(void);
/* Who may use the relay of account-less transfers. */
struct relay_app api_relay_app(struct api *a);
/* Before the loops start; NULL: no mail is sent. Borrowed for api's life. */
void api_set_mailer(struct api *a, struct mailer *m);
/* For /metrics; before the loops start. */
void api_set_relay(struct api *a, const struct relay *relay);
struct api_ended {
	int64_t conversation_id, user_id;
};
/* These conversations ended by their deadline, and that is on disk: one entry for each member,
 * those of a conversation together. Any thread. */
void api_tell_ended(struct api *a, const struct api_ended *list, size_t count);
/* What a writer of the store in another process sets to something new when it ends logins. */
#define API_LOGINS_MARK "logins_mark"

/* For /metrics; may be NULL. */
void api_set_server(struct api *a, const struct net_server *server);
struct http_app api_http_app(struct api *a);

/* Is this file being written by a request right now? For the search for orphans. Any thread. */
bool api_file_in_use(struct api *a, const char *id);

/* Proves that the store was made under the same secret; with REMEMBER, which needs a writing
 * handle, a store that knows none yet is told. Fails: BAD_SEAL (another secret), and what the store
 * fails with. */
struct store;
enum api_secret_use { API_SECRET_REMEMBER, API_SECRET_COMPARE };
TACIT_MUST_USE enum tacit_err api_check_secret(
        struct tacit_bytes secret, struct store *store, enum api_secret_use use);

/* A new invitation as text, already in the store; admin: who uses it becomes administrator. */
enum api_invitation { API_INVITE_USER, API_INVITE_ADMIN };
#define API_INVITATION_CHARS 32
TACIT_MUST_USE enum tacit_err api_invitation_create(struct store *writer,
        const struct tacit_env *env, enum api_invitation what, char out[API_INVITATION_CHARS + 1]);

/* The route table, "METHOD pattern" a line. */
TACIT_MUST_USE enum tacit_err api_print_routes(struct tacit_buf *out);

#endif
