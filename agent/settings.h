/* settings.h - the environment's words for the agent: MAX_FILE_SIZE, UPLOAD_FOLDER,
 * SESSION_TIMEOUT, JOIN_TIMEOUT, TACIT_LAN. */
#ifndef TACIT_AGENT_SETTINGS_H
#define TACIT_AGENT_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct agent_settings {
	uint64_t max_file_size; /* bytes */
	unsigned session_timeout_s, join_timeout_s;
	bool lan;                       /* other agents may be looked for on this network */
	struct tacit_buf upload_folder; /* absolute, NUL-terminated */
};

/* A size as MAX_FILE_SIZE takes it: 1048576, 512KiB, 100MiB, 2GiB, 1TiB. */
bool agent_size_parse(const char *text, uint64_t *out);

/* problem names the setting that is wrong. Fails: USAGE, IO (the upload folder), NOMEM. */
TACIT_MUST_USE enum tacit_err agent_settings_read(
        struct agent_settings *s, char *problem, size_t room);
void agent_settings_clear(struct agent_settings *s);

#endif
