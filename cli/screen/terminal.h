/* terminal.h - the full screen's life: opened, stopped and resumed, resized, and given back.
 *
 * On every way out the terminal is as it was: by terminal_close, by exit, and, as far as a signal
 * handler may, by signals that end the program at once. */
#ifndef TACIT_CLI_SCREEN_TERMINAL_H
#define TACIT_CLI_SCREEN_TERMINAL_H

#include <stdbool.h>
#include <time.h>

#include "base/err.h"

/* Fails: UNSUPPORTED (no terminal, or one that cannot place its cursor); nothing was changed then.
 */
TACIT_MUST_USE enum tacit_err terminal_open(void);
void terminal_close(void); /* may be called at any time */
bool terminal_colours(void);

enum terminal_woken {
	WOKEN_KEYS = 1,
	WOKEN_FD = 2,
	WOKEN_SIZE = 4,    /* the screen has another size, or must be drawn anew */
	WOKEN_STOP = 8,    /* somebody wants the program to stop for a while: terminal_stop */
	WOKEN_CANCEL = 16, /* a signal has set cli_cancelled */
};
/* Waits for keys, for fd, for a signal, or until the time is over (0). NULL: no limit. */
int terminal_wait(int fd, const struct timespec *left);

/* Gives the terminal back, stops this process, and takes it again when it goes on. */
void terminal_stop(void);
/* Takes the size that the terminal has now. */
void terminal_resize(size_t *columns, size_t *rows);

#endif
