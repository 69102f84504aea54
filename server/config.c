#include "server/config.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"

#define MAX_FILE_BYTES (64 * 1024)
#define KIB INT64_C(1024)
#define GIB (KIB * KIB * KIB)
#define TIB (KIB * GIB)
#define DAY INT64_C(86400)

enum kind {
	TEXT,
	SECRET, /* never a flag: arguments are seen by all users of a machine */
	NUMBER,
	SIZE, /* bytes, with KiB, MiB, GiB, TiB */
	BOOLEAN,
	CHOICE,  /* its number is the enum's */
	IGNORED, /* known to operators, of no use in this version */
};

struct setting {
	const char *name;        /* flag: --name; file: name; both with dashes */
	const char *environment; /* NULL: none */
	enum kind kind;
	size_t offset;
	int64_t least, most, preset;
	const char
	        *words; /* CHOICE: "open invite off"; others: what stands for the value in help */
	const char *help;
};

#define AT(member) offsetof(struct config, member)

static const struct setting settings[] = {
        {"listen", NULL, TEXT, AT(listen), 0, 0, 0, "ADDR:PORT",
                "where to listen (127.0.0.1:5000)"},
        {"data", NULL, TEXT, AT(data), 0, 0, 0, "DIR",
                "the data folder (~/.local/share/tacit/server)"},
        {"config", NULL, TEXT, AT(file), 0, 0, 0, "FILE",
                "read settings from a file, see tacitd.conf(5)"},
        {"tls-cert", "SSL_CERT_PATH", TEXT, AT(tls_cert), 0, 0, 0, "FILE",
                "certificate chain, PEM"},
        {"tls-key", "SSL_KEY_PATH", TEXT, AT(tls_key), 0, 0, 0, "FILE", "private key, PEM"},
        {"behind-proxy", NULL, TEXT, AT(behind_proxy), 0, 0, 0, "ADDR/PREFIX,...",
                "a TLS proxy stands in front, at these addresses; only they are believed"},
        {"database-url", "DATABASE_URL", TEXT, AT(database_url), 0, 0, 0, "URL",
                "sqlite:///path (tacit.db in the data folder)"},
        {"secret-key", "SECRET_KEY", SECRET, AT(secret), 32, 1024, 0, NULL,
                "the server's secret, 32 characters or more (server.key in the data folder)"},
        {"cors-origins", "CORS_ORIGINS", TEXT, AT(cors_origins), 0, 0, 0, "URL,...",
                "web origins that may call with credentials (none)"},
        {"log-format", NULL, CHOICE, AT(log_format), 0, 0, LOG_TEXT, "text json",
                "form of the log lines"},
        {"access-log", NULL, BOOLEAN, AT(access_log), 0, 1, 1, "yes|no",
                "a log line for each request (yes)"},
        {"loops", NULL, NUMBER, AT(loops), 0, 256, 0, "N", "event loops; 0: one for each core"},
        {"max-connections", NULL, NUMBER, AT(max_connections), 1, 1000000, 20000, "N",
                "connections for each loop"},
        {"max-connections-per-address", NULL, NUMBER, AT(max_connections_per_address), 0, 1000000,
                0, "N", "connections from one address; 0: 256, and loopback without limit"},
        {"commit-batch", NULL, NUMBER, AT(commit_batch), 1, 4096, 512, "N",
                "changes in one commit at most; 1: a sync of the disk for each (512)"},
        {"max-file-size", "MAX_FILE_SIZE", SIZE, AT(max_file_size), 1, 1024 * TIB, 100 * KIB *KIB,
                "BYTES", "the largest file (100 MiB)"},
        {"quota-bytes", "QUOTA_BYTES", SIZE, AT(quota_bytes), 0, 1024 * TIB, 10 * GIB, "BYTES",
                "room of a user's files (10 GiB)"},
        {"upload-expiry", "UPLOAD_EXPIRY", NUMBER, AT(upload_expiry), 1, 365 * DAY, DAY, "SECONDS",
                "how long an interrupted upload waits (86400)"},
        {"session-lifetime", "SESSION_LIFETIME", NUMBER, AT(session_lifetime), 1, 3650 * DAY,
                30 * DAY, "SECONDS", "how long a login lasts (2592000)"},
        {"signature-window", "SIGNATURE_WINDOW", NUMBER, AT(signature_window), 1, DAY, 300,
                "SECONDS", "how far a client's clock may be off (300)"},
        {"max-participants", "MAX_PARTICIPANTS", NUMBER, AT(max_participants), 2,
                TACIT_MAX_PARTICIPANTS, TACIT_MAX_PARTICIPANTS, "N",
                "people in one conversation (256)"},
        {"ttl-min", "TTL_MIN", NUMBER, AT(ttl_min), 1, 366 * DAY, 1, "SECONDS",
                "the shortest life of a session or message that may be asked for (1)"},
        {"ttl-max", "TTL_MAX", NUMBER, AT(ttl_max), 1, 3660 * DAY, 366 * DAY, "SECONDS",
                "the longest (31622400)"},
        {"rate-address", "RATE_ADDRESS", NUMBER, AT(rate_address), 0, 1000000, 200, "N",
                "requests a second from one address; 0: no limit (200)"},
        {"rate-account", "RATE_ACCOUNT", NUMBER, AT(rate_account), 0, 1000000, 50, "N",
                "requests a second of one account; 0: no limit (50)"},
        {"rate-login", "RATE_LOGIN", NUMBER, AT(rate_login), 0, 1000000, 20, "N",
                "tries of a password or code a minute and address; 0: no limit (20)"},
        {"connections-per-account", "CONNECTIONS_PER_ACCOUNT", NUMBER, AT(connections_per_account),
                0, 1000000, 16, "N",
                "live connections of one account; beyond, its oldest ends; 0: no limit (16)"},
        {"parcel-room", "PARCEL_ROOM", SIZE, AT(parcel_room), 0, 1024 * TIB, 5 * GIB, "BYTES",
                "room of what people without an account leave for a link; 0: nothing (5 GiB)"},
        {"parcel-lifetime", "PARCEL_LIFETIME", NUMBER, AT(parcel_lifetime), 60, 366 * DAY, 7 * DAY,
                "SECONDS", "how long it may be kept (604800)"},
        {"parcel-rate", "PARCEL_RATE", NUMBER, AT(parcel_rate), 0, 1000000, 16, "MIB",
                "MiB of it a minute from one address, 16 times that at once; 0: no limit (16)"},
        {"presence", "PRESENCE", BOOLEAN, AT(presence), 0, 1, 1, "yes|no",
                "tell members who is online and who is typing (yes)"},
        {"registration", "REGISTRATION", CHOICE, AT(registration), 0, 0, API_REGISTRATION_OPEN,
                "open invite off", "who may make an account"},
        {"directory", "DIRECTORY", CHOICE, AT(directory), 0, 0, API_DIRECTORY_OPEN,
                "open exact off", "who can be found: by prefix, by whole name, nobody"},
        {"metrics", "METRICS", CHOICE, AT(metrics), 0, 0, API_METRICS_LOOPBACK, "loopback open off",
                "who may read /metrics"},
        {"require-signed", "REQUIRE_SIGNED", BOOLEAN, AT(require_signed), 0, 1, 0, "yes|no",
                "accept changes as signed requests only (no)"},
        {"shutdown-grace", NULL, NUMBER, AT(shutdown_grace), 0, 3600, 15, "SECONDS",
                "how long requests under way may take when the server ends (15)"},
        {"redis-url", "REDIS_URL", IGNORED, 0, 0, 0, 0, NULL, NULL},
        {"smtp-host", "SMTP_HOST", TEXT, AT(smtp_host), 0, 0, 0, "NAME",
                "the server that takes mail for people who have forgotten their password (none)"},
        {"smtp-port", "SMTP_PORT", NUMBER, AT(smtp_port), 1, 65535, 587, "N",
                "its port; 465 begins with TLS, others turn to it (587)"},
        {"smtp-user", "SMTP_USER", TEXT, AT(smtp_user), 0, 0, 0, "NAME", "the login there (none)"},
        {"smtp-password", "SMTP_PASSWORD", SECRET, AT(smtp_password), 1, 1024, 0, NULL,
                "and its password (none)"},
        {"smtp-from", "SMTP_FROM", TEXT, AT(smtp_from), 0, 0, 0, "ADDRESS",
                "the address that mail comes from; needed with smtp-host"},
};

