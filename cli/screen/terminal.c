#define _GNU_SOURCE /* ppoll */
#define NCURSES_WIDECHAR 1
#include "cli/screen/terminal.h"

#include <curses.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "cli/cli.h"

#define ESCAPE_MS 50 /* between ESC and what belongs to it */
#define PASTE_ON "\x1b[?2004h"
#define PASTE_OFF "\x1b[?2004l"

static struct {
	SCREEN *screen;
	struct termios before; /* for the handler of fatal signals */
	bool shown;
	bool at_exit;
} terminal;

static volatile sig_atomic_t resized, stopped;

/* --- what curses does not say ---------------------------------------------------------------- */

static void say(const char *sequence, size_t n)
{
	while (n > 0) {
		ssize_t done = write(STDOUT_FILENO, sequence, n);
		if (done < 0 && errno != EINTR)
			return;
		if (done > 0) {
			sequence += done;
			n -= (size_t)done;
		}
	}
}

/* --- signals --------------------------------------------------------------------------------- */

static void on_resize(int signal)
{
	(void)signal;
	resized = 1;
}

static void on_stop(int signal)
{
	(void)signal;
	stopped = 1;
}

/* The program is about to die of a bug or of SIGQUIT: write and tcsetattr are all that is allowed
 * here, and enough. The main screen, colours off, the cursor shown. */
static void on_fatal(int signal)
{
	static const char back[] = PASTE_OFF "\x1b[0m\x1b[?1l\x1b>\x1b[?25h\x1b[?1049l\r\n";
	if (terminal.shown) {
		say(back, sizeof(back) - 1);
		tcsetattr(STDIN_FILENO, TCSANOW, &terminal.before);
	}
	raise(signal); /* the default again, by SA_RESETHAND */
}

static const struct {
	int signal;
	void (*handler)(int signal);
	int flags;
} handled[] = {
        {SIGWINCH, on_resize, 0},
        {SIGCONT, on_resize, 0},
        {SIGTSTP, on_stop, 0},
        {SIGABRT, on_fatal, (int)SA_RESETHAND | SA_NODEFER},
        {SIGSEGV, on_fatal, (int)SA_RESETHAND | SA_NODEFER},
        {SIGBUS, on_fatal, (int)SA_RESETHAND | SA_NODEFER},
        {SIGILL, on_fatal, (int)SA_RESETHAND | SA_NODEFER},
        {SIGFPE, on_fatal, (int)SA_RESETHAND | SA_NODEFER},
        {SIGQUIT, on_fatal, (int)SA_RESETHAND | SA_NODEFER},
};
static struct sigaction others[TACIT_COUNT(handled)]; /* who is to have them back */

static void set_handlers(void)
{
	for (size_t i = 0; i < TACIT_COUNT(handled); i++) {
		struct sigaction ours = {
		        .sa_handler = handled[i].handler, .sa_flags = handled[i].flags};
		sigaction(handled[i].signal, &ours, &others[i]);
	}
}

static void reset_handlers(void)
{
	for (size_t i = 0; i < TACIT_COUNT(handled); i++)
		sigaction(handled[i].signal, &others[i], NULL);
}

static void block_set(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGWINCH);
	sigaddset(set, SIGTSTP);
	sigaddset(set, SIGCONT);
}

/* --- life ------------------------------------------------------------------------------------ */

static bool can_place_cursor(void)
{
	const char *cup = tigetstr("cup");
	return cup != NULL && cup != (const char *)-1;
}

/* Ctrl-C, Ctrl-Z and Ctrl-S come as keys, Enter as it is. */
static void set_modes(void)
{
	raw();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(ESCAPE_MS);
	if (terminal_colours()) {
		start_color();
		use_default_colors();
	}
}

enum tacit_err terminal_open(void)
{
	if (tcgetattr(STDIN_FILENO, &terminal.before) != 0 || !isatty(STDOUT_FILENO))
		return TACIT_E_UNSUPPORTED;
	fflush(stdout);
	set_handlers(); /* before curses would set its own */
	terminal.screen = newterm(NULL, stdout, stdin);
	if (terminal.screen == NULL || !can_place_cursor()) {
		if (terminal.screen != NULL) {
			endwin();
			delscreen(terminal.screen);
		}
		terminal.screen = NULL;
		reset_handlers();
		return TACIT_E_UNSUPPORTED;
	}
	set_modes();
	say(PASTE_ON, sizeof(PASTE_ON) - 1);
	terminal.shown = true;
	if (!terminal.at_exit)
		terminal.at_exit = atexit(terminal_close) == 0;
	return TACIT_OK;
}

static void give_back(void)
{
	endwin();
	say(PASTE_OFF, sizeof(PASTE_OFF) - 1);
	terminal.shown = false;
}

void terminal_close(void)
{
	if (terminal.screen == NULL)
		return;
	give_back();
	delscreen(terminal.screen);
	terminal.screen = NULL;
	reset_handlers();
}

bool terminal_colours(void)
{
	return term_colours(stdout) && has_colors();
}

/* --- waiting --------------------------------------------------------------------------------- */

int terminal_wait(int fd, const struct timespec *left)
{
	struct pollfd fds[] = {
	        {.fd = STDIN_FILENO, .events = POLLIN},
	        {.fd = fd, .events = POLLIN},
	};
	sigset_t block, before;
	int woken = 0;
	block_set(&block);
	sigprocmask(SIG_BLOCK, &block, &before);
	if (!cli_cancelled && !resized && !stopped)
		tacit_ignore(ppoll(fds, 2, left, &before) < 0 ? TACIT_E_CANCELLED : TACIT_OK,
		        "a signal; what it set is looked at below");
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (fds[0].revents & POLLIN)
		woken |= WOKEN_KEYS;
	else if (fds[0].revents & (POLLHUP | POLLERR))
		cli_cancelled = SIGHUP; /* nobody is there any more */
	if (fds[1].revents != 0)
		woken |= WOKEN_FD;
	if (resized)
		woken |= WOKEN_SIZE;
	if (stopped)
		woken |= WOKEN_STOP;
	if (cli_cancelled)
		woken |= WOKEN_CANCEL;
	return woken;
}

void terminal_stop(void)
{
	struct sigaction plain = {.sa_handler = SIG_DFL};
	struct sigaction ours;
	stopped = 0;
	give_back();
	sigaction(SIGTSTP, &plain, &ours);
	kill(0, SIGTSTP); /* the group, as the key does it */
	sigaction(SIGTSTP, &ours, NULL);
	say(PASTE_ON, sizeof(PASTE_ON) - 1);
	terminal.shown = true;
	resized = 1;
}

void terminal_resize(size_t *columns, size_t *rows)
{
	struct winsize size;
	resized = 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0 &&
	        (size.ws_row != LINES || size.ws_col != COLS))
		resizeterm(size.ws_row, size.ws_col);
	reset_prog_mode(); /* whoever had the terminal meanwhile may have changed it */
	clearok(curscr, TRUE);
	*columns = COLS > 0 ? (size_t)COLS : 1;
	*rows = LINES > 0 ? (size_t)LINES : 1;
}
