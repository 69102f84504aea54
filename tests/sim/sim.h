/* sim.h - a small world from one seed: people with devices, a model server, a network that delays,
 * loses and doubles, machines that fail between any two steps. Everything in it is decided by the
 * seed, so that a failing one can be looked at again.
 *
 * A run goes through three parts: life (sim_life.c), rest (everything good, everybody syncs until
 * nothing changes), and the verdict (sim_verdict.c). */
#ifndef TACIT_TESTS_SIM_H
#define TACIT_TESTS_SIM_H

#include <stdbool.h>
#include <stdint.h>
#include "base/attr.h"
#include "base/buf.h"
#include "base/env.h"
#include "engine/engine.h"
#include "sim/model_server.h"

#define SIM_PERSONS 4
#define SIM_DEVICES_EACH 3
#define SIM_DEVICES (SIM_PERSONS * SIM_DEVICES_EACH)
#define SIM_EPOCH 1700000000 /* when every world begins, Unix seconds */

/* --- random.c: repeatable, not secret -----------------------------------------------------------
 */

struct sim_random {
	uint64_t state;
};
uint64_t sim_next(struct sim_random *r);
uint64_t sim_below(struct sim_random *r, uint64_t n); /* 0 when n is 0 */
bool sim_chance(struct sim_random *r, unsigned in_ten_thousand);
void sim_fill(void *random, uint8_t *out, size_t n); /* for struct tacit_env */

/* --- sim_store.c: what a machine keeps ----------------------------------------------------------
 */

struct sim_row {
	struct tacit_record_id id;
	uint64_t position; /* of a log entry */
	struct tacit_buf data;
};

struct sim_rows {
	struct sim_row *list;
	size_t count, cap;
};

struct sim_store {
	struct sim_rows records, log;
	struct tacit_buf profile, secret; /* secret: as the machine's keyring has it */
};

void sim_store_clear(struct sim_store *s);
void sim_store_copy(struct sim_store *to, const struct sim_store *from);
/* An entry of the history; empty: there is none. */
struct tacit_bytes sim_store_entry(
        const struct sim_store *s, const struct tacit_record_id *tag, uint64_t position);
/* What sorts before SEND; moves the bytes out of fx. */
void sim_store_keep(struct sim_store *s, struct tacit_effect *fx);

/* --- sim_device.c: the host of one engine -------------------------------------------------------
 */

struct sim_world;

enum sim_power {
	SIM_ABSENT, /* not bought yet */
	SIM_ON,
	SIM_OFF,     /* fell over; comes back */
	SIM_REVOKED, /* for good */
};

struct sim_command { /* one under way */
	uint64_t op;
	enum tacit_command_kind kind;
	size_t said; /* SEND: which saying, from 1 */
};

struct sim_backup {
	struct sim_store store;
	bool there;
	uint64_t taken_at;
	json_int_t newest; /* message of the server at that time */
};

#define SIM_ROOMS 16
struct sim_live { /* a live connection */
	bool up;
	unsigned number;
	json_int_t rooms[SIM_ROOMS]; /* joined, at the server */
	size_t room_count;
	uint64_t last_said, last_told; /* what comes later is heard later */
};

struct sim_glance { /* that was looked at already */
	json_int_t conversation;
	uint64_t epoch;
};

struct sim_device {
	struct sim_world *world;
	unsigned index, person;
	char name[16]; /* person.number */
	char id[33];   /* as the server knows it */
	struct sim_random random;
	struct tacit_env env;
	struct tacit_engine *engine;
	struct sim_store store;
	struct sim_backup backup;
	enum sim_power power;
	unsigned life;   /* counts restarts: answers to a former one are dropped */
	int until_crash; /* effects that are still carried out; -1: no end */
	struct sim_command commands[8];
	size_t command_count;
	struct sim_live live;
	struct sim_glance glances[SIM_ROOMS]; /* since the last boot */
	size_t glance_count;
	json_int_t lost_from, lost_to; /* messages that a restored backup did not have */
	unsigned restored;             /* times */
};

void sim_device_boot(struct sim_device *d); /* from its store */
void sim_device_crash(struct sim_device *d);
/* False: could not be begun. said: of a SEND. */
bool sim_device_command(struct sim_device *d, const struct tacit_command *c, size_t said);
void sim_device_answer(struct sim_device *d, uint64_t request, const struct tacit_http_answer *a);
struct sim_event;
enum sim_step { SIM_LIVE_UP, SIM_LIVE_EVENT, SIM_TICK };
void sim_device_step(struct sim_device *d, enum sim_step what, const struct sim_event *e);
void sim_device_clear(struct sim_device *d);

/* --- sim_network.c: what is under way, by virtual time ------------------------------------------
 */

