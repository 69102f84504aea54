#include <string.h>

#include "support/tap.h"
#include "wire/eio.h"
#include "wire/sio.h"

static void engine_packets(void)
{
	struct tacit_eio_packet p;
	struct tacit_buf b = {0};
	CHECK_OK(tacit_eio_parse(TACIT_STR("2probe"), &p));
	CHECK_INT(p.type, TACIT_EIO_PING);
	CHECK_BYTES(p.data, TACIT_STR("probe"));
	CHECK_OK(tacit_eio_write(&b, TACIT_EIO_PONG, p.data));
	CHECK_BYTES(tacit_buf_view(&b), TACIT_STR("3probe"));
	CHECK_ERR(tacit_eio_parse(TACIT_STR(""), &p), TACIT_E_MALFORMED);
	CHECK_ERR(tacit_eio_parse(TACIT_STR("7"), &p), TACIT_E_MALFORMED);
	CHECK_ERR(tacit_eio_parse(TACIT_STR("abc"), &p), TACIT_E_MALFORMED);
	CHECK_ERR(tacit_eio_parse(TACIT_STR("bAQID"), &p), TACIT_E_MALFORMED);
	tacit_buf_clear(&b);
}

static void polling_bodies(void)
{
	struct tacit_bytes body = TACIT_STR("4hello\x1e"
	                                    "2\x1e"
	                                    "bAQIDBA==");
	struct tacit_eio_payload p = {.rest = body};
	struct tacit_eio_packet packet;
	struct tacit_buf again = {0};
	size_t n = 0;
	enum tacit_err err;
	while ((err = tacit_eio_payload_next(&p, &packet)) == TACIT_OK) {
		size_t most = again.n + tacit_eio_payload_bytes(&packet);
		CHECK_OK(tacit_eio_payload_append(&again, &packet));
		CHECK(again.n == most || again.n + 1 == most);
		n++;
	}
	CHECK_ERR(err, TACIT_E_NOT_FOUND);
	CHECK_INT(n, 3);
	CHECK_BYTES(tacit_buf_view(&again), body);
	CHECK(packet.data.p == NULL);
	tacit_eio_payload_clear(&p);
	tacit_buf_clear(&again);
}

static void polling_bodies_that_are_none(void)
{
	static const char *const bad[] = {"", "abc", "4a\x1e",
	        "\x1e"
	        "4a",
	        "4a\x1e\x1e"
	        "4b",
	        "bAQID*", "bA",
	        "4ok\x1e"
	        "8"};
	for (size_t i = 0; i < TACIT_COUNT(bad); i++) {
		struct tacit_eio_payload p = {.rest = tacit_cstr(bad[i])};
		struct tacit_eio_packet packet;
		enum tacit_err err;
		do
			err = tacit_eio_payload_next(&p, &packet);
		while (err == TACIT_OK);
		CHECK_ERR(err, TACIT_E_MALFORMED);
		tacit_eio_payload_clear(&p);
	}
}

static void handshakes(void)
{
	struct tacit_buf b = {0};
	struct tacit_eio_open o = {.sid = "lv_VI97HAXpY6yYWAAAC",
	                              .may_upgrade = true,
	                              .ping_interval_ms = 25000,
	                              .ping_timeout_ms = 20000,
	                              .max_payload = 1000000},
	                      back;
	CHECK_OK(tacit_eio_open_write(&b, &o));
	CHECK_BYTES(tacit_buf_view(&b),
	        TACIT_STR("{\"sid\":\"lv_VI97HAXpY6yYWAAAC\",\"upgrades\":[\"websocket\"],"
	                  "\"pingInterval\":25000,\"pingTimeout\":20000,\"maxPayload\":1000000}"));
	CHECK_OK(tacit_eio_open_read(tacit_buf_view(&b), &back));
	CHECK(strcmp(back.sid, o.sid) == 0 && back.may_upgrade);
	CHECK_INT(back.ping_interval_ms, 25000);
	CHECK_INT(back.ping_timeout_ms, 20000);
	CHECK_INT(back.max_payload, 1000000);
	memcpy(o.sid, "a\"b", 4);
	CHECK_ERR(tacit_eio_open_write(&b, &o), TACIT_E_BAD_NAME);
	tacit_buf_clear(&b);
	static const char *const bad[] = {"[]", "{}",
	        "{\"sid\":\"\",\"pingInterval\":1,\"pingTimeout\":1}",
	        "{\"sid\":\"a\\nb\",\"pingInterval\":1,\"pingTimeout\":1}",
	        "{\"sid\":\"a\",\"pingInterval\":0,\"pingTimeout\":1}",
	        "{\"sid\":\"a\",\"pingInterval\":1,\"pingTimeout\":999999999999}",
	        "{\"sid\":\"a\",\"pingInterval\":1"};
	for (size_t i = 0; i < TACIT_COUNT(bad); i++)
		CHECK_ERR(tacit_eio_open_read(tacit_cstr(bad[i]), &back), TACIT_E_MALFORMED);
}

