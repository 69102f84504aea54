/* keys.h - what the person pressed. */
#ifndef TACIT_CLI_SCREEN_KEYS_H
#define TACIT_CLI_SCREEN_KEYS_H

#include <stdbool.h>
#include <stddef.h>

enum press {
	PRESS_NONE,
	PRESS_TEXT, /* text, n */
	PRESS_CTRL, /* letter: 'A' to 'Z', or '_' */
	PRESS_ALT,  /* letter: as typed */
	PRESS_ENTER,
	PRESS_ALT_ENTER,
	PRESS_TAB,
	PRESS_BACK_TAB,
	PRESS_ESCAPE,
	PRESS_BACKSPACE,
	PRESS_DELETE,
	PRESS_LEFT,
	PRESS_RIGHT,
	PRESS_UP,
	PRESS_DOWN,
	PRESS_WORD_LEFT,
	PRESS_WORD_RIGHT,
	PRESS_HOME,
	PRESS_END,
	PRESS_PAGE_UP,
	PRESS_PAGE_DOWN,
	PRESS_PASTE_BEGIN,
	PRESS_PASTE_END,
	PRESS_OTHER,
};

struct keystroke {
	enum press press;
	char letter;
	char text[8]; /* UTF-8 */
	size_t n;
};

void keys_define(void); /* once the terminal is open */
/* The next one that has been typed; PRESS_NONE: there is no more. Never waits longer than an escape
 * sequence takes. */
struct keystroke keys_next(void);

#endif
