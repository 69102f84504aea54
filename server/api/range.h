/* range.h - the Range header of a download (RFC 9110 14.2): bytes, one range. */
#ifndef TACIT_SERVER_API_RANGE_H
#define TACIT_SERVER_API_RANGE_H

#include "base/bytes.h"

enum api_range {
	API_RANGE_WHOLE,   /* none, several, or nothing that we know: 200 */
	API_RANGE_PART,    /* 206 */
	API_RANGE_OUTSIDE, /* 416 */
};

enum api_range api_range_read(
        struct tacit_bytes header, uint64_t size, uint64_t *from, uint64_t *bytes);

/* Does If-None-Match (a list of tags, weak ones too, or *) name this tag, quotes included? */
bool api_etag_listed(struct tacit_bytes header, struct tacit_bytes etag);

#endif
