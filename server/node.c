/* The order of life: folder, secret, blobs, store, what is over, api, port (open) -> lanes,
 * housekeeping, loops (start). Stopping is the reverse, but loops end before lanes: a loop waits
 * for answers that only lanes can give. */
#include "server/node.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "crypto/random.h"
#include "server/api/live_watch.h"
#include "server/data_folder.h"
#include "server/housekeeping.h"
#include "server/store/store.h"

/* Jobs that share a wake: the first wait for the last. What these write is
 * committed together, and a commit costs as much processor time as many requests. */
#define READ_BATCH 64
#define READ_TURN_US 4000
#define FLOOD_FACTOR 4 /* of an account's rate: what nobody sends who reads the refusals */

struct node {
	const struct config *config;
	struct tacit_env env;
	struct steady steady;
	struct data_folder folder;
	struct tacit_secret secret;
	char *store_url;
	struct blob_store *blobs;
	struct api *api;
	struct job_pool *pool;
	struct net_server *server;
	struct live *live;
	struct relay *relay;
	struct mailer *mailer;
	struct live_watch *watch;
	struct housekeeping *housekeeping;
	char invitation[API_INVITATION_CHARS + 1];
};

static void *open_store(void *ctx, enum store_mode mode)
{
	struct store *s = NULL;
	char why[256] = "";
	enum tacit_err err = store_open(ctx, mode, why, &s);
	if (err != TACIT_OK)
		log_event(LOG_ERROR, "store", "a handle could not be opened: %s %s",
		        tacit_err_text(err), why);
	return s;
}

static void *open_reader(void *ctx)
{
	return open_store(ctx, STORE_READER);
}

/* In the writer's thread, by a job: those come after the start of housekeeping. */
static void pass_on_deadline(void *ctx, int64_t at)
{
	const struct node *n = ctx;
	if (n->housekeeping != NULL)
		housekeeping_deadline(n->housekeeping, at);
}

static void *open_writer(void *ctx)
{
	struct node *n = ctx;
	struct store *s = open_store(n->store_url, STORE_WRITER);
	if (s != NULL) {
		s->deadline = pass_on_deadline;
		s->deadline_ctx = n;
	}
	return s;
}

static void *no_context(void *ctx)
{
	return ctx;
}

static void close_nothing(void *ctx, void *context)
{
	(void)ctx;
	(void)context;
}

static void close_store(void *ctx, void *context)
{
	(void)ctx;
	store_close(context);
}

static void read_begin(void *context)
{
	struct store *s = context;
	s->ops->read_begin(s);
}

static void read_end(void *context)
{
	struct store *s = context;
	s->ops->read_end(s);
}

static enum tacit_err batch_begin(void *context)
{
	struct store *s = context;
	return s->ops->batch_begin(s);
}

static enum tacit_err batch_commit(void *context)
{
	struct store *s = context;
	return s->ops->batch_commit(s);
}

static void batch_abort(void *context)
{
	struct store *s = context;
	s->ops->batch_abort(s);
}

static enum tacit_err mark(void *context)
{
	struct store *s = context;
	return s->ops->mark(s);
}

static enum tacit_err undo(void *context)
{
	struct store *s = context;
	return s->ops->undo(s);
}

static enum tacit_err release(void *context)
{
	struct store *s = context;
	return s->ops->release(s);
}

static void settle(void *context, bool idle)
{
	struct store *s = context;
	s->ops->settle(s, idle);
}

static unsigned cores(void)
{
	unsigned n = net_cores();
	return n > 64 ? 64 : n;
}

