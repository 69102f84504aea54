/* parcel_contact.h - who the other end of a transfer is, when both want to keep each other:
 * docs/protocol-transfer.md 15.8. */
#ifndef TACIT_CLIENT_PARCEL_CONTACT_H
#define TACIT_CLIENT_PARCEL_CONTACT_H

#include "client/parcel.h"

struct parcel_run;

/* After the files are through, on the connection that they came by; in the result's `contact`. It
 * never fails what has arrived. */
void parcel_contact_exchange(struct parcel_run *r);

#endif