enum sim_event_kind { SIM_REQUEST, SIM_ANSWER, SIM_SAID, SIM_TOLD, SIM_BOOT, SIM_TURN };

struct sim_event {
	uint64_t time; /* ms */
	uint64_t order;
	enum sim_event_kind kind;
	unsigned device, life; /* SAID, TOLD: life is the number of the connection */
	uint64_t request;
	enum tacit_http_method method;
	struct tacit_buf path, body, cookie; /* SAID, TOLD: path is the event's name */
	bool copy;    /* of a request that came twice: nobody waits for the answer */
	bool unheard; /* its answer gets lost */
	struct model_answer answer;
};

struct sim_weather { /* chances in ten thousand */
	unsigned lose_request, lose_answer, twice, slow, crash, backup, restore, live, forget;
	unsigned delay; /* ms, typical */
};

struct sim_events {
	struct sim_event *list; /* a heap */
	size_t count, cap;
	uint64_t next_order;
};

void sim_push(struct sim_world *w, struct sim_event *e); /* moves it */
void sim_send(struct sim_device *d, const struct tacit_effect *send);
void sim_later(struct sim_world *w, uint64_t in, enum sim_event_kind kind, unsigned device);
bool sim_next_event(struct sim_world *w, struct sim_event *out);
void sim_arrive(struct sim_world *w, struct sim_event *e); /* at the server */
void sim_event_clear(struct sim_event *e);

/* --- sim_live.c ---------------------------------------------------------------------------------
 */

void sim_live_up(struct sim_device *d);
void sim_live_down(struct sim_device *d);
void sim_live_say(struct sim_device *d, const struct tacit_effect *fx);
void sim_live_heard_by_server(struct sim_world *w, struct sim_event *e);
void sim_live_tell(void *world, json_int_t conversation, const char *event, const json_t *body);
void sim_live_told(struct sim_world *w, struct sim_event *e);

/* --- sim_world.c --------------------------------------------------------------------------------
 */

/* Something that somebody said. */
enum sim_fate {
	SIM_UNKNOWN, /* the machine fell over, or nobody knows: may have been sent or not */
	SIM_SENT,    /* acknowledged, or kept: must arrive */
	SIM_UNSENT,  /* refused, and not kept: must not arrive */
};

struct sim_saying {
	unsigned device;
	enum tacit_content_kind kind; /* TEXT, or what is said about the saying `about` */
	size_t about;
	bool empty;              /* REACTION: taken back */
	json_int_t conversation; /* 0: not known to who said it */
	enum sim_fate fate;
	json_int_t message;        /* where it stands; 0: not known yet */
	uint8_t told[SIM_DEVICES]; /* MESSAGE notices; of TEXT */
	uint32_t heard;            /* bit: device that was told of the change */
	uint32_t lost;             /* bit: device that was told, before a backup was put back */
	uint64_t epoch;            /* in which it was sealed; set when it is judged */
};

/* What is known of an epoch of a conversation: all who are in it agree. */
struct sim_epoch {
	json_int_t conversation;
	uint64_t number;
	uint8_t fingerprint[32];
	uint32_t leaves;  /* bit: device */
	uint32_t present; /* bit: device that was seen in it */
	bool strangers;   /* a leaf that is no device of the world */
};

struct sim_departure { /* has left a conversation, or was removed, at some time */
	json_int_t conversation;
	unsigned person;
};

/* A device by which a person leaves has no keys any more from then on: what it has not read by
 * then, and what the others say before they know, is not read on it, even by who comes back. Nor do
 * the devices of somebody whom another one puts out read what they had not read, or what was said
 * meanwhile, if they have to come anew. */
struct sim_absence {
	json_int_t conversation, until; /* a message; 0: it is still away */
	unsigned device;
	bool put_out;           /* by another one, or another device */
	json_int_t since, back; /* put_out: the newest messages when that was, and when let in */
	uint64_t epoch;         /* in which it came back */
};

/* A device whose store was put back seals with keys that it has used; whose message comes second,
 * is lost to those who have opened the first. */
#define SIM_REPLAYS 64
struct sim_replay {
	unsigned device;
	json_int_t message;
};

struct sim_options {
	uint64_t seed;
	unsigned steps;
	bool trace;
	bool calm; /* no weather at all */
};

struct sim_world {
	struct sim_options options;
	struct sim_random random;
	uint64_t time; /* ms since SIM_EPOCH */
	struct model_server server;
	struct sim_device devices[SIM_DEVICES];
	unsigned persons;
	struct sim_weather weather;
	struct sim_events events;
	struct sim_saying *sayings; /* from 1 */
	size_t saying_count, saying_cap;
	struct sim_epoch *epochs;
	size_t epoch_count, epoch_cap;
	struct sim_departure *departures;
	size_t departure_count, departure_cap;
	struct sim_absence *absences;
	size_t absence_count, absence_cap;
	struct sim_replay replays[SIM_REPLAYS];
	size_t replay_count;
	unsigned turns; /* left */
	bool resting;
	bool forgot;     /* the server has lost something */
	uint64_t digest; /* of all that happened */
	unsigned faults;
	struct { /* how much happened */
		unsigned crashes, restores, lost, forgot, commits, messages, read, changes, folded;
	} count;
};

