#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "server/store/backup.h"
#include "server/store/blob.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* No archive may do worse than be refused, with a reason. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[] = "/tmp/tacit-fuzz-backup-XXXXXX", why[256];
	struct backup_report report;
	int fd = mkstemp(path);
	TACIT_ASSERT(fd >= 0);
	TACIT_ASSERT(blob_write(fd, 0, tacit_bytes(data, size)) == TACIT_OK);
	close(fd);
	enum tacit_err err = backup_verify(path, &report, why);
	TACIT_ASSERT((err == TACIT_OK) == (why[0] == '\0'));
	unlink(path);
	return 0;
}
