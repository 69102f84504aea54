/* What is typed and sent: messages, and commands behind a slash. */
#include <string.h>

#include "cli/about.h"
#include "cli/duration.h"
#include "cli/screen/state.h"
#include "wire/names.h"

#define TYPING_EVERY 3 /* seconds */

/* --- messages -------------------------------------------------------------------------------- */

static void send_text(struct screen *s, struct dialog_text said)
{
	struct dialog *d = model_chosen(&s->model);
	if (d == NULL) {
		model_flash(&s->model, true, TACIT_STR("To whom? Begin with /chat USER."));
		return;
	}
	if (d->gone) {
		model_flash(&s->model, true, TACIT_STR("This conversation is over."));
		return;
	}
	const struct tacit_content content = {.kind = TACIT_CONTENT_TEXT,
	        .sent_at = screen_now(s),
	        .text = said.text,
	        .reply_to = said.reply_to};
	const struct tacit_command send = {
	        .kind = TACIT_CMD_SEND, .conversation = d->id, .content = &content};
	struct wish wish = {.kind = WISH_SEND, .conversation = d->id};
	enum tacit_err err = runner_post(s->runner, &send, &wish.ticket);
	if (err == TACIT_OK) {
		wish_keep(s, &wish);
		err = dialog_add_waiting(d, wish.ticket, screen_now(s), said);
	}
	if (err != TACIT_OK) {
		model_flash(&s->model, true, tacit_cstr(tacit_err_text(err)));
		return;
	}
	d->anchor = (struct anchor){.following = true};
	d->fresh = 0;
	tacit_ignore(edit_sent(&s->edit), "then it is not remembered");
}

static void tell_typing(struct screen *s, uint64_t conversation, bool typing)
{
	const struct tacit_command tell = {
	        .kind = TACIT_CMD_TYPING, .conversation = conversation, .flag = typing};
	if (s->model.link == RUNNER_ONLINE)
		wish_post(s, &tell, &(struct wish){.kind = WISH_QUIET});
}

void screen_tell_typing(struct screen *s)
{
	const struct dialog *d = model_chosen(&s->model);
	struct tacit_bytes text = edit_text(&s->edit);
	bool typing = s->mode == MODE_TYPING && d != NULL && text.n > 0 && text.p[0] != '/';
	uint64_t where = typing ? d->id : 0;
	if (s->typing_in != 0 && s->typing_in != where)
		tell_typing(s, s->typing_in, false);
	if (typing && (s->typing_in != where || screen_now(s) >= s->typing_said + TYPING_EVERY)) {
		tell_typing(s, where, true);
		s->typing_said = screen_now(s);
	}
	s->typing_in = where;
}

/* --- commands -------------------------------------------------------------------------------- */

#define HELP_COLUMN 20

static const char keys_help[] =
        "Tab, Ctrl-N, Ctrl-P   other conversations; Alt-1 to Alt-9: by number\n"
        "PageUp, PageDown, End scroll\n"
        "Alt-Enter             a new line in the same message\n"
        "Ctrl-F                search\n"
        "Ctrl-G                fetch the newest file\n"
        "Ctrl-Y, Ctrl-_        put back what Ctrl-K, -U, -W took; undo";

static void do_help(struct screen *s)
{
	enum tacit_err err;
	struct tacit_buf text = {0};
	for (size_t i = 0; i < slash_command_count; i++) {
		const struct slash_command *c = &slash_commands[i];
		int pad = HELP_COLUMN - (int)(strlen(c->name) + strlen(c->args));
		TRY(tacit_buf_printf(
		        &text, "/%s %s%*s%s\n", c->name, c->args, pad > 1 ? pad : 1, "", c->help));
	}
	TRY(tacit_buf_append(&text, tacit_cstr(keys_help)));
	screen_say(s, ENTRY_ASIDE, tacit_buf_view(&text));
out:
	tacit_buf_clear(&text);
	if (err != TACIT_OK)
		s->broken = err;
}

static void do_chat(struct screen *s, const char *name)
{
	const struct dialog *d = model_named(&s->model, name);
	const struct tacit_command resolve = {
	        .kind = TACIT_CMD_RESOLVE, .username = tacit_cstr(name)};
	for (size_t i = 0; i < s->model.count && d != NULL; i++)
		if (s->model.dialogs[i] == d) {
			screen_choose(s, i);
			return;
		}
	if (tacit_username_valid(tacit_cstr(name)))
		wish_post(s, &resolve, &(struct wish){.kind = WISH_CHAT});
	else
		model_flash(&s->model, true,
		        TACIT_STR("No conversation, or more than one, has that name."));
}

