/* mounter: see mounter.h.
 *
 * Between the two: a packet socket.  One byte asks for the mount; the answer is one byte with the descriptor, or a 0 alone.  The end of what
 * can be received is the sign to unmount.  libfuse mounts: by mount(2) as root, by fusermount3(1) for others; it keeps a descriptor of its
 * own and sees by it whether somebody else unmounted meanwhile, so that what is mounted there afterwards is left alone. */
#define FUSE_USE_VERSION 314

#include "restore/mount/mounter.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fuse_lowlevel.h>

#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"

struct mounter {
	pid_t pid;
	int fd;
};

static const struct fuse_lowlevel_ops nothing; /* it answers no request */

static struct fuse_session *mount_it(const char *folder, bool allow_other)
{
	char name[] = "bkp-restore", o[] = "-o",
	     options[] = "ro,nosuid,nodev,noexec,noatime,fsname=bkp,subtype=bkp",
	     all[] = "allow_other,default_permissions";
	char *argv[] = {name, o, options, o, all, NULL};
	struct fuse_args args = FUSE_ARGS_INIT(allow_other ? 5 : 3, argv);
	struct fuse_session *se = fuse_session_new(&args, &nothing, sizeof(nothing), NULL);

	fuse_opt_free_args(&args);
	if (se && fuse_session_mount(se, folder)) {
		fuse_session_destroy(se);
		se = NULL;
	}
	return se;
}

static void send_descriptor(int to, int fd)
{
	char byte = fd >= 0;
	struct iovec iov = {&byte, 1};
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {.room = ""};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	if (fd >= 0) {
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
		control.head = (struct cmsghdr){
		    .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
		memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	}
	(void)!sendmsg(to, &msg,
	    MSG_NOSIGNAL); /* who does not hear it has died: then there is nothing to be mounted for */
}

/* It outlives whoever is interrupted or killed, and ends right behind him. */
__attribute__((noreturn)) static void serve(int fd, const char *folder, bool allow_other)
{
	static const int all[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
	struct fuse_session *se = NULL;
	IO_FD_AUTO null = open("/dev/null", O_RDWR | O_CLOEXEC);
	char byte;

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		signal(all[i], SIG_IGN);
	(void)setsid();
	while (recv(fd, &byte, 1, 0) > 0) {
		se = se ? se : mount_it(folder, allow_other);
		for (int i = 0; i < 3 && se && null >= 0; i++) /* what went wrong was said */
			(void)dup2(null, i);
		send_descriptor(fd, se ? fuse_session_fd(se) : -1);
	}
	if (se)
		fuse_session_unmount(se);
	_exit(0);
}

static int check_folder(const char *folder, struct err *err)
{
	IO_FD_AUTO fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char shown[300];

	if (fd >= 0)
		return 0;
	err_sys(
	    err, "E-MOUNT-01", errno, text("cannot mount on '%s'"), path_show(folder, shown, sizeof(shown)));
	return err_hint(err, "%s", text("make an empty folder for it, of yours: mkdir"));
}

int mounter_start(const char *folder, bool allow_other, struct mounter **ret, struct err *err)
{
	struct mounter *m;
	char *real;
	int pair[2];

	if (check_folder(folder, err))
		return -1;
	m = calloc(1, sizeof(*m));
	real = realpath(folder, NULL); /* also when the working folder is another by then */
	if (!m || !real || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
		free(m);
		free(real);
		return err_sys(err, "E-MOUNT-02", errno, "%s", text("no process can be started to mount it"));
	}
	m->pid = fork();
	if (m->pid == 0) {
		close(pair[0]);
		serve(pair[1], real, allow_other);
	}
	free(real);
	close(pair[1]);
	m->fd = pair[0];
	if (m->pid < 0) {
		int why = errno;

		close(m->fd);
		free(m);
		return err_sys(err, "E-MOUNT-02", why, "%s", text("no process can be started to mount it"));
	}
	*ret = m;
	return 0;
}

int mounter_mount(struct mounter *m, int *ret_fd, struct err *err)
{
	char byte = 1;
	struct iovec iov = {&byte, 1};
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {.room = ""};
	struct msghdr msg = {
	    .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};

	if (send(m->fd, &byte, 1, MSG_NOSIGNAL) == 1 && recvmsg(m->fd, &msg, MSG_CMSG_CLOEXEC) == 1 && byte &&
	    CMSG_FIRSTHDR(&msg)) {
		memcpy(ret_fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(*ret_fd));
		return 0;
	}
	err_set(err, "E-MOUNT-02", "%s", text("the system does not mount it; what it says stands above"));
	return err_hint(err, "%s",
	    text("as root, or with the package fuse3 installed; for --allow-other not as root: "
		 "user_allow_other in /etc/fuse.conf"));
}

void mounter_end(struct mounter *m)
{
	if (!m)
		return;
	close(m->fd);
	while (waitpid(m->pid, NULL, 0) < 0 && errno == EINTR)
		;
	free(m);
}
