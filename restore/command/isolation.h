/* isolation: a place for the commands of a drill, from which the computer's other programs and its network cannot be reached, and in which
 * nothing but the scratch folder can be written to.
 *
 * isolation_begin → step_run() with it, as often as wanted → isolation_end, which ends whatever the commands left running.  When this
 * process dies the kernel ends them too.
 *
 * What commands find there:
 * - network: none but a loopback of its own; no abstract socket and no System V memory of others;
 * - processes: those of the drill alone;
 * - files: all that is there, read-only, but for: the scratch folder; /tmp, /var/tmp and /dev/shm, empty and gone at the end; /run, whose
 *   folders are there and empty; /dev with what computes (null, zero, full, random, urandom); /proc of its own, read-only.  Sockets that a
 *   program of the computer listens at when it begins, and the files of `hidden`, are empty.  What `seen` names is there also below
 *   /tmp, read-only;
 * - as root: without the capabilities that reach around that (mounts, devices, modules, clock, raw network, tracing).
 *
 * Needs root, or a kernel that lets others make user namespaces, and Linux 5.12.  There is all of it or none: what cannot be had fails as a
 * whole.  Without root this process itself is in a user namespace from then on, with itself as the only user; it must have one thread.
 *
 * Errors: E-DRILL-29.
 */
#ifndef RESTORE_COMMAND_ISOLATION_H
#define RESTORE_COMMAND_ISOLATION_H

#include <stddef.h>
#include <sys/types.h>

struct err;
struct isolation;

struct isolation_request {
	const char *scratch; /* absolute; the working folder of commands */
	const char *const *seen;
	size_t n_seen;
	const char *const *hidden;
	size_t n_hidden;
};
int isolation_begin(const struct isolation_request *q, struct isolation **ret, struct err *err)
    __attribute__((warn_unused_result));
void isolation_end(struct isolation *i); /* NULL: nothing */

/* The process that holds it, for nsenter(1). */
pid_t isolation_process(const struct isolation *i);
/* For a child that leads a process group, before it executes anything: returns in there, as another process of its group; it itself ends as
 * that one does.  0, or an errno. */
int isolation_enter(const struct isolation *i);

#endif