/* What is said about a message shows itself when it is done. */
static void do_about(struct screen *s, const struct slash *c)
{
	struct about a;
	struct tacit_content content;
	const struct dialog *d = model_chosen(&s->model);
	struct tacit_bytes verb = tacit_cstr(c->command->name);
	if (d == NULL || d->gone || !about_parse(verb, c->count > 0 ? c->words[0] : "", &a)) {
		model_flash(&s->model, true, TACIT_STR("There is no conversation to say it in."));
		return;
	}
	uint64_t message = a.message != 0 ? a.message : dialog_newest(d, a.own);
	const char *problem = about_content(&a, message, &content);
	if (problem != NULL) {
		model_flash(&s->model, true, tacit_cstr(problem));
		return;
	}
	if (a.kind == TACIT_CONTENT_TEXT) {
		send_text(s, (struct dialog_text){content.text, content.reply_to});
		return;
	}
	const struct tacit_command send = {
	        .kind = TACIT_CMD_SEND, .conversation = d->id, .content = &content};
	wish_post(s, &send, &(struct wish){.kind = WISH_SAID, .conversation = d->id});
}

/* The dialog that a command about one other person needs. NULL: told. */
static struct dialog *direct_dialog(struct screen *s)
{
	struct dialog *d = model_chosen(&s->model);
	if (d != NULL && d->kind == TACIT_DIRECT)
		return d;
	model_flash(&s->model, true,
	        TACIT_STR("That is about one person: go to them first, with /chat USER."));
	return NULL;
}

static void ask_number(struct screen *s, const struct dialog *d)
{
	const struct tacit_command ask = {
	        .kind = TACIT_CMD_SAFETY_NUMBER, .username = tacit_buf_view(&d->username)};
	wish_post(s, &ask, &(struct wish){.kind = WISH_SAFETY, .conversation = d->id});
}

/* Only for the number that was shown here: the engine refuses when the key is another by now. */
static void confirm(struct screen *s, const struct dialog *d, enum tacit_command_kind kind)
{
	bool same = tacit_bytes_eq(tacit_buf_view(&s->safety_of), tacit_buf_view(&d->username));
	bool fits = s->safety_changed == (kind == TACIT_CMD_ACCEPT_KEY);
	if (!same || s->safety_of.n == 0 || s->safety[0] == '\0' || !fits) {
		ask_number(s, d);
		return;
	}
	const struct tacit_command set = {.kind = kind,
	        .username = tacit_buf_view(&d->username),
	        .text = tacit_cstr(s->safety)};
	wish_post(s, &set,
	        &(struct wish){.kind = WISH_VERIFIED,
	                .conversation = d->id,
	                .done = kind == TACIT_CMD_ACCEPT_KEY ? "The new key is trusted from now on."
	                                                     : "Verified."});
	s->safety[0] = '\0';
}

static void do_key(struct screen *s, const struct slash *c, enum tacit_command_kind kind)
{
	struct dialog *d = direct_dialog(s);
	if (d == NULL)
		return;
	if (c->count == 1 && strcmp(c->words[0], "yes") == 0)
		confirm(s, d, kind);
	else
		ask_number(s, d);
}

static void do_members(struct screen *s)
{
	enum tacit_err err = TACIT_OK;
	struct tacit_buf text = {0};
	const struct dialog *d = model_chosen(&s->model);
	if (d == NULL)
		return;
	TRY(tacit_buf_printf(&text, "%zu in the conversation:\n", d->member_count));
	TRY(tacit_buf_append(&text, tacit_buf_view(&d->members)));
	screen_say(s, ENTRY_ASIDE, tacit_buf_view(&text));
out:
	tacit_buf_clear(&text);
	if (err != TACIT_OK)
		s->broken = err;
}

static struct dialog *group_dialog(struct screen *s)
{
	struct dialog *d = model_chosen(&s->model);
	if (d != NULL && d->kind != TACIT_DIRECT)
		return d;
	model_flash(&s->model, true, TACIT_STR("That is about a group: go to it first."));
	return NULL;
}

