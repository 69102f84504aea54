/* C11's call_once, which wasi-libc declares and does not have: there is one thread. */
#include <threads.h>

void call_once(once_flag *flag, void (*once)(void))
{
	if (*flag != 0)
		return;
	*flag = 1;
	once();
}
