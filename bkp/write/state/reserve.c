/* reserve: see reserve.h. */
#include "write/state/reserve.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "base/err.h"
#include "base/io.h"
#include "write/state/state.h"

void reserve_keep(const struct state *s)
{
	IO_FD_AUTO fd = openat(
	    state_dirfd(s), RESERVE_FILE, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
	struct stat st;

	/* half a reserve would be believed to be a whole one */
	if (fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size < RESERVE_BYTES &&
	    fallocate(fd, 0, 0, RESERVE_BYTES))
		unlinkat(state_dirfd(s), RESERVE_FILE, 0);
}

void reserve_give(const struct state *s)
{
	unlinkat(state_dirfd(s), RESERVE_FILE, 0);
}

int reserve_append(struct state *s, const char *event, json_t *members, struct err *err)
{
	struct err why = ERR_INIT;
	int r;

	if (!members)
		return err_nomem(err);
	r = state_append(s, event, json_incref(members), &why);
	if (r && err_is_full(&why)) {
		reserve_give(s);
		r = state_append(s, event, json_incref(members), &why);
	}
	json_decref(members);
	if (r && err)
		*err = why;
	return r;
}