/* Which settings have a value already, and what to say when one is wrong. */
struct reading {
	struct config *c;
	bool set[TACIT_COUNT(settings)];
	char *why;
};

static enum tacit_err refuse(struct reading *r, const char *name, const char *what)
{
	snprintf(r->why, 256, "%s: %s", name, what);
	return TACIT_E_USAGE;
}

static void *member(struct reading *r, const struct setting *s)
{
	return (char *)r->c + s->offset;
}

static enum tacit_err copy_text(const char *from, char **out)
{
	size_t n = strlen(from) + 1;
	char *copy = tacit_alloc(n);
	if (copy == NULL)
		return TACIT_E_NOMEM;
	memcpy(copy, from, n);
	tacit_free(*out);
	*out = copy;
	return TACIT_OK;
}

static int64_t size_unit(const char *unit)
{
	static const struct {
		const char *name;
		int64_t bytes;
	} units[] = {{"", 1}, {"B", 1}, {"K", KIB}, {"KiB", KIB}, {"M", KIB * KIB},
	        {"MiB", KIB * KIB}, {"G", GIB}, {"GiB", GIB}, {"T", TIB}, {"TiB", TIB}};
	while (*unit == ' ')
		unit++;
	for (size_t i = 0; i < TACIT_COUNT(units); i++)
		if (strcasecmp(unit, units[i].name) == 0)
			return units[i].bytes;
	return 0;
}

