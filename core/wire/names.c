#include "wire/names.h"

#include <string.h>

#include "base/utf8.h"
#include "wire/limits.h"

static const char specials[] = "!@#$%^&*()_+-=[]{}|;:,.<>?";

static bool is_letter(uint32_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(uint32_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_one_of(uint32_t c, const char *set)
{
	return c > 0 && c < 0x80 && strchr(set, (int)c) != NULL;
}

bool tacit_username_valid(struct tacit_bytes name)
{
	if (name.n == 0 || name.n > TACIT_MAX_USERNAME)
		return false;
	for (size_t i = 0; i < name.n; i++) {
		uint8_t c = name.p[i];
		if (!is_letter(c) && !is_digit(c) && !is_one_of(c, "._-"))
			return false;
	}
	return !tacit_bytes_eq(name, TACIT_STR(".")) && !tacit_bytes_eq(name, TACIT_STR(".."));
}

size_t tacit_username_lower(struct tacit_bytes name, uint8_t *out)
{
	size_t n = name.n < TACIT_MAX_USERNAME ? name.n : TACIT_MAX_USERNAME;
	for (size_t i = 0; i < n; i++) {
		uint8_t c = name.p[i];
		out[i] = c >= 'A' && c <= 'Z' ? (uint8_t)(c + 'a' - 'A') : c;
	}
	return n;
}

/* Dots separate; none at the ends, no two in a row (RFC 5321 4.1.2 dot-string and domain). */
static bool dots_fit(struct tacit_bytes part)
{
	if (part.n == 0 || part.p[0] == '.' || part.p[part.n - 1] == '.')
		return false;
	for (size_t i = 1; i < part.n; i++)
		if (part.p[i] == '.' && part.p[i - 1] == '.')
			return false;
	return true;
}

bool tacit_email_valid(struct tacit_bytes email)
{
	if (email.n == 0 || email.n > TACIT_MAX_EMAIL)
		return false;
	const uint8_t *at = memchr(email.p, '@', email.n);
	if (at == NULL)
		return false;
	size_t local_n = (size_t)(at - email.p);
	struct tacit_bytes local = tacit_bytes_part(email, 0, local_n);
	struct tacit_bytes domain = tacit_bytes_part(email, local_n + 1, email.n);
	if (local.n > 64 || !dots_fit(local) || !dots_fit(domain))
		return false;
	for (size_t i = 0; i < local.n; i++) {
		uint8_t c = local.p[i];
		if (c <= ' ' || c >= 0x7f || is_one_of(c, "\"(),:;<>[\\]"))
			return false;
	}
	for (size_t i = 0; i < domain.n; i++) {
		uint8_t c = domain.p[i];
		if (!is_letter(c) && !is_digit(c) && !is_one_of(c, ".-"))
			return false;
	}
	return domain.p[0] != '-' && domain.p[domain.n - 1] != '-';
}

bool tacit_conversation_name_valid(struct tacit_bytes name)
{
	size_t count = 0;
	while (name.n > 0) {
		uint32_t c;
		size_t n = tacit_utf8_next(name, &c);
		if (n == 0 || tacit_utf8_is_control(c) || ++count > TACIT_MAX_CONVERSATION_NAME)
			return false;
		name = tacit_bytes(name.p + n, name.n - n);
	}
	return count > 0;
}

const char *tacit_password_problem(struct tacit_bytes password)
{
	if (password.n > TACIT_MAX_PASSWORD)
		return "Password must be at most 1024 bytes long";
	size_t count = 0;
	bool letter = false;
	bool digit = false;
	bool special = false;
	while (password.n > 0) {
		uint32_t c;
		size_t n = tacit_utf8_next(password, &c);
		if (n == 0)
			return "Password must be valid UTF-8 text";
		count++;
		letter |= is_letter(c) || c >= 0xc0;
		digit |= is_digit(c);
		special |= is_one_of(c, specials);
		password = tacit_bytes(password.p + n, password.n - n);
	}
	if (count < 8)
		return "Password must be at least 8 characters long";
	if (!letter)
		return "Password must contain at least one letter";
	if (!digit)
		return "Password must contain at least one digit";
	return special ? NULL : "Password must contain at least one special character";
}

static struct tacit_bytes last_component(struct tacit_bytes name)
{
	size_t from = 0;
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] == '/' || name.p[i] == '\\')
			from = i + 1;
	return tacit_bytes_part(name, from, name.n);
}

/* Device names that Windows finds in every folder, whatever follows the first dot. */
static bool is_reserved(const char *name)
{
	static const char *const bare[] = {"con", "prn", "aux", "nul"};
	static const char *const numbered[] = {"com", "lpt"};
	char stem[5] = {0};
	size_t n = strcspn(name, ".");
	if (n < 3 || n > 4)
		return false;
	for (size_t i = 0; i < n; i++)
		stem[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] + 32) : name[i];
	for (size_t i = 0; n == 3 && i < TACIT_COUNT(bare); i++)
		if (strcmp(stem, bare[i]) == 0)
			return true;
	for (size_t i = 0; n == 4 && i < TACIT_COUNT(numbered); i++)
		if (strncmp(stem, numbered[i], 3) == 0 && is_digit((uint8_t)stem[3]))
			return true;
	return false;
}

void tacit_file_name_safe(struct tacit_bytes name, char *out)
{
	name = last_component(name);
	size_t n = 0;
	while (name.n > 0) {
		uint32_t c;
		size_t step = tacit_utf8_next(name, &c);
		bool bad = step == 0 || tacit_utf8_is_control(c) || is_one_of(c, "<>:\"|?*");
		/* A dot hides, a dash reads as an option, a tilde as a home. */
		bad |= n == 0 && is_one_of(c, ".-~ ");
		size_t width = bad ? 1 : step;
		if (width > TACIT_MAX_FILE_NAME - n)
			break;
		if (bad)
			out[n] = '_';
		else
			memcpy(out + n, name.p, width);
		n += width;
		step = step > 0 ? step : 1;
		name = tacit_bytes(name.p + step, name.n - step);
	}
	/* Windows drops these at the end, and finds another name then. */
	for (size_t i = n; i > 0 && (out[i - 1] == '.' || out[i - 1] == ' '); i--)
		out[i - 1] = '_';
	if (n == 0) {
		memcpy(out, "file", 4);
		n = 4;
	}
	out[n] = 0;
	if (is_reserved(out))
		out[0] = '_';
}
