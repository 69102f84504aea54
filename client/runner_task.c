/* What waits for the runner's thread: a command of its own bytes, so that the screen's may go. */
#include "base/alloc.h"
#include "client/runner_int.h"

void task_free(struct task *t)
{
	if (t == NULL)
		return;
	tacit_content_wipe(&t->content);
	tacit_buf_clear(&t->bytes);
	tacit_free(t->users);
	tacit_free(t);
}

/* Reserved in one piece before the first: the views must not move. */
static struct tacit_bytes keep(struct tacit_buf *bytes, struct tacit_bytes view)
{
	size_t at = bytes->n;
	if (view.n == 0)
		return tacit_bytes(NULL, 0);
	tacit_ignore(tacit_buf_append(bytes, view), "the room was reserved");
	return tacit_bytes(bytes->p + at, view.n);
}

static size_t size_of(const struct tacit_command *c)
{
	size_t n = c->username.n + c->email.n + c->text.n;
	for (size_t i = 0; i < c->user_count; i++)
		n += c->users[i].n;
	if (c->content != NULL)
		n += c->content->text.n + c->content->file.id.n + c->content->file.name.n +
		     c->content->file.type.n;
	return n;
}

enum tacit_err task_copy_command(struct task *t, const struct tacit_command *c)
{
	enum tacit_err err;
	TRY(tacit_buf_reserve(&t->bytes, size_of(c) + 1));
	t->command = *c;
	t->command.username = keep(&t->bytes, c->username);
	t->command.email = keep(&t->bytes, c->email);
	t->command.text = keep(&t->bytes, c->text);
	if (c->user_count > 0) {
		t->users = tacit_calloc(c->user_count, sizeof(*t->users));
		if (t->users == NULL)
			TRY(TACIT_E_NOMEM);
		for (size_t i = 0; i < c->user_count; i++)
			t->users[i] = keep(&t->bytes, c->users[i]);
	}
	t->command.users = t->users;
	if (c->content == NULL)
		goto out;
	t->content = *c->content;
	t->content.text = keep(&t->bytes, c->content->text);
	t->content.file.id = keep(&t->bytes, c->content->file.id);
	t->content.file.name = keep(&t->bytes, c->content->file.name);
	t->content.file.type = keep(&t->bytes, c->content->file.type);
	t->command.content = &t->content;
out:
	return err;
}