static enum tacit_err read_number(
        struct reading *r, const struct setting *s, const char *value, int64_t *out)
{
	char *end;
	errno = 0;
	long long n = strtoll(value, &end, 10);
	int64_t unit = s->kind == SIZE ? size_unit(end) : *end == '\0';
	if (end == value || errno != 0 || unit == 0 || n < 0 || n > INT64_MAX / unit)
		return refuse(r, s->name,
		        s->kind == SIZE ? "is not a size (like 100MiB)" : "is not a number");
	if (n * unit < s->least || n * unit > s->most) {
		snprintf(r->why, 256, "%s: must be %" PRId64 " to %" PRId64, s->name, s->least,
		        s->most);
		return TACIT_E_USAGE;
	}
	*out = n * unit;
	return TACIT_OK;
}

static enum tacit_err read_boolean(
        struct reading *r, const struct setting *s, const char *value, bool *out)
{
	static const char *const yes[] = {"1", "yes", "true", "on"};
	static const char *const no[] = {"0", "no", "false", "off", ""};
	for (size_t i = 0; i < TACIT_COUNT(yes); i++)
		if (strcasecmp(value, yes[i]) == 0) {
			*out = true;
			return TACIT_OK;
		}
	for (size_t i = 0; i < TACIT_COUNT(no); i++)
		if (strcasecmp(value, no[i]) == 0) {
			*out = false;
			return TACIT_OK;
		}
	return refuse(r, s->name, "is neither yes nor no");
}

/* The place of a word in a list of words separated by blanks; -1: not among them. */
static int64_t word_index(const char *words, const char *value)
{
	size_t n = strlen(value);
	int64_t index = 0;
	for (const char *at = words; *at != '\0'; index++) {
		size_t length = strcspn(at, " ");
		if (length == n && strncmp(at, value, n) == 0)
			return index;
		at += length + (at[length] == ' ');
	}
	return -1;
}

static enum tacit_err read_choice(
        struct reading *r, const struct setting *s, const char *value, int64_t *out)
{
	*out = word_index(s->words, value);
	if (*out >= 0)
		return TACIT_OK;
	snprintf(r->why, 256, "%s: must be one of: %s", s->name, s->words);
	return TACIT_E_USAGE;
}

static enum tacit_err read_secret(struct reading *r, const struct setting *s, const char *value)
{
	size_t n = strlen(value);
	if (n < (size_t)s->least || n > (size_t)s->most)
		return refuse(r, s->name,
		        s->least > 1 ? "must have 32 to 1024 characters"
		                     : "must have 1 to 1024 characters");
	return tacit_secret_copy(member(r, s), tacit_bytes(value, n));
}

