/* config.h - the settings of tacitd: flag > environment > file > default (contract 8).
 *
 * One table in config.c is the list of settings, their help, and their checks. Texts are owned by
 * the configuration. No I/O but reading the file that --config names. */
#ifndef TACIT_SERVER_CONFIG_H
#define TACIT_SERVER_CONFIG_H

#include <stdbool.h>

#include "crypto/secret.h"
#include "server/api/api.h"
#include "server/log.h"
#include "server/net/server.h"
#include "wire/limits.h"

#define CONFIG_MAX_PROXIES 16

enum config_action {
	CONFIG_SERVE,
	CONFIG_CHECK,        /* --check */
	CONFIG_PRINT_ROUTES, /* --print-routes */
	CONFIG_PRINT_WEB,    /* --print-web-hash */
	CONFIG_HELP,
	CONFIG_VERSION,
};

struct config {
	enum config_action action;
	const struct web_bundle *web; /* no setting: what the program brings; NULL: none */
	char *listen, *data, *file;
	char *tls_cert, *tls_key;
	char *behind_proxy;
	char *database_url; /* "sqlite:///path"; NULL: inside data */
	char *cors_origins;
	char *smtp_host, *smtp_user, *smtp_from; /* smtp_host NULL: no mail */
	struct tacit_secret smtp_password;
	int64_t smtp_port;
	struct tacit_secret secret; /* SECRET_KEY; empty: the key file inside data */
	enum log_format log_format;
	bool access_log;
	struct net_prefix proxies[CONFIG_MAX_PROXIES];
	size_t proxy_count;
	int64_t loops, max_connections, max_connections_per_address, commit_batch;
	int64_t max_file_size, quota_bytes, upload_expiry, session_lifetime, signature_window;
	int64_t max_participants, ttl_min, ttl_max, rate_address, rate_account, rate_login,
	        shutdown_grace;
	int64_t registration, directory, metrics; /* the enums of api.h */
	int64_t connections_per_account, parcel_room, parcel_lifetime, parcel_rate;
	bool require_signed, presence;
	char *ignored[8]; /* settings that were given and have no effect in this version */
	size_t ignored_count;
};

/* Reads flags, then fills what they left open from environment, file and defaults. environment is
 * like environ; tests give their own. c is to be cleared in any case. why names the fault.
 * Fails: USAGE (unknown, malformed or contradictory setting), IO (file), NOMEM. */
TACIT_MUST_USE enum tacit_err config_read(
        struct config *c, int argc, char *const *argv, char *const *environment, char why[256]);
void config_clear(struct config *c);

/* The text of --help. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err config_help(struct tacit_buf *out);

/* $XDG_DATA_HOME/tacit/server, or ~/.local/share/tacit/server. NULL when out of memory or without
 * a home; the caller frees. */
char *config_default_data(char *const *environment);

#endif
