/* memory_slots.h - the operations of struct store_ops as the memory backend implements them; what
 * each must do is said in store.h. */
#ifndef TACIT_SERVER_STORE_MEMORY_SLOTS_H
#define TACIT_SERVER_STORE_MEMORY_SLOTS_H

#include "server/store/store.h"

void memory_close(struct store *s);
void memory_advance(struct store *s, int64_t now);
void memory_read_begin(struct store *s);
void memory_read_end(struct store *s);
enum tacit_err memory_batch_begin(struct store *s);
enum tacit_err memory_batch_commit(struct store *s);
void memory_batch_abort(struct store *s);
void memory_settle(struct store *s, bool idle);
enum tacit_err memory_mark(struct store *s);
enum tacit_err memory_undo(struct store *s);
enum tacit_err memory_release(struct store *s);
enum tacit_err memory_probe(struct store *s);
enum tacit_err memory_meta_get(struct store *s, const char *key, struct tacit_buf *out);
enum tacit_err memory_meta_set(struct store *s, const char *key, struct tacit_bytes value);
enum tacit_err memory_signature_remember(
        struct store *s, int64_t user_id, const uint8_t signature_hash[16], int64_t expires_at);
enum tacit_err memory_token_put(struct store *s, const char *kind,
        const uint8_t hash[STORE_HASH_BYTES], struct tacit_bytes value, int64_t expires_at);
enum tacit_err memory_token_peek(struct store *s, const char *kind,
        const uint8_t hash[STORE_HASH_BYTES], int64_t now, struct tacit_buf *value);
enum tacit_err memory_token_take(struct store *s, const char *kind,
        const uint8_t hash[STORE_HASH_BYTES], int64_t now, struct tacit_buf *value);
enum tacit_err memory_token_update(struct store *s, const char *kind,
        const uint8_t hash[STORE_HASH_BYTES], int64_t now, struct tacit_bytes value);
enum tacit_err memory_user_create(struct store *s, const struct store_new_user *u, int64_t *id);
enum tacit_err memory_user_available(
        struct store *s, const char *username, const char *email, const uint8_t public_key[32]);
enum tacit_err memory_user_by_id(struct store *s, int64_t id, struct store_user *out);
enum tacit_err memory_user_by_name(struct store *s, const char *username, struct store_user *out);
enum tacit_err memory_user_by_email(struct store *s, const char *email, struct store_user *out);
enum tacit_err memory_user_set_login(struct store *s, int64_t id, const struct store_new_login *n);
enum tacit_err memory_user_wrapped_key(struct store *s, int64_t id, struct tacit_buf *out);
enum tacit_err memory_user_search(struct store *s, struct tacit_bytes prefix, unsigned limit,
        enum tacit_err (*row)(void *ctx, const struct store_user *u), void *ctx);
enum tacit_err memory_user_list(struct store *s, int64_t after_id, unsigned limit,
        enum tacit_err (*row)(void *ctx, const struct store_user *u), void *ctx);
enum tacit_err memory_user_set_disabled(struct store *s, int64_t id, bool disabled);
enum tacit_err memory_user_set_admin(struct store *s, int64_t id, bool admin);
enum tacit_err memory_user_set_quota(struct store *s, int64_t id, int64_t quota_bytes);
enum tacit_err memory_user_usage(struct store *s, int64_t id, int64_t *bytes);
enum tacit_err memory_totp_use(struct store *s, int64_t user_id, int64_t step);
enum tacit_err memory_recovery_codes_set(
        struct store *s, int64_t user_id, const uint8_t (*hashes)[STORE_HASH_BYTES], size_t count);
enum tacit_err memory_recovery_code_use(
        struct store *s, int64_t user_id, const uint8_t hash[STORE_HASH_BYTES]);
enum tacit_err memory_session_create(struct store *s, int64_t user_id,
        const uint8_t token[STORE_HASH_BYTES], const uint8_t refresh[STORE_HASH_BYTES], int64_t now,
        int64_t expires_at, int64_t *id);
enum tacit_err memory_session_by_token(struct store *s, const uint8_t token[STORE_HASH_BYTES],
        int64_t now, struct store_session *out);
enum tacit_err memory_session_by_id(
        struct store *s, int64_t id, int64_t now, struct store_session *out);
