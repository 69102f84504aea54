/* reactions.c - the reactions to one message: a list of username, id and text, ascending by id.
 *
 * Each person has one place in it. What was taken back keeps its place with an empty text: an older
 * reaction of that person that comes late does not bring it back. */
#include "base/reader.h"
#include "base/writer.h"
#include "engine/changes_int.h"

static bool next(struct tacit_reader *r, struct tacit_reaction *out)
{
	if (r->rest.n == 0)
		return false;
	out->username = tacit_read_vec8(r, TACIT_MAX_USERNAME);
	out->id = tacit_read_u64(r);
	out->text = tacit_read_vec8(r, TACIT_MAX_REACTION);
	return r->err == TACIT_OK;
}

static void write(struct tacit_writer *w, const struct tacit_reaction *one)
{
	tacit_write_vec8(w, one->username);
	tacit_write_u64(w, one->id);
	tacit_write_vec8(w, one->text);
}

bool tacit_reactions_valid(struct tacit_bytes list)
{
	struct tacit_reader r = tacit_reader(list);
	struct tacit_reaction one;
	while (next(&r, &one))
		continue;
	return tacit_reader_end(&r) == TACIT_OK;
}

static bool is_outdated(struct tacit_bytes list, const struct tacit_reaction *fresh)
{
	struct tacit_reader r = tacit_reader(list);
	struct tacit_reaction one;
	while (next(&r, &one))
		if (tacit_name_same(one.username, fresh->username) && one.id >= fresh->id)
			return true;
	return false;
}

enum tacit_err tacit_reactions_put(struct tacit_bytes list, const struct tacit_reaction *one,
        struct tacit_buf *out, bool *changed)
{
	struct tacit_reader r = tacit_reader(list);
	struct tacit_writer w = tacit_writer(out);
	struct tacit_reaction other;
	bool written = false;
	*changed = !is_outdated(list, one);
	if (!*changed)
		return TACIT_OK;
	while (next(&r, &other)) {
		if (tacit_name_same(other.username, one->username))
			continue;
		if (!written && other.id > one->id)
			write(&w, one);
		written |= other.id > one->id;
		write(&w, &other);
	}
	if (!written)
		write(&w, one);
	return tacit_writer_finish(&w);
}

enum tacit_err tacit_reactions_show(struct tacit_bytes list, struct tacit_buf *out)
{
	enum tacit_err err = TACIT_OK;
	struct tacit_reader r = tacit_reader(list);
	struct tacit_reaction one;
	size_t start = out->n;
	while (err == TACIT_OK && next(&r, &one))
		if (one.text.n > 0)
			err = tacit_buf_printf(out, "%s%.*s %.*s", out->n > start ? "\n" : "",
			        (int)one.username.n, (const char *)one.username.p, (int)one.text.n,
			        (const char *)one.text.p);
	return err;
}