static enum tacit_err start_lanes(struct node *n)
{
	struct job_lane_settings lanes[JOB_LANES] = {
	        [JOB_READ] = {.threads = cores(),
	                .capacity = 4096,
	                .batch = READ_BATCH,
	                .turn_us = READ_TURN_US,
	                .ctx = n->store_url,
	                .thread_open = open_reader,
	                .prepare_begin = read_begin,
	                .prepare_end = read_end,
	                .thread_close = close_store},
	        [JOB_WRITE] = {.threads = 1,
	                .capacity = 4096,
	                .batch = (unsigned)n->config->commit_batch,
	                .ctx = n,
	                .thread_open = open_writer,
	                .thread_close = close_store,
	                .batch_begin = batch_begin,
	                .batch_commit = batch_commit,
	                .batch_abort = batch_abort,
	                .mark = mark,
	                .undo = undo,
	                .release = release,
	                .settle = settle},
	        [JOB_HASH] = {.threads = cores(),
	                .capacity = 64,
	                .ctx = n,
	                .thread_open = no_context,
	                .thread_close = close_nothing},
	        [JOB_FILE] = {.threads = cores() + 2,
	                .capacity = 1024,
	                .ctx = n,
	                .thread_open = no_context,
	                .thread_close = close_nothing},
	};
	for (unsigned i = 0; i < JOB_LANES; i++) {
		lanes[i].cork = http_cork;
		lanes[i].uncork = http_uncork;
	}
	return job_pool_new(lanes, &n->pool);
}

/* A mark in the store tells whether this is the first start. The invitation and the mark are one
 * transaction: an invitation that was never printed must not count as given. */
static enum tacit_err invite_first_admin(struct node *n, struct store *writer)
{
	enum tacit_err err;
	struct tacit_buf mark_value = {0};
	err = writer->ops->meta_get(writer, "first_start", &mark_value);
	tacit_buf_clear(&mark_value);
	if (err != TACIT_E_NOT_FOUND)
		return err;
	TRY(writer->ops->batch_begin(writer));
	err = writer->ops->meta_set(writer, "first_start", TACIT_STR("done"));
	if (err == TACIT_OK)
		err = api_invitation_create(writer, &n->env, API_INVITE_ADMIN, n->invitation);
	if (err == TACIT_OK)
		return writer->ops->batch_commit(writer);
	writer->ops->batch_abort(writer);
	n->invitation[0] = '\0';
out:
	return err;
}

static char *store_url_of(const struct config *c, const struct data_folder *f)
{
	struct tacit_buf url = {0};
	if (c->database_url == NULL)
		return data_folder_join(f, "sqlite://", STORE_DATABASE_NAME);
	if (tacit_buf_append(&url, tacit_cstr(c->database_url)) != TACIT_OK ||
	        tacit_buf_terminate(&url) != TACIT_OK) {
		tacit_buf_clear(&url);
		return NULL;
	}
	return (char *)url.p;
}

static enum tacit_err check_secret(
        struct tacit_bytes secret, struct store *s, enum api_secret_use use, char why[256])
{
	enum tacit_err err = api_check_secret(secret, s, use);
	if (err == TACIT_E_BAD_SEAL)
		snprintf(why, 256,
		        "this store was made with another secret key (SECRET_KEY or server.key)");
	return err;
}

static enum tacit_err open_data(struct node *n, char why[256])
{
	enum tacit_err err;
	struct store *writer = NULL;
	char *blobs = NULL;
	TRY(data_folder_open(&n->folder, n->config->data, DATA_FOLDER_SERVE, why));
	if (n->config->secret.n > 0)
		TRY(tacit_secret_copy(&n->secret, tacit_secret_view(&n->config->secret)));
	else
		TRY(data_folder_secret(&n->folder, DATA_FOLDER_MAKE_KEY, &n->env, &n->secret, why));
	n->store_url = store_url_of(n->config, &n->folder);
	blobs = data_folder_join(&n->folder, "", STORE_BLOB_FOLDER);
	TRY(n->store_url != NULL && blobs != NULL ? TACIT_OK : TACIT_E_NOMEM);
	TRY(blob_store_open(blobs, &n->blobs));
	TRY(store_open(n->store_url, STORE_WRITER, why, &writer));
	TRY(check_secret(tacit_secret_view(&n->secret), writer, API_SECRET_REMEMBER, why));
	TRY(invite_first_admin(n, writer));
	TRY(housekeeping_catch_up(writer, &n->env, &n->steady, n->blobs));
out:
	store_close(writer);
	tacit_free(blobs);
	return err;
}

