#define _GNU_SOURCE /* memfd_create */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "server/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A configuration file, in memory: whatever it says, the settings are within their bounds or
 * refused. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[40], why[256];
	struct config c;
	if (tacit_crypto_init() != TACIT_OK)
		abort();
	int fd = memfd_create("tacitd.conf", 0);
	if (fd < 0 || (size > 0 && write(fd, data, size) != (ssize_t)size))
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	char *const argv[] = {"tacitd", "--config", path, NULL};
	char *const environment[] = {"HOME=/nowhere", NULL};
	enum tacit_err err = config_read(&c, 3, argv, environment, why);
	if (err == TACIT_OK && (c.listen == NULL || c.data == NULL || c.max_file_size < 1 ||
	                               c.max_participants < 2 || c.signature_window < 1))
		abort();
	if (err != TACIT_OK && why[0] == '\0')
		abort();
	config_clear(&c);
	close(fd);
	return 0;
}
