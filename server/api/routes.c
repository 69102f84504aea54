/* routes.c - the table: every path, who may call it, what it may cost, and what is done. */
#include "server/api/handlers.h"

#define SMALL (16 * 1024)
#define MEDIUM (64 * 1024)
#define MESSAGE (1024 * 1024)
#define KEY_PACKAGES (4 * 1024 * 1024)
#define COMMIT (24 * 1024 * 1024) /* with the tree of a large group in GroupInfo and Welcome */

#define READ(fn)                                                                                   \
	{                                                                                          \
		JOB_READ, fn                                                                       \
	}
#define HASH(fn)                                                                                   \
	{                                                                                          \
		JOB_HASH, fn                                                                       \
	}
#define FILE_(fn)                                                                                  \
	{                                                                                          \
		JOB_FILE, fn                                                                       \
	}
#define WRITE(fn)                                                                                  \
	{                                                                                          \
		JOB_WRITE, fn                                                                      \
	}
#define STEPS(...) .steps = {__VA_ARGS__}

/* method, pattern, who, body, body limit, cost */
#define R(m, path, who, body, limit, cost, ...)                                                    \
	{                                                                                          \
		HTTP_##m, path, API_##who, API_##body, limit, cost, __VA_ARGS__                    \
	}

/* Rooms, conversations and sessions are kinds of one thing. */
#define CONVERSATIONS(base, k)                                                                     \
	R(GET, base, USER, NO_BODY, 0, 2, .kind = (k), STEPS(READ(api_conversations_list))),       \
	        R(POST, base, USER, JSON, MEDIUM, 4, .kind = (k),                                  \
	                STEPS(READ(api_conversation_check), WRITE(api_conversation_create))),      \
	        R(GET, base "/{id}", USER, NO_BODY, 0, 1, STEPS(READ(api_conversation_get))),      \
	        R(GET, base "/{id}/devices", USER, NO_BODY, 0, 2,                                  \
	                STEPS(READ(api_conversation_devices))),                                    \
	        R(GET, base "/{id}/messages", USER, NO_BODY, 0, 1,                                 \
	                STEPS(READ(api_messages_page))),                                           \
	        R(POST, base "/{id}/messages", USER, JSON, MESSAGE, 1, .single = true,             \
	                STEPS(READ(api_message_check), WRITE(api_message_append))),                \
	        R(GET, base "/{id}/participants", USER, NO_BODY, 0, 1,                             \
	                STEPS(READ(api_participants_list))),                                       \
	        R(POST, base "/{id}/participants", USER, JSON, SMALL, 2,                           \
	                STEPS(READ(api_participants_find), WRITE(api_participants_add))),          \
	        R(DELETE, base "/{id}/participants", USER, JSON, SMALL, 1,                         \
	                STEPS(READ(api_participants_find), WRITE(api_participant_remove))),        \
	        R(DELETE, base "/{id}/participants/{username}", USER, JSON, SMALL, 1,              \
	                STEPS(READ(api_participants_find), WRITE(api_participant_remove))),        \
	        R(POST, base "/{id}/read", USER, JSON, SMALL, 1, STEPS(WRITE(api_read_mark))),     \
	        R(PUT, base "/{id}/expiry", USER, JSON, SMALL, 1, STEPS(WRITE(api_expiry_set))),   \
	        R(GET, base "/{id}/key", USER, NO_BODY, 0, 1, STEPS(READ(api_key_get))),           \
	        R(PUT, base "/{id}/key", USER, JSON, SMALL, 1,                                     \
	                STEPS(READ(api_key_check), WRITE(api_key_put)))

#define REGISTER(path)                                                                             \
	R(POST, path, SIGNED, JSON, SMALL, 5, .guard = API_GUARDED,                                \
	        STEPS(READ(api_register_check), HASH(api_register_hash),                           \
	                WRITE(api_register_store)))
#define LOGIN(path)                                                                                \
	R(POST, path, SIGNED, JSON, SMALL, 5, .guard = API_GUARDED,                                \
	        STEPS(READ(api_login_find), HASH(api_login_check), WRITE(api_login_store)))

#define WEB(path) R(GET, path, OPEN, NO_BODY, 0, 1, .web = true, STEPS(READ(api_web_missing)))

