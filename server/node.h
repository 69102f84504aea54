/* node.h - one running server, put together from its settings and taken apart again in order. */
#ifndef TACIT_SERVER_NODE_H
#define TACIT_SERVER_NODE_H

#include "server/config.h"

struct node;

/* Would node_open succeed? Changes nothing, makes nothing, binds nothing; a server may be running
 * with these very settings. why as below. */
TACIT_MUST_USE enum tacit_err node_check(const struct config *c, char why[256]);

/* Opens and checks everything, binds the port, starts no thread. On a first start it makes the
 * store, the server's key and an administrator's invitation (node_invitation). why gets a text for
 * the operator. Fails: as the parts do. c is borrowed for the node's life. */
TACIT_MUST_USE enum tacit_err node_open(const struct config *c, char why[256], struct node **out);
/* The one-time invitation that this start has made; NULL when it is not the first. */
const char *node_invitation(const struct node *n);
unsigned node_port(const struct node *n);
TACIT_MUST_USE enum tacit_err node_start(struct node *n, char why[256]);
/* Certificate and key anew (SIGHUP). */
TACIT_MUST_USE enum tacit_err node_reload_tls(struct node *n, const char **why);
/* Finishes what was accepted, then stops every thread. */
void node_stop(struct node *n);
void node_free(struct node *n); /* NULL is fine */

#endif