static enum tacit_err open_api(struct node *n)
{
	const struct config *c = n->config;
	struct api_settings s = {
	        .env = n->env,
	        .steady = &n->steady,
	        .secret = tacit_secret_view(&n->secret),
	        .web = c->web,
	        .cors_origins = c->cors_origins,
	        .registration = (enum api_registration)c->registration,
	        .directory = (enum api_directory)c->directory,
	        .metrics_access = (enum api_metrics_access)c->metrics,
	        .require_signed = c->require_signed,
	        .tls = c->tls_cert != NULL,
	        .signature_window_s = c->signature_window,
	        .session_s = c->session_lifetime,
	        .max_file_bytes = c->max_file_size,
	        .quota_bytes = c->quota_bytes,
	        .upload_expiry_s = c->upload_expiry,
	        .max_participants = (unsigned)c->max_participants,
	        .presence = c->presence,
	        .ttl_min_s = c->ttl_min,
	        .ttl_max_s = c->ttl_max,
	        .rate_address = (unsigned)c->rate_address,
	        .rate_account = (unsigned)c->rate_account,
	        .rate_login = (unsigned)c->rate_login,
	        .parcel_room_bytes = c->parcel_room,
	        .parcel_lifetime_s = c->parcel_lifetime,
	        .parcel_rate_mib = (unsigned)c->parcel_rate,
	};
	return api_new(&s, n->blobs, &n->api);
}

static enum tacit_err open_mailer(struct node *n, char why[256])
{
	const struct config *c = n->config;
	const struct mail_settings s = {
	        .env = n->env,
	        .host = c->smtp_host,
	        .port = (unsigned)c->smtp_port,
	        .user = c->smtp_user,
	        .password = tacit_secret_view(&c->smtp_password),
	        .from = c->smtp_from,
	};
	if (c->smtp_host == NULL || c->smtp_host[0] == '\0')
		return TACIT_OK;
	const char *wrong = mail_settings_problem(&s);
	if (wrong != NULL) {
		snprintf(why, 256, "%s", wrong);
		return TACIT_E_USAGE;
	}
	enum tacit_err err = mailer_new(&s, &n->mailer);
	api_set_mailer(n->api, n->mailer);
	return err;
}

static struct net_settings port_settings(const struct config *c)
{
	return (struct net_settings){
	        .listen = c->listen,
	        .tls_cert = c->tls_cert,
	        .tls_key = c->tls_key,
	        .proxies = c->proxies,
	        .proxy_count = c->proxy_count,
	        .loops = (unsigned)c->loops,
	        .max_connections = (unsigned)c->max_connections,
	        .max_connections_per_address = (unsigned)c->max_connections_per_address,
	};
}

static enum tacit_err open_live(struct node *n)
{
	const struct config *c = n->config;
	const struct live_settings s = {
	        .max_per_user = (unsigned)c->connections_per_account,
	        .events_per_second = FLOOD_FACTOR * (unsigned)c->rate_account,
	        .flat = true,
	};
	const struct live_app app = api_live_app(n->api);
	enum tacit_err err = live_new(&s, &app, &n->live);
	api_set_live(n->api, n->live);
	return err;
}

static enum tacit_err open_port(struct node *n, char why[256])
{
	enum tacit_err err;
	const struct config *c = n->config;
	const struct net_settings s = port_settings(c);
	const struct live_http http = api_live_http();
	const struct relay_settings relay = {.env = n->env};
	const struct relay_app door = api_relay_app(n->api);
	struct http_app app = api_http_app(n->api);
	const char *text = "";
	app.cork = job_cork;
	app.uncork = job_uncork;
	TRY(open_live(n));
	app = live_http_app(n->live, &app, &http);
	TRY(relay_new(&relay, &door, &n->relay));
	app = relay_http_app(n->relay, &app);
	api_set_relay(n->api, n->relay);
	err = net_server_new(&s, &app, &text, &n->server);
	if (err != TACIT_OK)
		snprintf(why, 256, "%s: %s", c->listen, text);
out:
	return err;
}

/* The store, when there is one already, and whether it was made with this secret. */
static enum tacit_err check_store(const struct config *c, const struct data_folder *f,
        struct tacit_bytes secret, char why[256])
{
	enum tacit_err err = TACIT_OK;
	struct store *reader = NULL;
	char *url = store_url_of(c, f);
	TRY(url != NULL ? TACIT_OK : TACIT_E_NOMEM);
	if (access(url + strlen("sqlite://"), F_OK) != 0)
		goto out;
	TRY(store_open(url, STORE_READER, why, &reader));
	if (secret.n > 0)
		TRY(check_secret(secret, reader, API_SECRET_COMPARE, why));
out:
	store_close(reader);
	tacit_free(url);
	return err;
}

