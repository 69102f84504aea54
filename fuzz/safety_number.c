#include <stdlib.h>
#include <string.h>

#include "e2e/safety_number.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool letter(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Copies what counts of a text; the end of what a text may hold and still be the same. */
static size_t bare(const uint8_t *text, size_t n, bool words, uint8_t *out, size_t room)
{
	size_t count = 0;
	for (size_t i = 0; i < n && count < room; i++)
		if (words ? letter(text[i]) : text[i] >= '0' && text[i] <= '9')
			out[count++] = words ? text[i] | 0x20 : text[i];
	return count;
}

/* The same is what has the digits, or the letters, and no more and no less of them. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct tacit_safety ours;
	uint8_t theirs[512], own[512];
	const struct tacit_sign_public one = {{1}}, two = {{2}};
	bool words = false;
	if (ours.digits[0] == '\0')
		tacit_safety_number(&one, TACIT_STR("Alice"), &two, TACIT_STR("bob"), &ours);
	for (size_t i = 0; i < size; i++)
		words |= letter(data[i]);
	const char *text = words ? ours.words : ours.digits;
	size_t n = bare(data, size, words, theirs, sizeof(theirs));
	size_t m = bare((const uint8_t *)text, strlen(text), words, own, sizeof(own));
	bool same = n == m && memcmp(theirs, own, n) == 0;
	if (tacit_safety_same(&ours, tacit_bytes(data, size)) != same)
		abort();
	if (same && !tacit_safety_formed(tacit_bytes(data, size)))
		abort();
	return 0;
}
