/* commands.h - every command's function, for the table in main.c. */
#ifndef TACIT_CLI_COMMANDS_H
#define TACIT_CLI_COMMANDS_H

#include "cli/cli.h"

typedef int cmd_run(struct cli *c, const struct args *a);

cmd_run cmd_register, cmd_login, cmd_link, cmd_logout, cmd_lock, cmd_unlock, cmd_whoami, cmd_users,
        cmd_send, cmd_inbox, cmd_chat, cmd_group_create, cmd_group_list, cmd_group_show,
        cmd_group_add, cmd_group_remove, cmd_group_leave, cmd_group_send, cmd_file_send,
        cmd_file_get, cmd_verify, cmd_accept_key, cmd_devices, cmd_devices_revoke, cmd_history,
        cmd_quit, cmd_listen, cmd_session_create, cmd_session_list, cmd_session_close, cmd_expire,
        cmd_outbox_list, cmd_outbox_drop, cmd_send_file, cmd_receive, cmd_agent, cmd_reply,
        cmd_react, cmd_edit, cmd_delete, cmd_room_create, cmd_room_list;

/* The prompt: commands, one a line, until quit. */
int repl_run(struct cli *c);

/* The new device's side of tacit link, with the option "code": logs in. An exit status. */
int link_login(struct cli *c, const struct args *a);

/* --- shared by a few commands ------------------------------------------------------------------
 */

/* Sends content to a conversation, or to a user when conversation is 0. */
int send_content(struct cli *c, uint64_t conversation, const char *user,
        const struct tacit_content *content);
/* Sends text: the words, or standard input when there is none or it is "-". */
int send_words(struct cli *c, uint64_t conversation, const char *user, int count, char **words);
/* Content, a reply or an edit, with such a text. */
int send_about(struct cli *c, uint64_t conversation, const struct tacit_content *content, int count,
        char **words);
int send_text(struct cli *c, uint64_t conversation, const char *user, struct tacit_bytes text);
/* Whether text can be a reaction; told when not. */
int send_reaction_check(const struct cli *c, struct tacit_bytes text);
enum whose { WHOSE_OWN, WHOSE_OTHER };
/* The message that name means: its number, or "last", the newest own or of somebody else. Told when
 * there is none. */
int find_message(
        struct cli *c, uint64_t conversation, const char *name, enum whose whose, uint64_t *out);
/* Whether text can be a message; told when not. */
int send_check(const struct cli *c, struct tacit_bytes text);
/* Uploads path and sends the message that names it. */
int send_file(struct cli *c, uint64_t conversation, const char *path);
/* Fetches a file by a prefix of its id into a folder or under a new name (NULL: here). */
int get_file(struct cli *c, const char *id, const char *out);
/* Shows the last `limit` events of a conversation. */
int show_history(struct cli *c, uint64_t conversation, uint64_t limit);

#endif
