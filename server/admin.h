/* admin.h - "tacitd admin ...": the operator's commands, beside a running server or without one. */
#ifndef TACIT_SERVER_ADMIN_H
#define TACIT_SERVER_ADMIN_H

/* argv[0] is "admin". Prints; gives the exit status: 0 done, 1 failed, 2 usage. */
int admin_main(int argc, char *const *argv, char *const *environment);

#endif