static void socket_packets_both_ways(void)
{
	const struct {
		const char *text;
		struct tacit_sio_packet want;
	} good[] = {
	        {"0", {TACIT_SIO_CONNECT, 0, TACIT_STR("/"), -1, {0}}},
	        {"0{\"token\":\"123\"}", {TACIT_SIO_CONNECT, 0, TACIT_STR("/"), -1,
	                                         TACIT_STR("{\"token\":\"123\"}")}},
	        {"0/custom,", {TACIT_SIO_CONNECT, 0, TACIT_STR("/custom"), -1, {0}}},
	        {"1/custom,", {TACIT_SIO_DISCONNECT, 0, TACIT_STR("/custom"), -1, {0}}},
	        {"2456[\"a\",1]",
	                {TACIT_SIO_EVENT, 0, TACIT_STR("/"), 456, TACIT_STR("[\"a\",1]")}},
	        {"2/custom,[\"a\"]",
	                {TACIT_SIO_EVENT, 0, TACIT_STR("/custom"), -1, TACIT_STR("[\"a\"]")}},
	        {"3/custom,9007199254740991[]", {TACIT_SIO_ACK, 0, TACIT_STR("/custom"),
	                                                9007199254740991, TACIT_STR("[]")}},
	        {"4{\"message\":\"no\"}", {TACIT_SIO_CONNECT_ERROR, 0, TACIT_STR("/"), -1,
	                                          TACIT_STR("{\"message\":\"no\"}")}},
	        {"52-/x,7[\"a\",{\"_placeholder\":true,\"num\":1}]",
	                {TACIT_SIO_BINARY_EVENT, 2, TACIT_STR("/x"), 7,
	                        TACIT_STR("[\"a\",{\"_placeholder\":true,\"num\":1}]")}},
	        {"61-0[]", {TACIT_SIO_BINARY_ACK, 1, TACIT_STR("/"), 0, TACIT_STR("[]")}},
	};
	for (size_t i = 0; i < TACIT_COUNT(good); i++) {
		struct tacit_sio_packet p;
		struct tacit_buf b = {0};
		json_t *data = NULL;
		CHECK_OK(tacit_sio_parse(tacit_cstr(good[i].text), &p));
		CHECK_INT(p.type, good[i].want.type);
		CHECK_INT(p.attachments, good[i].want.attachments);
		CHECK_INT(p.ack, good[i].want.ack);
		CHECK_BYTES(p.path, good[i].want.path);
		CHECK_BYTES(p.data, good[i].want.data);
		CHECK_OK(tacit_sio_data(&p, &data));
		CHECK((data != NULL) == (p.data.n > 0));
		CHECK_OK(tacit_sio_write(&b, &p));
		CHECK_BYTES(tacit_buf_view(&b), tacit_cstr(good[i].text));
		json_decref(data);
		tacit_buf_clear(&b);
	}
}