static enum tacit_err set(struct reading *r, const struct setting *s, const char *value)
{
	enum tacit_err err = TACIT_OK;
	int64_t number = 0;
	r->set[s - settings] = true;
	switch (s->kind) {
	case TEXT:
		return copy_text(value, member(r, s));
	case SECRET:
		return read_secret(r, s, value);
	case NUMBER:
	case SIZE:
		return read_number(r, s, value, member(r, s));
	case BOOLEAN:
		return read_boolean(r, s, value, member(r, s));
	case CHOICE:
		TRY(read_choice(r, s, value, &number));
		if (s->offset == AT(log_format))
			r->c->log_format = (enum log_format)number;
		else
			*(int64_t *)member(r, s) = number;
		return TACIT_OK;
	case IGNORED:
		if (*value != '\0' && r->c->ignored_count < TACIT_COUNT(r->c->ignored))
			err = copy_text(s->environment, &r->c->ignored[r->c->ignored_count++]);
	}
out:
	return err;
}

static const struct setting *find(struct tacit_bytes name)
{
	for (size_t i = 0; i < TACIT_COUNT(settings); i++)
		if (tacit_bytes_eq(name, tacit_cstr(settings[i].name)))
			return &settings[i];
	return NULL;
}

static bool read_action(const char *flag, enum config_action *action)
{
	static const struct {
		const char *flag;
		enum config_action action;
	} actions[] = {{"--check", CONFIG_CHECK}, {"--print-routes", CONFIG_PRINT_ROUTES},
	        {"--print-web-hash", CONFIG_PRINT_WEB}, {"--help", CONFIG_HELP},
	        {"-h", CONFIG_HELP}, {"--version", CONFIG_VERSION}, {"-V", CONFIG_VERSION}};
	for (size_t i = 0; i < TACIT_COUNT(actions); i++)
		if (strcmp(flag, actions[i].flag) == 0) {
			*action = actions[i].action;
			return true;
		}
	return false;
}

/* "--name value" or "--name=value"; a yes-or-no setting may stand without a value. */
static enum tacit_err read_flags(struct reading *r, int argc, char *const *argv)
{
	for (int i = 1; i < argc; i++) {
		if (read_action(argv[i], &r->c->action))
			continue;
		if (strncmp(argv[i], "--", 2) != 0)
			return refuse(r, argv[i], "is not a flag (see --help)");
		const char *name = argv[i] + 2;
		size_t n = strcspn(name, "=");
		const struct setting *s = find(tacit_bytes(name, n));
		if (s == NULL || s->kind == IGNORED)
			return refuse(r, argv[i], "is not known (see --help)");
		if (s->kind == SECRET)
			return refuse(
			        r, argv[i], "is never a flag: others on the machine would see it");
		const char *value = name[n] == '=' ? name + n + 1 : NULL;
		if (value == NULL && s->kind == BOOLEAN)
			value = "yes";
		if (value == NULL && ++i < argc)
			value = argv[i];
		if (value == NULL)
			return refuse(r, s->name, "needs a value");
		enum tacit_err err = set(r, s, value);
		if (err != TACIT_OK)
			return err;
	}
	return TACIT_OK;
}

static const char *look_up(char *const *environment, const char *name)
{
	size_t n = strlen(name);
	for (; environment != NULL && *environment != NULL; environment++)
		if (strncmp(*environment, name, n) == 0 && (*environment)[n] == '=')
			return *environment + n + 1;
	return NULL;
}

static enum tacit_err read_environment(struct reading *r, char *const *environment)
{
	for (size_t i = 0; i < TACIT_COUNT(settings); i++) {
		const char *value = settings[i].environment != NULL
		                            ? look_up(environment, settings[i].environment)
		                            : NULL;
		if (r->set[i] || value == NULL || *value == '\0')
			continue;
		enum tacit_err err = set(r, &settings[i], value);
		if (err != TACIT_OK)
			return err;
	}
	return TACIT_OK;
}

static char *trim(char *text)
{
	text += strspn(text, " \t");
	size_t n = strlen(text);
	while (n > 0 && (text[n - 1] == ' ' || text[n - 1] == '\t' || text[n - 1] == '\r'))
		text[--n] = '\0';
	return text;
}

/* One line of the file: empty, a comment, or "name = value". */
static enum tacit_err read_line(struct reading *r, char *line, const bool *before)
{
	line = trim(line);
	if (*line == '\0' || *line == '#')
		return TACIT_OK;
	char *equals = strchr(line, '=');
	if (equals == NULL)
		return refuse(r, line, "is not of the form name = value");
	*equals = '\0';
	char *name = trim(line);
	const struct setting *s = find(tacit_cstr(name));
	if (s == NULL || s->offset == AT(file))
		return refuse(r, name, "is not known in the configuration file");
	if (before[s - settings])
		return TACIT_OK;
	return set(r, s, trim(equals + 1));
}

