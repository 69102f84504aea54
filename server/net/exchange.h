/* exchange.h - one request and its answer, between exchange.c, body.c and answer.c. */
#ifndef TACIT_SERVER_NET_EXCHANGE_H
#define TACIT_SERVER_NET_EXCHANGE_H

#include "server/net/conn.h"

struct exchange {
	struct http_request request; /* its views point into head */
	struct http1_head info;
	struct http_plan plan;
	uint32_t generation;
	uint64_t begun_us;

	/* The body. */
	struct http1_chunked chunked;
	uint64_t rest; /* with a Content-Length: bytes to come */
	uint64_t received;
	bool body_done;        /* it has come whole, or there is none */
	bool continued;        /* 100 Continue was sent */
	int64_t budget_ms;     /* the peer's time while the clock stands */
	struct tacit_buf body; /* BUFFER: all of it; STREAM: the piece that is being filled */
	size_t charged;        /* what of it counts in loop->collected */
	void *stream;
	bool streaming; /* begin() has been, end() not yet */
	bool piece_out; /* the application holds a piece */

	/* The answer. */
	struct http_response *response;
	uint64_t body_bytes, body_sent;
	size_t head_bytes;
	bool measuring;
	uint64_t measured; /* bytes in the socket's queue when it was last looked at, and sent since
	                    */

	uint8_t head[];
};

struct http_handle exchange_handle_of(const struct conn *c);
/* An answer of our own. The state goes on to WAIT, and from there at once to SEND. */
void exchange_fail(struct conn *c, int status);
/* What follows in the input cannot be told from garbage: the connection ends with the answer. */
void exchange_fail_for_good(struct conn *c, int status);

/* One step of the state BODY; true: look again. */
bool body_read(struct conn *c);
/* There is room for more of it. */
bool body_wants(const struct conn *c);
/* From the socket straight into the body, past the input buffer; for a body with a length. */
void body_receive(struct conn *c);
/* Lets the peer's time run or stand still, at the end of a turn. */
void body_run_clock(struct conn *c);
/* True: a piece was given away. */
bool body_give_piece(struct conn *c);
/* Gives back what was collected. */
void body_clear(struct conn *c);
/* Only when no piece is under way. */
void body_end_stream(struct conn *c);

/* Begins to send x->response. NOMEM: nothing was sent. */
TACIT_MUST_USE enum tacit_err answer_begin(struct conn *c);
/* Sends on: OK when all has left, AGAIN when the socket is full or others shall have their turn. */
enum net_io_result answer_send(struct conn *c);
/* The write timeout is over: has the peer taken anything since, however little the socket shows? */
bool answer_creeps(struct conn *c);
/* net's own error; NULL when out of memory. */
struct http_response *answer_error(struct net_loop *l, int status);
/* Sends 100 Continue. */
void answer_continue(struct conn *c);

#endif