static void socket_packets_that_are_none(void)
{
	static const struct {
		const char *text;
		enum tacit_err err;
	} bad[] = {
	        {"", TACIT_E_MALFORMED},
	        {"7", TACIT_E_MALFORMED},
	        {"abc", TACIT_E_MALFORMED},
	        {"5[]", TACIT_E_MALFORMED},
	        {"50-[]", TACIT_E_MALFORMED},
	        {"5-[]", TACIT_E_MALFORMED},
	        {"51[]", TACIT_E_MALFORMED},
	        {"511-[]", TACIT_E_TOO_LARGE},
	        {"5999999999999999999999-[]", TACIT_E_TOO_LARGE},
	        {"29007199254740992[]", TACIT_E_TOO_LARGE},
	        {"3[]", TACIT_E_MALFORMED},
	        {"012", TACIT_E_MALFORMED},
	        {"2/,/,[]", TACIT_E_MALFORMED},
	        {"2/a b,[]", TACIT_E_MALFORMED},
	        {"0/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	                TACIT_E_TOO_LARGE},
	};
	struct tacit_sio_packet p;
	for (size_t i = 0; i < TACIT_COUNT(bad); i++)
		CHECK_ERR(tacit_sio_parse(tacit_cstr(bad[i].text), &p), bad[i].err);
	static const char *const bad_data[] = {"0[]", "0\"a\"", "1{}", "2", "2{}", "2[]", "2[1]",
	        "2[\"disconnect\"]", "2[\"connect_error\",1]", "2[\"a\"", "2[\"a\"]x", "4", "4[]",
	        "31{}", "51-[\"a\",{\"_placeholder\":true,\"num\":1}]",
	        "51-[\"a\",{\"b\":[{\"_placeholder\":true,\"num\":-1}]}]",
	        "51-[\"a\",{\"_placeholder\":true}]", "2abc[\"a\"]"};
	for (size_t i = 0; i < TACIT_COUNT(bad_data); i++) {
		json_t *data = NULL;
		CHECK_OK(tacit_sio_parse(tacit_cstr(bad_data[i]), &p));
		CHECK_ERR(tacit_sio_data(&p, &data), TACIT_E_MALFORMED);
		CHECK(data == NULL);
	}
}

static void attachments_come_together(void)
{
	struct tacit_sio_assembly a = {0};
	bool whole = true;
	struct tacit_bytes text = TACIT_STR("52-[\"a\"]");
	CHECK_ERR(tacit_sio_assembly_add(&a, text, 100, &whole), TACIT_E_MALFORMED);
	CHECK_ERR(tacit_sio_assembly_begin(&a, text, 0, 100), TACIT_E_MALFORMED);
	CHECK_ERR(tacit_sio_assembly_begin(&a, text, 11, 100), TACIT_E_TOO_LARGE);
	CHECK_ERR(tacit_sio_assembly_begin(&a, text, 2, 7), TACIT_E_TOO_LARGE);
	CHECK(!tacit_sio_assembling(&a));
	CHECK_OK(tacit_sio_assembly_begin(&a, text, 2, 14));
	CHECK(tacit_sio_assembling(&a));
	CHECK_ERR(tacit_sio_assembly_begin(&a, text, 2, 100), TACIT_E_MALFORMED);
	CHECK_OK(tacit_sio_assembly_add(&a, TACIT_STR("123"), 14, &whole));
	CHECK(!whole);
	CHECK_ERR(tacit_sio_assembly_add(&a, TACIT_STR("1234"), 14, &whole), TACIT_E_TOO_LARGE);
	CHECK_OK(tacit_sio_assembly_add(&a, TACIT_STR(""), 14, &whole));
	CHECK(whole);
	CHECK_ERR(tacit_sio_assembly_add(&a, TACIT_STR(""), 14, &whole), TACIT_E_MALFORMED);
	CHECK_BYTES(tacit_buf_view(&a.attachments[0]), TACIT_STR("123"));
	CHECK_BYTES(tacit_buf_view(&a.text), text);
	tacit_sio_assembly_clear(&a);
	CHECK(!tacit_sio_assembling(&a));
}

static enum tacit_err everything(void)
{
	enum tacit_err err;
	bool whole;
	json_t *data = NULL;
	struct tacit_buf b = {0};
	struct tacit_sio_packet p;
	struct tacit_eio_packet e;
	struct tacit_eio_open o = {.sid = "abc", .ping_interval_ms = 1, .ping_timeout_ms = 1};
	struct tacit_sio_assembly a = {0};
	struct tacit_eio_payload body = {.rest = TACIT_STR("bAQIDBA==")};
	TRY(tacit_eio_payload_next(&body, &e));
	TRY(tacit_eio_payload_append(&b, &e));
	b.n = 0;
	TRY(tacit_eio_open_write(&b, &o));
	TRY(tacit_eio_open_read(tacit_buf_view(&b), &o));
	TRY(tacit_sio_parse(TACIT_STR("51-[\"a\",{\"_placeholder\":true,\"num\":0}]"), &p));
	TRY(tacit_sio_data(&p, &data));
	TRY(tacit_sio_assembly_begin(&a, TACIT_STR("51-[\"a\"]"), 1, 100));
	TRY(tacit_sio_assembly_add(&a, TACIT_STR("b"), 100, &whole));
	TRY(tacit_sio_write(&b, &p));
out:
	json_decref(data);
	tacit_buf_clear(&b);
	tacit_eio_payload_clear(&body);
	tacit_sio_assembly_clear(&a);
	return err;
}

static void copes_without_memory(void)
{
	tap_alloc_sweep(everything);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"Engine.IO packets", engine_packets},
	        {"polling bodies, both ways", polling_bodies},
	        {"polling bodies that are none", polling_bodies_that_are_none},
	        {"handshakes, both ways", handshakes},
	        {"Socket.IO packets, both ways", socket_packets_both_ways},
	        {"Socket.IO packets that are none", socket_packets_that_are_none},
	        {"attachments come together, within bounds", attachments_come_together},
	        {"copes without memory", copes_without_memory},
	};
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
