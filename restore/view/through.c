/* through: see through.h. */
#include "restore/view/through.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"
#include "restore/mount/blocks.h"
#include "restore/mount/mounter.h"
#include "restore/mount/serve.h"

struct through {
	struct mounter *mounter;
	struct serve *serve;
	struct blocks *blocks;
	int fd; /* of the mount; serve_run() takes it */
};

struct through *through_start(const char *folder)
{
	struct through *t = access("/dev/fuse", R_OK | W_OK) ? NULL : calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->fd = -1;
	t->serve = serve_new();
	t->blocks = t->serve ? blocks_new(serve_pause, t->serve) : NULL;
	if (t->blocks && !mounter_start(folder, false, &t->mounter, NULL))
		return t;
	through_end(t);
	return NULL;
}

bool through_mount(struct through *t)
{
	return !mounter_mount(t->mounter, &t->fd, NULL);
}

int through_open(struct through *t, struct app_generation *g, bool *ret_lost, struct err *err)
{
	return blocks_add(t->blocks, g, ret_lost, err);
}

int through_serve(struct through *t, struct interrupt *stop, unsigned *ret_faults, struct err *err)
{
	int r = serve_run(t->serve, t->blocks, false, io_take(&t->fd), stop, err);

	*ret_faults = serve_faults(t->serve);
	return r;
}

void through_end(struct through *t)
{
	if (!t)
		return;
	io_close_quietly(&t->fd);
	mounter_end(t->mounter);
	blocks_free(t->blocks);
	serve_free(t->serve);
	free(t);
}
