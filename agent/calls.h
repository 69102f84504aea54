/* calls.h - every call's function, for the table in routes.c. */
#ifndef TACIT_AGENT_CALLS_H
#define TACIT_AGENT_CALLS_H

#include "agent/exchange.h"
#include "client/host.h"

agent_handler call_health, call_root, call_register, call_login, call_logout, call_totp_setup,
        call_totp_disable, call_forgot_password, call_reset_password, call_users,
        call_messages_list, call_message_send, call_group_message_send, call_session_create,
        call_session_join, call_session_upload, call_session_files, call_session_download,
        call_session_status, call_session_close;

/* A client's call has failed with err: what the answer is, with the sentence that it left. */
enum tacit_err call_refuse_host(struct exchange *x, const struct host *h, enum tacit_err err);

#endif