const struct api_route api_routes[] = {
        /* what is asked most, first: the table is searched from the front */
        CONVERSATIONS("/api/conversations", 0),
        R(GET, "/api/conversations/{id}/group", USER, NO_BODY, 0, 2, STEPS(READ(api_group_get))),
        R(POST, "/api/conversations/{id}/commits", USER, JSON, COMMIT, 4,
                STEPS(READ(api_commit_check), WRITE(api_commit_append))),
        R(POST, "/api/conversations/{id}/key-packages/claim", USER, JSON, MESSAGE, 5,
                STEPS(READ(api_claim_check), WRITE(api_claim))),
        R(POST, "/api/me", USER, JSON, SMALL, 1, STEPS(READ(api_me))),
        R(POST, "/api/telemetry", USER, JSON, SMALL, 10, STEPS(READ(api_telemetry))),
        CONVERSATIONS("/api/rooms", STORE_ROOM),
        CONVERSATIONS("/api/sessions", STORE_SESSION),
        R(DELETE, "/api/sessions/{id}", USER, JSON, SMALL, 1, STEPS(WRITE(api_session_close))),

        R(GET, "/api/users", USER, NO_BODY, 0, 4, STEPS(READ(api_users_search))),
        R(GET, "/api/users/{username}", USER, NO_BODY, 0, 2, STEPS(READ(api_user_get))),
        R(GET, "/api/devices", USER, NO_BODY, 0, 1, STEPS(READ(api_devices_list))),
        R(POST, "/api/devices", USER, JSON, SMALL, 2,
                STEPS(READ(api_device_check), WRITE(api_device_put))),
        R(GET, "/api/devices/{device}/key-packages", USER, NO_BODY, 0, 1,
                STEPS(WRITE(api_key_packages_tie), READ(api_key_packages_count))),
        R(PUT, "/api/devices/{device}/key-packages", USER, JSON, KEY_PACKAGES, 4,
                STEPS(READ(api_key_packages_check), WRITE(api_key_packages_put))),
        R(GET, "/api/devices/{device}/welcomes", USER, NO_BODY, 0, 1,
                STEPS(READ(api_welcomes_list))),
        R(DELETE, "/api/devices/{device}/welcomes/{id}", USER, JSON, SMALL, 1,
                STEPS(WRITE(api_welcome_delete))),
        R(DELETE, "/api/devices/{device}", USER, JSON, SMALL, 1, STEPS(WRITE(api_device_delete))),

        R(POST, "/api/files/upload", USER, STREAM, 0, 4, .stream = &api_upload_stream),
        R(GET, "/api/files/{file}/download", USER, NO_BODY, 0, 1,
                STEPS(READ(api_file_find), FILE_(api_file_open))),
        R(DELETE, "/api/files/{file}", USER, JSON, SMALL, 1, STEPS(WRITE(api_file_delete))),
        R(OPTIONS, "/api/files/tus", OPEN, NO_BODY, 0, 1, STEPS(READ(api_tus_options))),
        R(POST, "/api/files/tus", USER, STREAM, 0, 4, .stream = &api_tus_create_stream),
        R(OPTIONS, "/api/files/tus/{file}", OPEN, NO_BODY, 0, 1, STEPS(READ(api_tus_options))),
        R(HEAD, "/api/files/tus/{file}", USER, NO_BODY, 0, 1,
                STEPS(READ(api_tus_head), FILE_(api_tus_complete), WRITE(api_tus_finish))),
        R(PATCH, "/api/files/tus/{file}", USER, STREAM, 0, 1, .stream = &api_tus_patch_stream),
        R(DELETE, "/api/files/tus/{file}", USER, NO_BODY, 0, 1, STEPS(WRITE(api_tus_delete))),

        R(POST, "/api/parcels", OPEN, JSON, SMALL, 5,
                STEPS(READ(api_parcel_check), WRITE(api_parcel_create))),
        R(GET, "/api/parcels/{file}", OPEN, NO_BODY, 0, 1, STEPS(READ(api_parcel_get))),
        R(PATCH, "/api/parcels/{file}", OPEN, STREAM, 0, 1, .stream = &api_parcel_stream),
        R(DELETE, "/api/parcels/{file}", OPEN, NO_BODY, 0, 1, STEPS(WRITE(api_parcel_revoke))),
        R(POST, "/api/parcels/{file}/claims", OPEN, JSON, SMALL, 2, STEPS(WRITE(api_parcel_claim))),
        R(DELETE, "/api/parcels/{file}/claims", OPEN, NO_BODY, 0, 1,
                STEPS(WRITE(api_parcel_release))),
        R(GET, "/api/parcels/{file}/content", OPEN, NO_BODY, 0, 1,
                STEPS(READ(api_parcel_find), WRITE(api_parcel_begin), FILE_(api_parcel_open))),
        R(POST, "/api/parcels/{file}/commit", OPEN, JSON, SMALL, 1,
                STEPS(WRITE(api_parcel_commit))),

        REGISTER("/api/register"),
        REGISTER("/register"),
        R(POST, "/api/register/verify-2fa", SIGNED, JSON, SMALL, 5, .guard = API_GUARDED,
                STEPS(READ(api_verify_check), WRITE(api_verify_store))),
        LOGIN("/api/login"),
        LOGIN("/login"),
        R(POST, "/api/login/new-device", OPEN, JSON, SMALL, 10, .guard = API_GUARDED,
                STEPS(READ(api_new_device_find), HASH(api_login_check),
                        WRITE(api_new_device_store))),
        R(POST, "/api/forgot-password", OPEN, JSON, SMALL, 10, .guard = API_GUARDED,
                STEPS(READ(api_forgot_find), WRITE(api_forgot_store), READ(api_forgot_send))),
        R(POST, "/api/reset-password", SIGNED, JSON, SMALL, 10, .guard = API_GUARDED,
                STEPS(READ(api_reset_check), HASH(api_reset_hash), WRITE(api_reset_store))),
        R(POST, "/api/logout", USER, JSON, SMALL, 1, STEPS(WRITE(api_logout))),
        R(GET, "/api/csrf", USER, NO_BODY, 0, 1, STEPS(READ(api_csrf))),
        R(POST, "/api/token/refresh", OPEN, JSON, SMALL, 5, .guard = API_GUARDED,
                STEPS(WRITE(api_token_refresh))),

        R(GET, "/", OPEN, NO_BODY, 0, 1, .web = true, STEPS(READ(api_root))),
        WEB("/assets/{asset}"),
        WEB("/r"),
        WEB("/s"),
        WEB("/sw.js"),
        WEB("/manifest.webmanifest"),
        WEB("/.well-known/tacit-web.json"),
        R(GET, "/health", OPEN, NO_BODY, 0, 1,
                STEPS(READ(api_health_cached), WRITE(api_health_probe), READ(api_health_tell))),
        R(GET, "/api/health", OPEN, NO_BODY, 0, 1,
                STEPS(READ(api_health_cached), WRITE(api_health_probe), READ(api_health_tell))),
        R(GET, "/metrics", OPEN, NO_BODY, 0, 1, STEPS(READ(api_metrics_read))),
};

const size_t api_route_count = TACIT_COUNT(api_routes);
