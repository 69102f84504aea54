/* dialog_int.h - what dialog.c and says.c share. */
#ifndef TACIT_CLI_SCREEN_DIALOG_INT_H
#define TACIT_CLI_SCREEN_DIALOG_INT_H

#include "cli/screen/dialog.h"

/* One line of it, clean. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err entry_clean(struct tacit_buf *out, struct tacit_bytes text);
/* Takes the first line off. */
struct tacit_bytes entry_line(struct tacit_bytes *rest);
/* Kind and texts, but for the name. Fail: NOMEM. */
TACIT_MUST_USE enum tacit_err entry_say(struct entry *e, const struct tacit_notice *n);
TACIT_MUST_USE enum tacit_err entry_say_text(struct entry *e, const struct tacit_notice *n);
TACIT_MUST_USE enum tacit_err entry_say_reactions(struct tacit_buf *out, struct tacit_bytes lines);

#endif