static void create_group(struct screen *s, const struct slash *c)
{
	struct tacit_bytes users[SLASH_WORDS];
	size_t count = 0;
	for (int i = 2; i < c->count; i++)
		users[count++] = tacit_cstr(c->words[i]);
	const struct tacit_command create = {.kind = TACIT_CMD_CREATE_GROUP,
	        .text = tacit_cstr(c->words[1]),
	        .users = users,
	        .user_count = count};
	wish_post(s, &create, &(struct wish){.kind = WISH_CHAT});
}

static void change_group(struct screen *s, const struct slash *c, enum tacit_command_kind kind)
{
	struct tacit_bytes users[SLASH_WORDS];
	const struct dialog *d = group_dialog(s);
	struct tacit_command change = {.kind = kind};
	if (d == NULL)
		return;
	for (int i = 1; i < c->count; i++)
		users[i - 1] = tacit_cstr(c->words[i]);
	change.conversation = d->id;
	if (kind == TACIT_CMD_ADD) {
		change.users = users;
		change.user_count = (size_t)c->count - 1;
	} else {
		change.username = users[0];
	}
	wish_post(s, &change,
	        &(struct wish){.kind = WISH_CHANGE,
	                .conversation = d->id,
	                .done = kind == TACIT_CMD_ADD ? "Added." : "Removed."});
}

static void do_group(struct screen *s, const struct slash *c)
{
	if (strcmp(c->words[0], "create") == 0 && c->count >= 3)
		create_group(s, c);
	else if (strcmp(c->words[0], "add") == 0)
		change_group(s, c, TACIT_CMD_ADD);
	else if (strcmp(c->words[0], "remove") == 0 && c->count == 2)
		change_group(s, c, TACIT_CMD_REMOVE);
	else
		model_flash(&s->model, true,
		        TACIT_STR("/group create NAME USER..., /group add USER..., or /group "
		                  "remove USER"));
}

static void do_leave(struct screen *s, const struct slash *c)
{
	struct dialog *d = group_dialog(s);
	if (d == NULL)
		return;
	if (c->count == 0 || strcmp(c->words[0], "yes") != 0) {
		model_flash(&s->model, true, TACIT_STR("Leave for good? Then: /leave yes"));
		return;
	}
	const struct tacit_command leave = {.kind = TACIT_CMD_REMOVE,
	        .conversation = d->id,
	        .username = tacit_buf_view(&s->model.self)};
	wish_post(s, &leave,
	        &(struct wish){
	                .kind = WISH_LEAVE, .conversation = d->id, .done = "You have left."});
}

static bool take_duration(struct screen *s, const char *text, uint64_t *seconds)
{
	if (duration_read(text, seconds))
		return true;
	model_flash(&s->model, true,
	        TACIT_STR("That is no time: a number with s, m, h or d, as 30m or 7d."));
	return false;
}

static void do_session(struct screen *s, const struct slash *c)
{
	struct tacit_bytes users[SLASH_WORDS];
	struct tacit_command create = {.kind = TACIT_CMD_CREATE_SESSION, .users = users};
	if (!take_duration(s, c->words[0], &create.seconds))
		return;
	for (int i = 1; i < c->count; i++)
		users[create.user_count++] = tacit_cstr(c->words[i]);
	wish_post(s, &create, &(struct wish){.kind = WISH_CHAT});
}

static void do_close(struct screen *s, const struct slash *c)
{
	const struct dialog *d = model_chosen(&s->model);
	if (d == NULL || d->kind != TACIT_SESSION || d->gone) {
		model_flash(&s->model, true, TACIT_STR("That is about a session: go to it first."));
		return;
	}
	if (c->count == 0 || strcmp(c->words[0], "yes") != 0) {
		model_flash(&s->model, true,
		        TACIT_STR("Destroy all that was said here, for everybody? Then: /close "
		                  "yes"));
		return;
	}
	const struct tacit_command close = {.kind = TACIT_CMD_CLOSE_SESSION, .conversation = d->id};
	wish_post(s, &close, &(struct wish){.kind = WISH_NOTHING, .conversation = d->id});
}

