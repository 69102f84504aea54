/* handlers.h - every step that the route table names, by resource. Contracts in docs/openapi.yaml.
 */
#ifndef TACIT_SERVER_API_HANDLERS_H
#define TACIT_SERVER_API_HANDLERS_H

#include "server/api/route.h"

#define API_STEP(name) TACIT_MUST_USE enum tacit_err name(struct api_call *c, struct store *store)

/* accounts.c */
API_STEP(api_register_check);
API_STEP(api_register_hash);
API_STEP(api_register_store);
API_STEP(api_verify_check);
API_STEP(api_verify_store);
/* logins.c */
API_STEP(api_login_find);
API_STEP(api_login_check);
API_STEP(api_login_store);
API_STEP(api_new_device_find);
API_STEP(api_new_device_store);
/* recovery.c */
API_STEP(api_forgot_find);
API_STEP(api_forgot_store);
API_STEP(api_forgot_send);
API_STEP(api_reset_check);
API_STEP(api_reset_hash);
API_STEP(api_reset_store);
/* sessions.c */
API_STEP(api_logout);
API_STEP(api_csrf);
API_STEP(api_token_refresh);
/* telemetry.c */
API_STEP(api_telemetry);
/* users.c */
API_STEP(api_me);
API_STEP(api_users_search);
API_STEP(api_user_get);
/* devices.c */
API_STEP(api_devices_list);
API_STEP(api_device_check);
API_STEP(api_device_put);
API_STEP(api_device_delete);
API_STEP(api_conversation_devices);
/* conversations.c */
API_STEP(api_conversations_list);
API_STEP(api_conversation_check);
API_STEP(api_conversation_create);
API_STEP(api_conversation_get);
API_STEP(api_expiry_set);
API_STEP(api_session_close);
/* participants.c */
API_STEP(api_participants_list);
API_STEP(api_participants_find);
API_STEP(api_participants_add);
API_STEP(api_participant_remove);
/* messages.c */
API_STEP(api_messages_page);
API_STEP(api_message_check);
API_STEP(api_message_append);
API_STEP(api_read_mark);
/* keys.c */
API_STEP(api_key_packages_check);
API_STEP(api_key_packages_put);
API_STEP(api_key_packages_count);
API_STEP(api_key_packages_tie);
API_STEP(api_claim_check);
API_STEP(api_claim);
API_STEP(api_commit_check);
API_STEP(api_commit_append);
API_STEP(api_group_get);
API_STEP(api_welcomes_list);
API_STEP(api_welcome_delete);

API_STEP(api_key_get);
API_STEP(api_key_check);
API_STEP(api_key_put);
/* files.c */
API_STEP(api_file_find);
API_STEP(api_file_open);
API_STEP(api_file_delete);
/* uploads.c */
extern const struct api_stream api_upload_stream;
/* tus.c, tus_patch.c */
API_STEP(api_tus_options);
API_STEP(api_tus_head);
API_STEP(api_tus_head_answer);
API_STEP(api_tus_delete);
API_STEP(api_tus_complete);
API_STEP(api_tus_finish);
extern const struct api_stream api_tus_create_stream, api_tus_patch_stream;
/* parcels.c, parcel_upload.c */
API_STEP(api_parcel_check);
API_STEP(api_parcel_create);
API_STEP(api_parcel_get);
API_STEP(api_parcel_revoke);
API_STEP(api_parcel_claim);
API_STEP(api_parcel_release);
API_STEP(api_parcel_commit);
API_STEP(api_parcel_find);
API_STEP(api_parcel_begin);
API_STEP(api_parcel_open);
extern const struct api_stream api_parcel_stream;
/* health.c */
API_STEP(api_root);
API_STEP(api_web_missing);
API_STEP(api_health_cached);
API_STEP(api_health_probe);
API_STEP(api_health_tell);
API_STEP(api_metrics_read);

#endif