enum tacit_err memory_session_refresh(struct store *s, const uint8_t old_refresh[STORE_HASH_BYTES],
        const uint8_t new_refresh[STORE_HASH_BYTES], int64_t now, int64_t expires_at,
        struct store_session *out);
enum tacit_err memory_session_end(struct store *s, int64_t id);
enum tacit_err memory_session_end_all(struct store *s, int64_t user_id, int64_t except_id);
enum tacit_err memory_session_tie(
        struct store *s, int64_t id, int64_t user_id, const struct tacit_device_id *device);
enum tacit_err memory_device_put(
        struct store *s, int64_t user_id, const struct tacit_device *d, int64_t now);
enum tacit_err memory_device_delete(struct store *s, int64_t user_id,
        const struct tacit_device_id *id, enum tacit_err (*ended)(void *ctx, int64_t session_id),
        void *ctx);
enum tacit_err memory_device_list(struct store *s, int64_t user_id,
        enum tacit_err (*row)(void *ctx, int64_t user_id, const struct tacit_device *d), void *ctx);
enum tacit_err memory_device_list_conversation(struct store *s, int64_t conversation_id,
        enum tacit_err (*row)(void *ctx, int64_t user_id, const struct tacit_device *d), void *ctx);
enum tacit_err memory_conversation_create(struct store *s, enum store_kind kind, int64_t creator_id,
        struct tacit_bytes name, const int64_t *members, size_t member_count, int64_t now,
        int64_t expires_at, int64_t *id, bool *existed);
enum tacit_err memory_conversation_get(struct store *s, int64_t id, int64_t user_id, int64_t now,
        enum tacit_err (*row)(void *ctx, const struct store_conversation *c), void *ctx);
enum tacit_err memory_conversation_list(struct store *s, int64_t user_id, int kind, int64_t now,
        enum tacit_err (*row)(void *ctx, const struct store_conversation *c), void *ctx);
enum tacit_err memory_conversation_ids(struct store *s, int64_t user_id, int64_t now,
        enum tacit_err (*row)(void *ctx, int64_t id), void *ctx);
enum tacit_err memory_conversation_member(
        struct store *s, int64_t id, int64_t user_id, int64_t now, struct store_member *out);
enum tacit_err memory_participant_list(struct store *s, int64_t id, int64_t user_id,
        enum tacit_err (*row)(void *ctx, const struct store_participant *p), void *ctx);
enum tacit_err memory_participant_add(struct store *s, int64_t id, int64_t user_id,
        int64_t new_user_id, unsigned max_participants, int64_t now);
enum tacit_err memory_participant_remove(struct store *s, int64_t id, int64_t user_id,
        int64_t removed_user_id, void (*gone)(void *ctx, const char *file_id), void *ctx);
enum tacit_err memory_conversation_set_message_ttl(
        struct store *s, int64_t id, int64_t user_id, int64_t seconds, int64_t now);
enum tacit_err memory_conversation_set_ends_when(
        struct store *s, int64_t id, int64_t user_id, enum store_ends_when ends_when, int64_t now);
enum tacit_err memory_conversation_close(struct store *s, int64_t id, int64_t user_id, int64_t now,
        void (*gone)(void *ctx, const char *file_id), void *ctx);
enum tacit_err memory_message_append(struct store *s, const struct store_new_message *m,
        struct store_message *out, bool *existed);
enum tacit_err memory_message_page(struct store *s, int64_t conversation_id, int64_t user_id,
        int64_t before, int64_t after, unsigned limit,
        enum tacit_err (*row)(void *ctx, const struct store_message *m), void *ctx, bool *more);
enum tacit_err memory_read_mark(struct store *s, int64_t conversation_id, int64_t user_id,
        int64_t message_id, int64_t now, bool *moved);
enum tacit_err memory_key_packages_add(
        struct store *s, const struct store_new_key_packages *p, struct store_stock *stock);
enum tacit_err memory_key_packages_count(struct store *s, int64_t user_id,
        const struct tacit_device_id *device, struct store_stock *out);
enum tacit_err memory_key_package_claim(struct store *s, int64_t conversation_id, int64_t user_id,
        const struct tacit_device_id *device, struct tacit_buf *out);
