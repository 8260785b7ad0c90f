/* tool: see tool.h. */
#include "write/prepare/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"

#define BLOCK 4096
#define SHOW  256

static int start(const char *const argv[], const int in[2], const int out[2], pid_t *ret)
{
	posix_spawn_file_actions_t act;
	char sbin[SHOW];
	int r = posix_spawn_file_actions_init(&act);

	if (r)
		return r;
	r = posix_spawn_file_actions_adddup2(&act, in[0], 0) ||
		    posix_spawn_file_actions_adddup2(&act, out[1], 1) ||
		    posix_spawn_file_actions_adddup2(&act, out[1], 2)
		? ENOMEM
		: posix_spawnp(ret, argv[0], &act, NULL, (char *const *)argv, environ);
	snprintf(sbin, sizeof(sbin), "/usr/sbin/%s", argv[0]);
	if (r == ENOENT)
		r = posix_spawn(ret, sbin, &act, NULL, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&act);
	return r;
}

/* All that it writes is taken, so that it does not stop; what is beyond TOOL_SAID is not kept. */
static void listen_to(int fd, struct buf *said)
{
	char block[BLOCK];
	ssize_t n;

	while ((n = read(fd, block, sizeof(block))) > 0 || (n < 0 && errno == EINTR))
		if (n > 0 && said->n + (size_t)n < TOOL_SAID)
			(void)!buf_append(said, block, (size_t)n, NULL);
}

const char *tool_last_line(struct buf *said)
{
	char *s, *line;

	if (buf_terminate(said, NULL))
		return "";
	for (s = (char *)said->p; *s && s[strlen(s) - 1] == '\n';)
		s[strlen(s) - 1] = '\0';
	line = strrchr(s, '\n');
	return line ? line + 1 : s;
}

static int missing_tool(const char *name, int errnum, struct err *err)
{
	err_set(err, "E-PREPARE-08", text("'%s' cannot be run: %s"), name, strerror(errnum));
	return err_hint(err, "%s",
	    text("install it: sfdisk is in the package fdisk, mkfs.ext4 in e2fsprogs, mkfs.xfs in xfsprogs"));
}

int tool_status(
    const char *const argv[], const char *input, struct buf *said, int *ret_status, struct err *err)
{
	int in[2] = {-1, -1}, out[2] = {-1, -1}, status = 0, r;
	pid_t pid = -1;

	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) ||
	    (input && io_write_full(in[1], input, strlen(input))))
		r = errno;
	else
		r = start(argv, in, out, &pid);
	io_close_quietly(&in[0]);
	io_close_quietly(&in[1]);
	io_close_quietly(&out[1]);
	if (!r)
		listen_to(out[0], said);
	io_close_quietly(&out[0]);
	if (r)
		return missing_tool(argv[0], r, err);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	*ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	return 0;
}

int tool_run(const char *const argv[], const char *input, struct err *err)
{
	BUF_AUTO said = BUF_INIT(TOOL_SAID + 1);
	char show[SHOW];
	int status;

	if (tool_status(argv, input, &said, &status, err))
		return -1;
	if (!status)
		return 0;
	err_set(err, "E-PREPARE-08", text("'%s' failed: %s"), argv[0],
	    path_show(tool_last_line(&said), show, sizeof(show)));
	return err_hint(err, "%s", text("look at the disk; preparing it again begins anew"));
}
