#define NCURSES_WIDECHAR 1
#include "cli/screen/keys.h"

#include <curses.h>
#include <string.h>
#include <wchar.h>

#include "base/attr.h"

enum { /* codes of our own, beyond those of curses */
	CODE_PASTE_BEGIN = KEY_MAX + 1,
	CODE_PASTE_END,
	CODE_WORD_LEFT,
	CODE_WORD_RIGHT,
	CODE_HOME,
	CODE_END,
};

#define ESCAPE 27
#define DELETE 127

void keys_define(void)
{
	static const struct {
		const char *sequence;
		int code;
	} more[] = {
	        {"\x1b[200~", CODE_PASTE_BEGIN},
	        {"\x1b[201~", CODE_PASTE_END},
	        {"\x1b[1;5D", CODE_WORD_LEFT},
	        {"\x1b[1;3D", CODE_WORD_LEFT},
	        {"\x1b[1;5C", CODE_WORD_RIGHT},
	        {"\x1b[1;3C", CODE_WORD_RIGHT},
	        {"\x1b[H", CODE_HOME},
	        {"\x1b[1~", CODE_HOME},
	        {"\x1b[F", CODE_END},
	        {"\x1b[4~", CODE_END},
	};
	for (size_t i = 0; i < TACIT_COUNT(more); i++)
		define_key(more[i].sequence, more[i].code);
}

static enum press named(wint_t code)
{
	static const struct {
		wint_t code;
		enum press press;
	} names[] = {
	        {KEY_ENTER, PRESS_ENTER},
	        {KEY_BTAB, PRESS_BACK_TAB},
	        {KEY_BACKSPACE, PRESS_BACKSPACE},
	        {KEY_DC, PRESS_DELETE},
	        {KEY_LEFT, PRESS_LEFT},
	        {KEY_RIGHT, PRESS_RIGHT},
	        {KEY_UP, PRESS_UP},
	        {KEY_DOWN, PRESS_DOWN},
	        {KEY_HOME, PRESS_HOME},
	        {KEY_END, PRESS_END},
	        {KEY_PPAGE, PRESS_PAGE_UP},
	        {KEY_NPAGE, PRESS_PAGE_DOWN},
	        {CODE_PASTE_BEGIN, PRESS_PASTE_BEGIN},
	        {CODE_PASTE_END, PRESS_PASTE_END},
	        {CODE_WORD_LEFT, PRESS_WORD_LEFT},
	        {CODE_WORD_RIGHT, PRESS_WORD_RIGHT},
	        {CODE_HOME, PRESS_HOME},
	        {CODE_END, PRESS_END},
	};
	for (size_t i = 0; i < TACIT_COUNT(names); i++)
		if (names[i].code == code)
			return names[i].press;
	return PRESS_OTHER;
}

/* Text as UTF-8; the locale is UTF-8 (term_init). */
static struct keystroke text_key(wchar_t code)
{
	struct keystroke key = {.press = PRESS_TEXT};
	mbstate_t state = {0};
	char room[16]; /* at least MB_CUR_MAX */
	size_t n = wcrtomb(room, code, &state);
	if (n == (size_t)-1 || n > sizeof(key.text))
		return (struct keystroke){.press = PRESS_OTHER};
	memcpy(key.text, room, n);
	key.n = n;
	return key;
}

/* ESC and a key is Alt with it; ESC alone is itself. */
static struct keystroke after_escape(void)
{
	wint_t code;
	int kind = get_wch(&code);
	if (kind == ERR)
		return (struct keystroke){.press = PRESS_ESCAPE};
	if (kind == KEY_CODE_YES)
		return (struct keystroke){
		        .press = code == KEY_ENTER ? PRESS_ALT_ENTER : named(code)};
	if (code == '\r' || code == '\n')
		return (struct keystroke){.press = PRESS_ALT_ENTER};
	if (code == DELETE || code == 8)
		return (struct keystroke){.press = PRESS_CTRL, .letter = 'W'};
	if (code > ' ' && code < DELETE)
		return (struct keystroke){.press = PRESS_ALT, .letter = (char)code};
	return (struct keystroke){.press = PRESS_OTHER};
}

struct keystroke keys_next(void)
{
	wint_t code;
	int kind = get_wch(&code);
	if (kind == ERR)
		return (struct keystroke){.press = PRESS_NONE};
	if (kind == KEY_CODE_YES && code == KEY_SUSPEND) /* so the Linux console calls Ctrl-Z */
		return (struct keystroke){.press = PRESS_CTRL, .letter = 'Z'};
	if (kind == KEY_CODE_YES)
		return (struct keystroke){.press = named(code)};
	if (code == ESCAPE)
		return after_escape();
	if (code == '\r' || code == '\n')
		return (struct keystroke){.press = PRESS_ENTER};
	if (code == '\t')
		return (struct keystroke){.press = PRESS_TAB};
	if (code == DELETE || code == 8)
		return (struct keystroke){.press = PRESS_BACKSPACE};
	if (code < ' ')
		return (struct keystroke){.press = PRESS_CTRL, .letter = (char)(code + '@')};
	return text_key((wchar_t)code);
}
