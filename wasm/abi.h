/* abi.h - what the module exports: the engine, and the keys of files, as flat calls.
 *
 * Whoever calls writes what it has to say into room that it took with `alloc`, and gives it back
 * with `free`, which wipes it. A call that can fail returns an enum tacit_err (0: it did what it
 * should; `error_name` says what the others are called), and what it has to say lies in the
 * *answer*: bytes at `answer`, `answer_size` of them, until the next call or `answer_wipe`. Any
 * call may move the memory's end, so a view of it is made anew behind each.
 *
 * Integers in the answers are big-endian; `text` is UTF-8 with its length (u32) before it, `bytes`
 * likewise; a `word` is a name of a closed list (wasm/words.c) with its length in one byte before
 * it.
 *
 *   effects   u32 count, then each: word kind and
 *             persist: id[16] bytes           profile: bytes      log: tag[16] u64 position bytes
 *             purge: tag[16] u64 from u64 until                   recall: u64 request tag[16] u64
 * position send: u64 request word method text path bytes body  deliver: notice live: text name text
 * body       cookie: bytes notice    word kind, u64 op, word error ("" for none), text text, text
 * detail, text username, u64 conversation, u64 message, word conversation kind ("" for none), text
 * title, text members, u64 count, u64 seconds, u64 time, u8 flag, u8 1 and content, or u8 0 content
 * word kind, text text, u64 reply to, u64 message; file also: text id, text name, text type, u64
 * size, text token command   word kind, text username, text email, text text, bytes password, bytes
 * code, u64 conversation, u64 message, u64 seconds, u8 flag, u32 count and texts: users, u8 1 and
 * content, or u8 0
 *
 * One thread. Handles of engines and digests are this module's own numbers; a wrong one is a bug of
 * the caller's that nothing finds. */
#ifndef TACIT_WASM_ABI_H
#define TACIT_WASM_ABI_H

#include "base/err.h"
#include "e2e/file_digest.h"
#include "engine/engine.h"
#include "wire/file_header.h"

#ifdef __wasm__
#define TACIT_EXPORT(name) __attribute__((export_name(name)))
#else /* tests, under sanitizers */
#define TACIT_EXPORT(name)
#endif

/* --- room.c: memory, answers, names of errors ------------------------------------------------- */

/* NULL: out of memory. n is given back to free, too. */
TACIT_EXPORT("alloc") uint8_t *tacit_wasm_alloc(size_t n);
TACIT_EXPORT("free") void tacit_wasm_free(uint8_t *p, size_t n);
TACIT_EXPORT("answer") const uint8_t *tacit_wasm_answer(void);
TACIT_EXPORT("answer_size") size_t tacit_wasm_answer_size(void);
TACIT_EXPORT("answer_wipe") void tacit_wasm_answer_wipe(void);
/* The answer: a text without a length. */
TACIT_EXPORT("error_name") enum tacit_err tacit_wasm_error_name(enum tacit_err e);
TACIT_EXPORT("error_text") enum tacit_err tacit_wasm_error_text(enum tacit_err e);

/* --- engine.c: engine/engine.h, whose errors these are ---------------------------------------- */

/* Both: the answer is the engine's handle, u32. */
TACIT_EXPORT("engine_create") enum tacit_err tacit_wasm_engine_create(void);
TACIT_EXPORT("engine_open")
enum tacit_err tacit_wasm_engine_open(const uint8_t *profile, size_t n);
TACIT_EXPORT("engine_free") void tacit_wasm_engine_free(struct tacit_engine *e);

TACIT_EXPORT("engine_unlock")
enum tacit_err tacit_wasm_engine_unlock(struct tacit_engine *e, const uint8_t *password, size_t n);
TACIT_EXPORT("engine_unlock_with_secret")
enum tacit_err tacit_wasm_engine_unlock_with_secret(
        struct tacit_engine *e, const uint8_t *secret, size_t n);
/* The answer: the account secret, empty when locked. */
TACIT_EXPORT("engine_account_secret")
enum tacit_err tacit_wasm_engine_account_secret(struct tacit_engine *e);
/* record: id[16] and what was sealed. */
TACIT_EXPORT("engine_restore")
enum tacit_err tacit_wasm_engine_restore(struct tacit_engine *e, const uint8_t *record, size_t n);

/* The answer: u64 op, effects. */
TACIT_EXPORT("engine_command")
enum tacit_err tacit_wasm_engine_command(struct tacit_engine *e, const uint8_t *command, size_t n);
/* The answers to these: effects.
 *
 * The session cookie is HttpOnly: no script sees it, and the browser keeps it and sends it. The
 * engine only asks whether there is one; so a success brings it a placeholder, and what says that
 * the session is over comes from the server (401), as it does everywhere. */
TACIT_EXPORT("engine_answer")
enum tacit_err tacit_wasm_engine_answer(
        struct tacit_engine *e, uint64_t request, int status, const uint8_t *body, size_t n);
/* sealed: what the history has there; empty: nothing. */
TACIT_EXPORT("engine_recalled")
enum tacit_err tacit_wasm_engine_recalled(
        struct tacit_engine *e, uint64_t request, const uint8_t *sealed, size_t n);
TACIT_EXPORT("engine_live_up") enum tacit_err tacit_wasm_engine_live_up(struct tacit_engine *e);
TACIT_EXPORT("engine_live_down") void tacit_wasm_engine_live_down(struct tacit_engine *e);
/* event: text name, text body. */
TACIT_EXPORT("engine_live_event")
enum tacit_err tacit_wasm_engine_live_event(struct tacit_engine *e, const uint8_t *event, size_t n);
TACIT_EXPORT("engine_tick") enum tacit_err tacit_wasm_engine_tick(struct tacit_engine *e);
/* note: text name, bytes value. */
TACIT_EXPORT("engine_note_put")
enum tacit_err tacit_wasm_engine_note_put(struct tacit_engine *e, const uint8_t *note, size_t n);

