/* limits.h - every length that a decoder accepts, in one place. Bytes unless said otherwise. */
#ifndef TACIT_WIRE_LIMITS_H
#define TACIT_WIRE_LIMITS_H

#define TACIT_MAX_USERNAME 24
#define TACIT_MAX_EMAIL 254 /* RFC 5321 4.5.3.1.3 less the brackets */
#define TACIT_MAX_PASSWORD 1024
#define TACIT_MAX_CONVERSATION_NAME 200 /* code points */
#define TACIT_MAX_FILE_NAME 255
#define TACIT_MAX_MIME_TYPE 127
#define TACIT_MAX_FILE_ID 64                    /* letters, digits, '-', '_': it goes into a URL */
#define TACIT_MAX_TEXT (64 * 1024)              /* text of one message */
#define TACIT_MAX_REACTION 32
#define TACIT_MAX_CONTENT (80 * 1024)           /* the padded plaintext of one message */
#define TACIT_MAX_ENVELOPE (512 * 1024)         /* one sealed message */
#define TACIT_MAX_COMMIT (4 * 1024 * 1024)      /* one commit of a large group */
#define TACIT_MAX_GROUP_INFO (12 * 1024 * 1024) /* with its ratchet tree; also one Welcome */
#define TACIT_MAX_DEVICES_PER_USER 16
#define TACIT_MAX_PARTICIPANTS 256
#define TACIT_MAX_RECIPIENTS (TACIT_MAX_PARTICIPANTS * TACIT_MAX_DEVICES_PER_USER)
/* Devices of one account that a conversation remembers, past ones included. */
#define TACIT_MAX_SENDERS_PER_ACCOUNT 64
#define TACIT_MAX_JSON_DEPTH 16
#define TACIT_MAX_JSON_BODY                                                                        \
	(24 * 1024 * 1024)                  /* a commit of a large group; most calls allow less */
#define TACIT_MAX_WRAPPED_KEY 4096          /* encrypted_private_key, wrapped conversation key */
#define TACIT_MAX_INTEGER ((1LL << 53) - 1) /* what a JavaScript number holds exactly */

#define TACIT_DEVICE_ID_BYTES 16
#define TACIT_FILE_KEY_BYTES 32

#endif
