/* The people and their devices as they are right after login, before the devices are published.
 * Made once a program: passwords cost what they should. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/sim.h"

#define PASSWORD "correct horse 1!"

static struct {
	struct model_server server;
	struct sim_store stores[SIM_DEVICES], published[SIM_DEVICES];
	json_t *devices[SIM_DEVICES]; /* as the server has them once they are published */
	bool publishes;
	struct sim_random random;
	struct tacit_env env;
	bool ready;
} cast;

static const char *const names[SIM_PERSONS] = {"anna", "bert", "cleo", "dora"};

const char *sim_person_name(unsigned person)
{
	return names[person];
}

static int64_t before_all(void *ctx)
{
	(void)ctx;
	return SIM_EPOCH - 3600;
}

/* What is published is kept apart. */
static bool reaches_server(const struct tacit_effect *send)
{
	return cast.publishes || strcmp((const char *)send->path.p, "/api/devices") != 0;
}

static void carry_out(
        struct tacit_engine *e, struct sim_store *store, struct tacit_effects *fx, uint64_t depth)
{
	if (depth > 16)
		abort();
	for (size_t i = 0; i < fx->count; i++) {
		struct tacit_effect *one = &fx->list[i];
		bool profile = one->kind == TACIT_EFFECT_PROFILE;
		sim_store_keep(store, one);
		store->secret.n = 0;
		if ((profile || store->profile.n > 0) &&
		        tacit_buf_append(&store->secret, tacit_engine_account_secret(e)) !=
		                TACIT_OK)
			abort();
		if (one->kind != TACIT_EFFECT_SEND)
			continue;
		struct model_answer got = {0};
		struct tacit_effects next = {0};
		const struct model_request r = {one->method, (const char *)one->path.p,
		        tacit_engine_cookie(e), tacit_buf_view(&one->data)};
		if (reaches_server(one))
			model_server_answer(&cast.server, &r, &got);
		const struct tacit_http_answer a = {got.status, tacit_buf_view(&got.body),
		        tacit_cstr(got.cookie), tacit_cstr(got.cookie_name)};
		if (tacit_engine_answer(e, one->request, &a, &next) != TACIT_OK)
			abort();
		carry_out(e, store, &next, depth + 1);
		model_answer_clear(&got);
	}
	tacit_effects_clear(fx);
}

static void command(struct tacit_engine *e, struct sim_store *store, const struct tacit_command *c)
{
	struct tacit_effects fx = {0};
	uint64_t op;
	if (tacit_engine_command(e, c, &op, &fx) != TACIT_OK)
		abort();
	carry_out(e, store, &fx, 0);
}

static void publish(unsigned device, struct tacit_engine *e)
{
	json_t *user = model_user(&cast.server, names[device / SIM_DEVICES_EACH]);
	json_t *devices = json_object_get(user, "devices");
	sim_store_copy(&cast.published[device], &cast.stores[device]);
	cast.publishes = true;
	command(e, &cast.published[device], &(struct tacit_command){.kind = TACIT_CMD_SYNC});
	cast.publishes = false;
	if (json_array_size(devices) != 1)
		abort();
	cast.devices[device] = json_incref(json_array_get(devices, 0));
	json_array_clear(devices);
}

static void log_in(unsigned device)
{
	struct tacit_engine *e;
	struct sim_store *store = &cast.stores[device];
	const char *name = names[device / SIM_DEVICES_EACH];
	char email[64];
	snprintf(email, sizeof(email), "%s@example.org", name);
	struct tacit_command c = {.kind = TACIT_CMD_REGISTER,
	        .username = tacit_cstr(name),
	        .email = tacit_cstr(email),
	        .password = TACIT_STR(PASSWORD),
	        .code = TACIT_STR("123456")};
	if (tacit_engine_new(&cast.env, &e) != TACIT_OK)
		abort();
	if (device % SIM_DEVICES_EACH == 0) {
		command(e, store, &c);
		c.kind = TACIT_CMD_VERIFY_TOTP;
	} else
		c.kind = TACIT_CMD_LOGIN;
	command(e, store, &c);
	if (store->profile.n == 0 || store->records.count == 0)
		abort();
	publish(device, e);
	tacit_engine_free(e);
}

void sim_cast_init(void)
{
	cast.random = (struct sim_random){1};
	cast.env = (struct tacit_env){before_all, sim_fill, &cast.random};
	model_server_init(&cast.server);
	cast.server.now = before_all(NULL);
	for (unsigned i = 0; i < SIM_DEVICES; i++)
		log_in(i);
	cast.ready = true;
}

void sim_cast_clear(void)
{
	model_server_clear(&cast.server);
	for (unsigned i = 0; i < SIM_DEVICES; i++) {
		sim_store_clear(&cast.stores[i]);
		sim_store_clear(&cast.published[i]);
		json_decref(cast.devices[i]);
	}
	cast.ready = false;
}

void sim_cast_enter(struct sim_world *w)
{
	if (!cast.ready)
		sim_cast_init();
	json_decref(w->server.state);
	w->server.state = json_deep_copy(cast.server.state);
	if (w->server.state == NULL)
		abort();
	for (unsigned i = 0; i < SIM_DEVICES; i++)
		sim_store_copy(&w->devices[i].store, &cast.stores[i]);
}

void sim_cast_publish(struct sim_world *w, unsigned device)
{
	json_t *user = model_user(&w->server, names[device / SIM_DEVICES_EACH]);
	json_array_append_new(
	        json_object_get(user, "devices"), json_deep_copy(cast.devices[device]));
	sim_store_copy(&w->devices[device].store, &cast.published[device]);
	snprintf(w->devices[device].id, sizeof(w->devices[device].id), "%s",
	        json_string_value(json_object_get(cast.devices[device], "id")));
}