enum tacit_err memory_commit_append(struct store *s, const struct store_new_commit *c,
        struct store_message *out, bool *existed);
enum tacit_err memory_commit_list(struct store *s, int64_t conversation_id, int64_t user_id,
        int64_t epoch, unsigned limit,
        enum tacit_err (*row)(void *ctx, const struct store_message *m), void *ctx);
enum tacit_err memory_group_get(struct store *s, int64_t conversation_id, int64_t user_id,
        enum tacit_err (*row)(void *ctx, const struct store_group *g), void *ctx);
enum tacit_err memory_welcome_list(struct store *s, int64_t user_id,
        const struct tacit_device_id *device, unsigned limit,
        enum tacit_err (*row)(void *ctx, const struct store_welcome *w), void *ctx);
enum tacit_err memory_welcome_delete(
        struct store *s, int64_t user_id, const struct tacit_device_id *device, int64_t id);
enum tacit_err memory_key_get(
        struct store *s, int64_t conversation_id, int64_t user_id, struct tacit_buf *out);
enum tacit_err memory_key_put(struct store *s, int64_t conversation_id, int64_t user_id,
        struct tacit_bytes key, int64_t now);
enum tacit_err memory_file_create(struct store *s, const struct store_file *f, int64_t quota_bytes);
enum tacit_err memory_file_get(
        struct store *s, const char *id, int64_t user_id, struct store_file *out);
enum tacit_err memory_file_delete(struct store *s, const char *id, int64_t user_id);
enum tacit_err memory_file_exists(struct store *s, const char *id);
enum tacit_err memory_upload_create(
        struct store *s, const struct store_upload *u, int64_t quota_bytes);
enum tacit_err memory_upload_get(struct store *s, const char *id, int64_t user_id, int64_t now,
        enum tacit_err (*row)(void *ctx, const struct store_upload *u), void *ctx);
enum tacit_err memory_upload_set_length(
        struct store *s, const char *id, int64_t user_id, int64_t length, int64_t quota_bytes);
enum tacit_err memory_upload_advance(struct store *s, const char *id, int64_t user_id,
        int64_t from_offset, int64_t to_offset, int64_t expires_at);
enum tacit_err memory_upload_finish(
        struct store *s, const char *id, int64_t user_id, const uint8_t sha256[32], int64_t now);
enum tacit_err memory_upload_delete(struct store *s, const char *id, int64_t user_id);
enum tacit_err memory_parcel_create(
        struct store *s, const struct store_parcel *p, int64_t idle_s, int64_t room_bytes);
enum tacit_err memory_parcel_get(struct store *s, const char *id, struct store_parcel *out);
enum tacit_err memory_parcel_advance(
        struct store *s, const char *id, int64_t from_offset, int64_t to_offset, int64_t idle_s);
enum tacit_err memory_parcel_ready(struct store *s, const char *id);
enum tacit_err memory_parcel_claim(
        struct store *s, const char *id, const uint8_t token[STORE_HASH_BYTES], int64_t lapse_s);
enum tacit_err memory_parcel_claim_get(struct store *s, const char *id,
        const uint8_t token[STORE_HASH_BYTES], struct store_parcel_claim *out);
enum tacit_err memory_parcel_begin(
        struct store *s, const char *id, const uint8_t token[STORE_HASH_BYTES]);
enum tacit_err memory_parcel_release(
        struct store *s, const char *id, const uint8_t token[STORE_HASH_BYTES]);
enum tacit_err memory_parcel_commit(struct store *s, const char *id,
        const uint8_t token[STORE_HASH_BYTES], const uint8_t receipt[STORE_RECEIPT_BYTES],
        bool *ended);
enum tacit_err memory_parcel_revoke(struct store *s, const char *id);
enum tacit_err memory_parcel_claim_list(struct store *s, const char *id,
        enum tacit_err (*row)(void *ctx, const struct store_parcel_claim *c), void *ctx);
enum tacit_err memory_sweep(struct store *s, int64_t now, struct store_sweep *w);
enum tacit_err memory_counts(
        struct store *s, int64_t *users, int64_t *conversations, int64_t *messages, int64_t *files);
enum tacit_err memory_snapshot(struct store *s, const char *path);

#endif
