/* routes.c - the table: every call, who may make it, and what is done. docs/agent-openapi.yaml is
 * held against it by a test. */
#include "agent/calls.h"

#include "agent/shelf.h"

static void put_state(json_t **o, const struct exchange *x)
{
	agent_put_text(o, "server", tacit_cstr(x->agent->server));
	agent_put_time(o, "timestamp", tacit_env_now(&x->agent->env));
}

/* Healthy is who can keep what it is given. */
enum tacit_err call_health(struct exchange *x)
{
	enum tacit_err err = shelf_probe((const char *)x->agent->settings.upload_folder.p);
	if (err != TACIT_OK)
		return err;
	json_t *o = json_object();
	agent_put_text(&o, "status", TACIT_STR("healthy"));
	agent_put_text(&o, "name", TACIT_STR("tacit agent"));
	agent_put_text(&o, "version", tacit_cstr(TACIT_VERSION));
	put_state(&o, x);
	return agent_answer(x, MHD_HTTP_OK, o);
}

enum tacit_err call_root(struct exchange *x)
{
	json_t *o = json_object();
	agent_put_text(&o, "name", TACIT_STR("tacit agent"));
	agent_put_text(&o, "version", tacit_cstr(TACIT_VERSION));
	agent_put_text(&o, "status", TACIT_STR("running"));
	put_state(&o, x);
	return agent_answer(x, MHD_HTTP_OK, o);
}

#define GET "GET"
#define POST "POST"

const struct agent_route agent_routes[] = {
        {GET, "/", AGENT_OPEN, AGENT_NO_BODY, call_root},
        {GET, "/health", AGENT_OPEN, AGENT_NO_BODY, call_health},
        {GET, "/api/health", AGENT_OPEN, AGENT_NO_BODY, call_health},

        {POST, "/api/register", AGENT_TOKEN, AGENT_JSON, call_register},
        {POST, "/api/login", AGENT_OPEN, AGENT_JSON, call_login},
        {POST, "/api/logout", AGENT_LOGIN, AGENT_JSON, call_logout},
        {POST, "/api/totp/setup", AGENT_LOGIN, AGENT_JSON, call_totp_setup},
        {POST, "/api/totp/disable", AGENT_LOGIN, AGENT_JSON, call_totp_disable},
        {POST, "/api/forgot-password", AGENT_TOKEN, AGENT_JSON, call_forgot_password},
        {POST, "/api/reset-password", AGENT_TOKEN, AGENT_JSON, call_reset_password},
        {GET, "/api/users", AGENT_LOGIN, AGENT_NO_BODY, call_users},
        {GET, "/api/messages", AGENT_LOGIN, AGENT_NO_BODY, call_messages_list},
        {POST, "/api/messages", AGENT_LOGIN, AGENT_JSON, call_message_send},
        {POST, "/api/group-messages", AGENT_LOGIN, AGENT_JSON, call_group_message_send},

        {POST, "/api/session/create", AGENT_TOKEN, AGENT_JSON, call_session_create},
        {POST, "/api/session/{id}/join", AGENT_TOKEN, AGENT_JSON, call_session_join},
        {POST, "/api/session/{id}/upload", AGENT_TOKEN, AGENT_FORM, call_session_upload},
        {GET, "/api/session/{id}/files", AGENT_TOKEN, AGENT_NO_BODY, call_session_files},
        {GET, "/api/session/{id}/download/{file}", AGENT_TOKEN, AGENT_NO_BODY,
                call_session_download},
        {GET, "/api/session/{id}/status", AGENT_TOKEN, AGENT_NO_BODY, call_session_status},
        {POST, "/api/session/{id}/close", AGENT_TOKEN, AGENT_JSON, call_session_close},
};
const size_t agent_route_count = TACIT_COUNT(agent_routes);
