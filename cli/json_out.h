/* json_out.h - the machine's output: one JSON object per line on stdout, pure ASCII.
 *
 * The shapes are documented in tacit(1), "JSON OUTPUT". */
#ifndef TACIT_CLI_JSON_OUT_H
#define TACIT_CLI_JSON_OUT_H

#include <stdio.h>

#include "engine/engine.h"
#include "wire/json.h"

/* A fresh object of this type; NULL when out of memory: the calls below take that. */
json_t *json_out_new(const char *type);
/* Text that is not UTF-8 is left out; it was refused long before it came here. */
void json_out_text(json_t *object, const char *name, struct tacit_bytes text);
void json_out_number(json_t *object, const char *name, uint64_t n);
void json_out_bool(json_t *object, const char *name, bool b);
void json_out_time(json_t *object, const char *name, int64_t unix_seconds);
/* The lines of text as an array of strings. */
void json_out_lines(json_t *object, const char *name, struct tacit_bytes text);
/* Prints and frees. */
void json_out_print(FILE *to, json_t *object);

/* A notice as it is documented; DONE and FAILED print nothing. */
void json_out_notice(FILE *to, const struct tacit_notice *n);

#endif