void sim_world_init(struct sim_world *w, const struct sim_options *o);
void sim_world_clear(struct sim_world *w);
/* True: nothing was wrong. */
bool sim_run(struct sim_world *w);

/* A line for --trace; also what the digest is over. */
TACIT_PRINTF(3, 4)
void sim_trace(struct sim_world *w, const struct sim_device *d, const char *fmt, ...);
/* Something is wrong. */
TACIT_PRINTF(2, 3) void sim_fault(struct sim_world *w, const char *fmt, ...);
const char *sim_person_name(unsigned person);
struct sim_device *sim_device_by_id(struct sim_world *w, const char *hex);

/* --- sim_cast.c: the people and their devices, made once (it costs Argon2id) ---------------------
 */

void sim_cast_init(void);
void sim_cast_clear(void);
/* Every device as it was right after its login, not published yet; the server knows all people. */
void sim_cast_enter(struct sim_world *w);
/* That one is published already, with its key packages. */
void sim_cast_publish(struct sim_world *w, unsigned device);

/* --- sim_life.c: what people do -----------------------------------------------------------------
 */

void sim_turn(struct sim_device *d);
void sim_sync(struct sim_device *d);
json_int_t sim_newest(const struct sim_world *w); /* message at the server */
void sim_say(struct sim_device *d, json_int_t conversation);
/* An edit, a deletion or a reaction, of something that the device has. False: there is nothing. */
bool sim_change(struct sim_device *d);
/* Devices of the same person that are lost, and that the server still counts. */
void sim_revoke_lost(struct sim_device *d);

/* --- sim_verdict.c ------------------------------------------------------------------------------
 */

void sim_hear(struct sim_device *d, const struct tacit_notice *n);
/* SEND has ended well. */
void sim_acknowledge(struct sim_device *d, size_t said, const struct tacit_notice *n);
/* After a boot: what was told is what the history has. */
void sim_recall(struct sim_device *d);
void sim_look_at_groups(struct sim_device *d); /* after each step that was persisted */
/* Changes as long as anything changes anywhere. */
uint64_t sim_state_of_things(const struct sim_world *w);
void sim_judge(struct sim_world *w);

/* --- sim_changes.c ------------------------------------------------------------------------------
 */

/* The saying of which a content is; 0: of none. */
size_t sim_saying_of(const struct sim_world *w, const struct tacit_content *content);
/* Whether that device must have read what was said at the place of a saying, may have, or must not.
 */
enum sim_reading { SIM_MUST, SIM_MAY, SIM_MUST_NOT };
enum sim_reading sim_reading_of(
        struct sim_world *w, const struct sim_saying *s, const struct sim_device *d);
/* EDITED, DELETED and REACTION notices. */
void sim_hear_change(struct sim_device *d, const struct tacit_notice *n);
/* All who have heard the same have the same in their histories. */
void sim_judge_changes(struct sim_world *w);

/* --- sim_absence.c ------------------------------------------------------------------------------
 */

void sim_note_leaving(struct sim_device *d, json_int_t conversation);
/* What the server tells: who has come and who has left. */
void sim_note_change(struct sim_world *w, json_int_t conversation, const json_t *body);
/* The device is in the group, in that epoch. */
void sim_note_presence(struct sim_device *d, json_int_t conversation, uint64_t epoch);
bool sim_was_away(
        const struct sim_world *w, const struct sim_device *d, const struct sim_saying *s);

/* --- sim_look.c: into an engine -----------------------------------------------------------------
 */

struct sim_look {
	uint64_t epoch;
	uint8_t fingerprint[32];
	uint32_t leaves;
	bool strangers, pending, outbox;
};
void sim_note_id(struct sim_device *d);
/* False: the device is in no group of that conversation. */
bool sim_look(struct sim_device *d, json_int_t conversation, struct sim_look *out);
/* The same at a glance, for each step: the epoch alone, and only where the engine itself has looked
 * at the group since it was restored. */
bool sim_glance(struct sim_device *d, json_int_t conversation, uint64_t *epoch);
/* The commit by which the device came into the group; 0: it is not in it. */
json_int_t sim_joined(struct sim_device *d, json_int_t conversation);
/* The epoch in which a message was sealed (RFC 9420 6, 6.3). False: it cannot be told. */
bool sim_epoch_of(const char *content_base64, uint64_t *epoch);

#endif