static enum tacit_err read_file(struct reading *r)
{
	enum tacit_err err = TACIT_OK;
	bool before[TACIT_COUNT(settings)];
	struct tacit_secret text = {0}; /* the file may hold the secret key */
	memcpy(before, r->set, sizeof(before));
	FILE *f = fopen(r->c->file, "re");
	if (f == NULL) {
		snprintf(r->why, 256, "%s: %s", r->c->file, strerror(errno));
		return TACIT_E_IO;
	}
	TRY(tacit_secret_new(&text, MAX_FILE_BYTES + 1));
	size_t n = fread(text.p, 1, MAX_FILE_BYTES + 1, f);
	if (n > MAX_FILE_BYTES || ferror(f) || memchr(text.p, '\0', n) != NULL)
		TRY(refuse(r, r->c->file, "is not a configuration file"));
	for (char *line = (char *)text.p, *next; line != NULL; line = next) {
		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = '\0';
		TRY(read_line(r, line, before));
	}
out:
	fclose(f);
	tacit_secret_free(&text);
	return err;
}

static enum tacit_err read_defaults(struct reading *r, char *const *environment)
{
	struct config *c = r->c;
	for (size_t i = 0; i < TACIT_COUNT(settings); i++) {
		const struct setting *s = &settings[i];
		if (r->set[i])
			continue;
		if (s->kind == NUMBER || s->kind == SIZE)
			*(int64_t *)member(r, s) = s->preset;
		else if (s->kind == BOOLEAN)
			*(bool *)member(r, s) = s->preset != 0;
	}
	if (c->listen == NULL) {
		enum tacit_err err = copy_text("127.0.0.1:5000", &c->listen);
		if (err != TACIT_OK)
			return err;
	}
	if (c->data == NULL)
		c->data = config_default_data(environment);
	return c->data != NULL ? TACIT_OK
	                       : refuse(r, "data", "no home folder is known; give --data");
}

static enum tacit_err read_proxies(struct reading *r)
{
	char one[128];
	const char *at = r->c->behind_proxy;
	while (at != NULL && *at != '\0') {
		size_t n = strcspn(at, ",");
		if (n >= sizeof(one) || r->c->proxy_count == CONFIG_MAX_PROXIES)
			return refuse(r, "behind-proxy", "is too long");
		memcpy(one, at, n);
		one[n] = '\0';
		if (net_prefix_parse(one, &r->c->proxies[r->c->proxy_count++]) != TACIT_OK)
			return refuse(r, "behind-proxy",
			        "must be addresses or networks: 10.0.0.1,fd00::/8");
		at += n + (at[n] == ',');
	}
	return TACIT_OK;
}

/* The address itself is net's to understand. */
static bool has_port(const char *listen)
{
	const char *colon = strrchr(listen, ':');
	if (colon == NULL || (strchr(listen, ':') != colon && colon[-1] != ']'))
		return false;
	size_t n = strspn(colon + 1, "0123456789");
	return n > 0 && n <= 5 && colon[n + 1] == '\0';
}

static bool is_loopback(const char *listen)
{
	return strncmp(listen, "127.", 4) == 0 || strncmp(listen, "[::1]:", 6) == 0;
}

static enum tacit_err check_together(struct reading *r)
{
	struct config *c = r->c;
	if ((c->tls_cert == NULL) != (c->tls_key == NULL))
		return refuse(r, "tls-cert", "goes with tls-key, and the other way round");
	if (!has_port(c->listen))
		return refuse(r, "listen", "must read ADDRESS:PORT, [ADDRESS]:PORT for IPv6");
	if (!is_loopback(c->listen) && c->tls_cert == NULL && c->proxy_count == 0)
		return refuse(r, "listen",
		        "outside loopback, plain HTTP is refused: give --tls-cert and --tls-key, "
		        "or "
		        "--behind-proxy when a TLS proxy stands in front");
	if (c->ttl_min > c->ttl_max)
		return refuse(r, "ttl-min", "is more than ttl-max");
	if (c->database_url != NULL && strncmp(c->database_url, "sqlite://", 9) != 0)
		return refuse(
		        r, "database-url", "only sqlite:///path is supported in this version");
	return TACIT_OK;
}

