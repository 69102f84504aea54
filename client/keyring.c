#include "client/keyring.h"

#include <keyutils.h>
#include <stdio.h>

#include "crypto/encoding.h"
#include "crypto/hash.h"

#define MAX_SECRET 64
#define NAME_BYTES 16

/* The user's bits are what counts: a later login session may not possess the user keyring. */
#define PERMISSIONS                                                                                \
	(KEY_POS_ALL | KEY_USR_VIEW | KEY_USR_READ | KEY_USR_WRITE | KEY_USR_SEARCH |              \
	        KEY_USR_SETATTR | KEY_USR_LINK)

struct name {
	char text[sizeof("tacit:") + 2 * NAME_BYTES];
};

static struct name name_of(const char *folder)
{
	struct name name;
	uint8_t digest[TACIT_SHA256_BYTES];
	char hex[2 * NAME_BYTES + 1];
	tacit_sha256(tacit_cstr(folder), digest);
	tacit_hex(tacit_bytes(digest, NAME_BYTES), hex);
	snprintf(name.text, sizeof(name.text), "tacit:%s", hex);
	return name;
}

static key_serial_t find(const char *folder)
{
	struct name name = name_of(folder);
	return (key_serial_t)keyctl_search(KEY_SPEC_USER_KEYRING, "user", name.text, 0);
}

/* Permissions can be set only on a key that this process possesses, and it need not possess the
 * user keyring: so the key is made in the process keyring and then linked. */
enum tacit_err keyring_put(const char *folder, struct tacit_bytes secret)
{
	struct name name = name_of(folder);
	keyring_forget(folder);
	key_serial_t key = add_key("user", name.text, secret.p, secret.n, KEY_SPEC_PROCESS_KEYRING);
	if (key < 0)
		return TACIT_E_UNSUPPORTED;
	bool kept = keyctl_setperm(key, PERMISSIONS) == 0 &&
	            keyctl_set_timeout(key, KEYRING_SECONDS) == 0 &&
	            keyctl_link(key, KEY_SPEC_USER_KEYRING) == 0;
	keyctl_unlink(key, KEY_SPEC_PROCESS_KEYRING);
	return kept ? TACIT_OK : TACIT_E_UNSUPPORTED;
}

enum tacit_err keyring_get(const char *folder, struct tacit_secret *out)
{
	enum tacit_err err;
	uint8_t room[MAX_SECRET];
	key_serial_t key = find(folder);
	if (key < 0)
		return TACIT_E_NOT_FOUND;
	long n = keyctl_read(key, (char *)room, sizeof(room));
	if (n <= 0 || n > (long)sizeof(room))
		TRY(TACIT_E_NOT_FOUND);
	TRY(tacit_secret_copy(out, tacit_bytes(room, (size_t)n)));
	keyctl_set_timeout(key, KEYRING_SECONDS);
out:
	tacit_wipe(room, sizeof(room));
	return err;
}

void keyring_forget(const char *folder)
{
	key_serial_t key = find(folder);
	if (key < 0)
		return;
	keyctl_revoke(key);
	keyctl_unlink(key, KEY_SPEC_USER_KEYRING);
}
