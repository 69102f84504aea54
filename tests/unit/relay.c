#include "wire/relay.h"

#include <string.h>

#include "support/tap.h"

static const uint8_t id[TACIT_RELAY_ID_BYTES] = {1, 2, 3};

static struct tacit_bytes id_view(void)
{
	return tacit_bytes(id, sizeof(id));
}

static void messages_come_back(void)
{
	const struct tacit_relay_message all[] = {
	        {.type = TACIT_RELAY_DATA, .data = TACIT_STR("sealed")},
	        {.type = TACIT_RELAY_DATA},
	        {.type = TACIT_RELAY_NAMEPLATE, .nameplate = 123456789},
	        {.type = TACIT_RELAY_PAIRED},
	        {.type = TACIT_RELAY_ENDED, .end = TACIT_RELAY_LEFT},
	        {.type = TACIT_RELAY_WRONG},
	        {.type = TACIT_RELAY_KNOWN_AS, .role = 1, .data = id_view()},
	};
	for (size_t i = 0; i < TACIT_COUNT(all); i++) {
		struct tacit_buf b = {0};
		struct tacit_relay_message m;
		CHECK_OK(tacit_relay_write(&b, &all[i]));
		CHECK_OK(tacit_relay_read(tacit_buf_view(&b), &m));
		CHECK_INT(m.type, all[i].type);
		CHECK_INT(m.nameplate, all[i].nameplate);
		CHECK_INT(m.end, all[i].end);
		CHECK_INT(m.role, all[i].role);
		CHECK_BYTES(m.data, all[i].data);
		if (m.type != TACIT_RELAY_DATA) {
			for (size_t n = 0; n < b.n; n++)
				CHECK(tacit_relay_read(tacit_bytes(b.p, n), &m) != TACIT_OK);
			CHECK_OK(tacit_buf_append(&b, TACIT_STR("x")));
			CHECK_ERR(tacit_relay_read(tacit_buf_view(&b), &m), TACIT_E_TRAILING);
		}
		tacit_buf_clear(&b);
	}
}

static void nonsense_is_refused(void)
{
	struct tacit_relay_message m;
	struct tacit_buf b = {0};
	static uint8_t long_one[TACIT_RELAY_MAX_MESSAGE + 1];
	CHECK_ERR(tacit_relay_read(TACIT_STR("\6"), &m), TACIT_E_MALFORMED);
	CHECK_ERR(tacit_relay_read(TACIT_STR("\3\0"), &m), TACIT_E_MALFORMED);
	CHECK_ERR(tacit_relay_read(TACIT_STR("\3\x63"), &m), TACIT_E_MALFORMED);
	CHECK_ERR(tacit_relay_read(tacit_bytes(long_one, sizeof(long_one)), &m), TACIT_E_TOO_LARGE);
	m = (struct tacit_relay_message){.type = TACIT_RELAY_KNOWN_AS, .data = TACIT_STR("short")};
	CHECK_ERR(tacit_relay_write(&b, &m), TACIT_E_USAGE);
	CHECK_INT(b.n, 0);
	m = (struct tacit_relay_message){
	        .type = TACIT_RELAY_KNOWN_AS, .role = 2, .data = id_view()};
	CHECK_ERR(tacit_relay_write(&b, &m), TACIT_E_USAGE);
	tacit_buf_clear(&b);
}

static enum tacit_err write_once(void)
{
	struct tacit_buf b = {0};
	const struct tacit_relay_message m = {
	        .type = TACIT_RELAY_KNOWN_AS, .role = 1, .data = id_view()};
	enum tacit_err err = tacit_relay_write(&b, &m);
	tacit_buf_clear(&b);
	return err;
}

static void memory_may_fail(void)
{
	tap_alloc_sweep(write_once);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"messages come back", messages_come_back},
	        {"nonsense is refused", nonsense_is_refused},
	        {"memory may fail", memory_may_fail},
	};
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