/* Unix seconds; infinity: never. */
TACIT_EXPORT("engine_due") double tacit_wasm_engine_due(const struct tacit_engine *e);
enum { TACIT_WASM_ACCOUNT = 1, TACIT_WASM_LOCKED = 2, TACIT_WASM_LOGGED_IN = 4 };
TACIT_EXPORT("engine_state") unsigned tacit_wasm_engine_state(const struct tacit_engine *e);
/* The answer: the name without a length. */
TACIT_EXPORT("engine_username")
enum tacit_err tacit_wasm_engine_username(const struct tacit_engine *e);
/* The answer: tag[16]. */
TACIT_EXPORT("engine_log_tag")
enum tacit_err tacit_wasm_engine_log_tag(const struct tacit_engine *e, uint64_t conversation);
/* entry: tag[16], u64 position and what was sealed. The answer: notice. */
TACIT_EXPORT("engine_log_open")
enum tacit_err tacit_wasm_engine_log_open(struct tacit_engine *e, const uint8_t *entry, size_t n);
/* The answers to these: u32 count, then notices. */
TACIT_EXPORT("engine_conversations")
enum tacit_err tacit_wasm_engine_conversations(const struct tacit_engine *e);
TACIT_EXPORT("engine_outgoing")
enum tacit_err tacit_wasm_engine_outgoing(const struct tacit_engine *e);
/* The answer: the value. */
TACIT_EXPORT("engine_note_get")
enum tacit_err tacit_wasm_engine_note_get(
        const struct tacit_engine *e, const uint8_t *name, size_t n);

/* --- files.c: keys of files, each behind a token ---------------------------------------------- */

/* A token says nothing of its key, and is worth something in this module only. It is a text. */

/* A new file's key and header. The answer: its token. */
TACIT_EXPORT("file_new") enum tacit_err tacit_wasm_file_new(void);
/* The answer: key and header, TACIT_WASM_FILE_KEPT_BYTES; secret. Fails: NOT_FOUND. */
TACIT_EXPORT("file_kept") enum tacit_err tacit_wasm_file_kept(const uint8_t *token, size_t n);
/* The answer: the token for what file_kept gave. Fails: MALFORMED, UNSUPPORTED. */
TACIT_EXPORT("file_again") enum tacit_err tacit_wasm_file_again(const uint8_t *kept, size_t n);
/* The answer: the first bytes of the sealed form of a file that is being sent. Fails: NOT_FOUND. */
TACIT_EXPORT("file_header") enum tacit_err tacit_wasm_file_header(const uint8_t *token, size_t n);
/* d is of all of the sealed form. From now on content may name the token. Fails: NOT_FOUND. */
TACIT_EXPORT("file_sealed")
enum tacit_err tacit_wasm_file_sealed(
        const struct tacit_file_digest *d, const uint8_t *token, size_t n);
/* Is d what the message says of the file? Fails: BAD_SEAL, NOT_FOUND. */
TACIT_EXPORT("file_check")
enum tacit_err tacit_wasm_file_check(
        const struct tacit_file_digest *d, const uint8_t *token, size_t n);
/* token and then the header. The answer: u32 plaintext bytes per chunk, u8 1 when digests are fed
 * with SHA-256s of chunks, key[32] (secret, AES-256-GCM), and the additional data of every chunk.
 * Fails: NOT_FOUND, MALFORMED, UNSUPPORTED.
 */
TACIT_EXPORT("file_stream")
enum tacit_err tacit_wasm_file_stream(const uint8_t *token_and_header, size_t n);
/* The answer: the nonces of the chunks from first on and before until, at most TACIT_WASM_NONCES;
 * last is the number of the file's last one. Fails: EXHAUSTED, USAGE. */
TACIT_EXPORT("file_nonces")
enum tacit_err tacit_wasm_file_nonces(uint64_t first, uint64_t last, uint64_t until);
#define TACIT_WASM_NONCES 1024
/* Wipes all keys: no token is worth anything any more. */
TACIT_EXPORT("files_forget") void tacit_wasm_files_forget(void);

#define TACIT_WASM_FILE_KEPT_BYTES (TACIT_FILE_KEY_BYTES + TACIT_FILE_HEADER_BYTES)

/* e2e/file_digest.h. The answer: the digest's handle, u32. Fails: MALFORMED, UNSUPPORTED. */
TACIT_EXPORT("digest_new") enum tacit_err tacit_wasm_digest_new(const uint8_t *header, size_t n);
/* Fails: MALFORMED. */
TACIT_EXPORT("digest_feed")
enum tacit_err tacit_wasm_digest_feed(struct tacit_file_digest *d, const uint8_t *p, size_t n);
/* The answer: 32 bytes, of all that came so far. */
TACIT_EXPORT("digest_peek")
enum tacit_err tacit_wasm_digest_peek(const struct tacit_file_digest *d);
/* Fails: BAD_SEAL, when that is not what is wanted. */
TACIT_EXPORT("digest_check")
enum tacit_err tacit_wasm_digest_check(
        const struct tacit_file_digest *d, const uint8_t *want, size_t n);
TACIT_EXPORT("digest_free") void tacit_wasm_digest_free(struct tacit_file_digest *d);

#endif
