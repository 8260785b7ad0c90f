/* browser: opens a page for a person in a browser that can reach nothing.
 *
 * What it shows may have been written by an attacker.  So it runs in namespaces of its own (user, network without any device, processes,
 * mounts), with a fresh profile, and may write below the scratch folder alone (app/confine.h): nothing that a page asks for leaves the
 * computer, and nothing is kept.  It is not root there, although the files of who started it are readable.  Where the system gives no such
 * namespaces no browser is started.
 *
 * Which one: $BROWSER, else the first of x-www-browser, chromium, google-chrome, firefox-esr, firefox that is in $PATH.
 *
 * Errors: E-VIEW-04 there is none, or it cannot be kept apart.
 */
#ifndef RESTORE_VIEW_BROWSER_H
#define RESTORE_VIEW_BROWSER_H

#include <stddef.h>
#include <sys/types.h>

struct err;

struct browser_request {
	const char *folder; /* scratch: holds tmp/ and home/ */
	const char *url;
	const char *const *hidden; /* files that are empty to it */
	size_t n_hidden;
};

/* *ret: a process that ends when the browser does, and with which it ends. */
int browser_start(const struct browser_request *q, pid_t *ret, struct err *err)
    __attribute__((warn_unused_result));

#endif
