/* transcript.h - the two running hashes over all commits of a group: RFC 9420 8.2. */
#ifndef TACIT_E2E_MLS_TRANSCRIPT_H
#define TACIT_E2E_MLS_TRANSCRIPT_H

#include "e2e/mls/suite.h"

/* confirmed = Hash(interim before || ConfirmedTranscriptHashInput); input is its encoding: the
 * AuthenticatedContent of the commit up to and including the signature. */
TACIT_MUST_USE enum tacit_err tacit_mls_confirmed_hash(const struct tacit_mls_suite *s,
        struct tacit_bytes interim_before, struct tacit_bytes input, uint8_t *confirmed);
/* interim = Hash(confirmed || InterimTranscriptHashInput). */
TACIT_MUST_USE enum tacit_err tacit_mls_interim_hash(const struct tacit_mls_suite *s,
        struct tacit_bytes confirmed, struct tacit_bytes confirmation_tag, uint8_t *interim);

#endif