static void do_expire(struct screen *s, const char *time)
{
	const struct dialog *d = model_chosen(&s->model);
	struct tacit_command set = {.kind = TACIT_CMD_SET_EXPIRY};
	if (d == NULL || (strcmp(time, "off") != 0 && !take_duration(s, time, &set.seconds)))
		return;
	set.conversation = d->id;
	wish_post(s, &set, &(struct wish){.kind = WISH_CHANGE, .conversation = d->id});
}

static void do_file(struct screen *s, const char *path)
{
	struct dialog *d = model_chosen(&s->model);
	if (d != NULL)
		transfer_send(s, d, path);
}

void screen_fetch_newest_file(struct screen *s)
{
	const struct dialog *d = model_chosen(&s->model);
	for (size_t i = d != NULL ? d->count : 0; i > 0; i--)
		if (d->entries[i - 1].file[0] != '\0' && d->entries[i - 1].state == ENTRY_THEIRS) {
			transfer_get(s, d->entries[i - 1].file);
			return;
		}
	model_flash(&s->model, false, TACIT_STR("No file has come here."));
}

static void do_search(struct screen *s, const char *text)
{
	tacit_ignore(edit_sent(&s->edit), "then it is not remembered");
	search_begin(s);
	if (edit_insert(&s->edit, tacit_cstr(text)) == TACIT_OK)
		search_next(s);
}

static void run(struct screen *s, const struct slash *c)
{
	switch (c->command->kind) {
	case SLASH_HELP:
		do_help(s);
		break;
	case SLASH_CHAT:
		do_chat(s, c->words[0]);
		break;
	case SLASH_ABOUT:
		do_about(s, c);
		break;
	case SLASH_FILE:
		do_file(s, c->words[0]);
		break;
	case SLASH_GET:
		if (c->count > 0)
			transfer_get(s, c->words[0]);
		else
			screen_fetch_newest_file(s);
		break;
	case SLASH_VERIFY:
		do_key(s, c, TACIT_CMD_SET_VERIFIED);
		break;
	case SLASH_ACCEPT_KEY:
		do_key(s, c, TACIT_CMD_ACCEPT_KEY);
		break;
	case SLASH_GROUP:
		do_group(s, c);
		break;
	case SLASH_MEMBERS:
		do_members(s);
		break;
	case SLASH_LEAVE:
		do_leave(s, c);
		break;
	case SLASH_SESSION:
		do_session(s, c);
		break;
	case SLASH_CLOSE:
		do_close(s, c);
		break;
	case SLASH_EXPIRE:
		do_expire(s, c->words[0]);
		break;
	case SLASH_SEARCH:
		do_search(s, c->words[0]);
		break;
	case SLASH_QUIT:
		s->leaving = true;
		break;
	}
}

/* The line stays when it is no command, to be mended; else it is gone before the command runs,
 * which may bring another. */
static void run_line(struct screen *s, const char *line)
{
	struct slash c;
	struct tacit_buf problem = {0};
	enum tacit_err err = slash_parse(line, &c);
	if (err == TACIT_OK) {
		tacit_ignore(edit_sent(&s->edit), "then it is not remembered");
		run(s, &c);
	} else if (c.problem != NULL && c.command != NULL &&
	           tacit_buf_printf(&problem, "%s: /%s %s", c.problem, c.command->name,
	                   c.command->args) == TACIT_OK) {
		model_flash(&s->model, true, tacit_buf_view(&problem));
	} else {
		model_flash(&s->model, true,
		        tacit_cstr(c.problem != NULL ? c.problem : tacit_err_text(err)));
	}
	tacit_buf_clear(&problem);
	slash_clear(&c);
}

void screen_enter(struct screen *s)
{
	struct tacit_buf line = {0};
	struct tacit_bytes text = edit_text(&s->edit);
	if (text.n == 0)
		return;
	if (tacit_buf_append(&line, text) != TACIT_OK || tacit_buf_terminate(&line) != TACIT_OK)
		s->broken = TACIT_E_NOMEM;
	else if (text.p[0] != '/')
		send_text(s, (struct dialog_text){.text = tacit_buf_view(&line)});
	else if (text.n > 1 && text.p[1] == '/')
		send_text(s, (struct dialog_text){
		                     .text = tacit_bytes_part(tacit_buf_view(&line), 1, text.n)});
	else
		run_line(s, (const char *)line.p);
	tacit_buf_clear(&line);
}
