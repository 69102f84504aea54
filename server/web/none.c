/* none.c - in place of the web app, in a program that is built without it. */
#include "server/web/web.h"

const struct web_bundle *web_bundle(void)
{
	return NULL;
}