static enum tacit_err check_data(const struct config *c, char why[256])
{
	enum tacit_err err;
	struct data_folder folder;
	struct tacit_secret secret = {0};
	struct tacit_env env = tacit_system_env();
	TRY(data_folder_check(&folder, c->data, why));
	if (c->secret.n > 0)
		TRY(tacit_secret_copy(&secret, tacit_secret_view(&c->secret)));
	else if (folder.path != NULL)
		err = data_folder_secret(&folder, DATA_FOLDER_ONLY_READ_KEY, &env, &secret, why);
	if (err != TACIT_OK && err != TACIT_E_NOT_FOUND)
		goto out;
	err = TACIT_OK;
	if (folder.path != NULL || c->database_url != NULL)
		TRY(check_store(c, &folder, tacit_secret_view(&secret), why));
out:
	tacit_secret_free(&secret);
	data_folder_close(&folder);
	return err;
}

enum tacit_err node_check(const struct config *c, char why[256])
{
	const struct net_settings s = port_settings(c);
	const char *text = "";
	why[0] = '\0';
	enum tacit_err err = net_server_check(&s, &text);
	if (err != TACIT_OK)
		snprintf(why, 256, "%s: %s", c->listen, text);
	return err == TACIT_OK ? check_data(c, why) : err;
}

enum tacit_err node_open(const struct config *c, char why[256], struct node **out)
{
	enum tacit_err err;
	*out = NULL;
	why[0] = '\0';
	struct node *n = tacit_calloc(1, sizeof(*n));
	if (n == NULL)
		return TACIT_E_NOMEM;
	n->config = c;
	n->folder.lock = -1;
	n->env = tacit_system_env();
	const struct steady_source clocks = steady_system_source();
	steady_init(&n->steady, &clocks);
	TRY(open_data(n, why));
	TRY(open_api(n));
	TRY(open_mailer(n, why));
	TRY(open_port(n, why));
	api_set_server(n->api, n->server);
	*out = n;
	n = NULL;
out:
	node_free(n);
	return err;
}

const char *node_invitation(const struct node *n)
{
	return n->invitation[0] != '\0' ? n->invitation : NULL;
}

unsigned node_port(const struct node *n)
{
	return net_server_port(n->server);
}

enum tacit_err node_start(struct node *n, char why[256])
{
	enum tacit_err err;
	snprintf(why, 256, "the threads could not be started");
	TRY(start_lanes(n));
	api_set_pool(n->api, n->pool);
	const struct housekeeping_settings s = {.env = n->env,
	        .steady = &n->steady,
	        .pool = n->pool,
	        .blobs = n->blobs,
	        .api = n->api,
	        .store_url = n->store_url};
	TRY(housekeeping_start(&s, &n->housekeeping));
	TRY(net_server_start(n->server));
	TRY(live_watch_start(n->api, &n->watch));
	why[0] = '\0';
out:
	return err;
}

enum tacit_err node_reload_tls(struct node *n, const char **why)
{
	return net_server_reload_tls(n->server, why);
}

void node_stop(struct node *n)
{
	live_watch_stop(n->watch);
	n->watch = NULL;
	housekeeping_stop(n->housekeeping);
	if (n->pool == NULL)
		return;
	net_server_stop(n->server, (unsigned)n->config->shutdown_grace);
	job_pool_stop(n->pool);
}

void node_free(struct node *n)
{
	if (n == NULL)
		return;
	if (n->server != NULL)
		net_server_free(n->server);
	if (n->pool != NULL)
		job_pool_free(n->pool);
	housekeeping_free(n->housekeeping);
	relay_free(n->relay);
	live_free(n->live);
	api_free(n->api);
	mailer_free(n->mailer);
	if (n->blobs != NULL)
		blob_store_close(n->blobs);
	tacit_secret_free(&n->secret);
	tacit_free(n->store_url);
	data_folder_close(&n->folder);
	tacit_free(n);
}
