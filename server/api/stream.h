/* stream.h - a call whose body comes in pieces: the states between net's calls.
 *
 *   FRESH -- first piece or end: open steps --> OPEN -- each piece: piece step --> OPEN
 *     |  a step refuses: the answer leaves at once                     |
 *     v                                                                v
 *   REFUSED -- pieces are dropped -- end: abandon steps --> freed <-- end: close steps, answer
 *
 * net gives one piece at a time and end() after the last was resumed, so a call is never in two
 * places at once. A body that did not come whole ends with the abandon steps and no answer. */
#ifndef TACIT_SERVER_API_STREAM_H
#define TACIT_SERVER_API_STREAM_H

#include "server/net/http.h"

void *api_stream_begin(void *ctx, struct http_handle h, const struct http_request *r, void *route);
void api_stream_data(void *ctx, struct http_handle h, void *state, struct tacit_buf *piece);
void api_stream_end(void *ctx, struct http_handle h, void *state, bool complete);

#endif
