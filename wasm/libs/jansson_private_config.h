/* jansson_private_config.h - the other header that jansson's configure makes. */
#ifndef JANSSON_PRIVATE_CONFIG_H
#define JANSSON_PRIVATE_CONFIG_H

#define HAVE_STDINT_H 1
#define INITIAL_HASHTABLE_ORDER 3

#endif
