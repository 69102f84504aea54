/* effects.h - lists of effects: built in the stages of one step, handed over whole or not at all.
 */
#ifndef TACIT_ENGINE_EFFECTS_H
#define TACIT_ENGINE_EFFECTS_H

#include "engine/engine.h"

/* A new empty effect at the end; *out is valid until the next one is added. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_effects_add(
        struct tacit_effects *fx, enum tacit_effect_kind kind, struct tacit_effect **out);
/* A DELIVER effect with a copy of the notice. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_effects_deliver(
        struct tacit_effects *fx, const struct tacit_notice *n);
/* Moves the effects of all the lists, in order, to the end of to. On error nothing has moved.
 * Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_effects_move(
        struct tacit_effects *to, struct tacit_effects *lists, size_t count);

#endif