enum tacit_err config_read(
        struct config *c, int argc, char *const *argv, char *const *environment, char why[256])
{
	enum tacit_err err;
	struct reading r = {.c = c, .why = why};
	*c = (struct config){0};
	why[0] = '\0';
	TRY(read_flags(&r, argc, argv));
	if (c->action == CONFIG_HELP || c->action == CONFIG_VERSION ||
	        c->action == CONFIG_PRINT_ROUTES || c->action == CONFIG_PRINT_WEB)
		return TACIT_OK;
	TRY(read_environment(&r, environment));
	if (c->file != NULL)
		TRY(read_file(&r));
	TRY(read_defaults(&r, environment));
	TRY(read_proxies(&r));
	TRY(check_together(&r));
out:
	return err;
}

void config_clear(struct config *c)
{
	char **const texts[] = {&c->listen, &c->data, &c->file, &c->tls_cert, &c->tls_key,
	        &c->behind_proxy, &c->database_url, &c->cors_origins, &c->smtp_host, &c->smtp_user,
	        &c->smtp_from};
	for (size_t i = 0; i < TACIT_COUNT(texts); i++)
		tacit_free(*texts[i]);
	for (size_t i = 0; i < c->ignored_count; i++)
		tacit_free(c->ignored[i]);
	tacit_secret_free(&c->secret);
	tacit_secret_free(&c->smtp_password);
	*c = (struct config){0};
}

static enum tacit_err help_line(const struct setting *s, struct tacit_buf *out)
{
	char left[80], words[48];
	const char *value = s->words;
	if (s->kind == CHOICE) {
		snprintf(words, sizeof(words), "%s", s->words);
		for (char *p = words; *p != '\0'; p++)
			*p = *p == ' ' ? '|' : *p;
		value = words;
	}
	if (s->kind == SECRET)
		snprintf(left, sizeof(left), "%s (environment, file)", s->environment);
	else
		snprintf(left, sizeof(left), "--%s %s", s->name, value);
	const char *also = s->kind != SECRET && s->environment != NULL ? s->environment : "";
	return tacit_buf_printf(out, "  %-36s %s%s%s%s\n", left, s->help, *also != '\0' ? " [" : "",
	        also, *also != '\0' ? "]" : "");
}

enum tacit_err config_help(struct tacit_buf *out)
{
	enum tacit_err err;
	TRY(tacit_buf_append(
	        out, TACIT_STR("usage: tacitd [FLAG...]\n"
	                       "       tacitd admin [--data DIR] COMMAND\n\n"
	                       "tacitd stores and delivers what only its users can read.\n\n")));
	for (size_t i = 0; i < TACIT_COUNT(settings); i++)
		if (settings[i].kind != IGNORED)
			TRY(help_line(&settings[i], out));
	TRY(tacit_buf_append(out,
	        TACIT_STR(
	                "  --check                              check all settings and exit\n"
	                "  --print-routes                       list what the server answers, "
	                "and exit\n"
	                "  --print-web-hash                     print the hash of the web app, and "
	                "exit\n"
	                "  --help, --version\n\n"
	                "A flag goes before the environment variable in brackets, that before "
	                "the file, that before\n"
	                "the default. See tacitd(8) and tacitd.conf(5); tacitd admin --help for "
	                "the operator's commands.\n")));
out:
	return err;
}

char *config_default_data(char *const *environment)
{
	struct tacit_buf path = {0};
	const char *base = look_up(environment, "XDG_DATA_HOME");
	const char *home = look_up(environment, "HOME");
	enum tacit_err err = TACIT_E_NOT_FOUND;
	if (base != NULL && *base == '/')
		err = tacit_buf_printf(&path, "%s/tacit/server", base);
	else if (home != NULL && *home == '/')
		err = tacit_buf_printf(&path, "%s/.local/share/tacit/server", home);
	if (err == TACIT_OK)
		err = tacit_buf_terminate(&path);
	if (err == TACIT_OK)
		return (char *)path.p; /* a buffer's bytes come from tacit_alloc */
	tacit_buf_clear(&path);
	return NULL;
}
