/* compare: what differs between two generations, or between a generation and a folder on disk.
 *
 * compare_generations: blocks of the catalog that both have are not read.  compare_folder: every file whose size is the same is read as a
 * whole.  Of a folder owners are compared where `owners` says so, setuid and setgid bits likewise; extended attributes and access control
 * lists are not.
 *
 * fn is called in catalog order: a NULL: only in b; b NULL: only in a; else parts (enum version_part) differ.  What could not be read is told
 * by fault and never called different.  Errors: E-MEM-01, E-LOOK-04; faults: those of catalog_r, extent_r, disk.h.
 */
#ifndef RESTORE_LOOK_COMPARE_H
#define RESTORE_LOOK_COMPARE_H

#include <stdbool.h>

struct app_generation;
struct err;
struct version;

typedef void compare_fn(void *arg, const struct version *a, const struct version *b, unsigned parts);
typedef void compare_fault_fn(void *arg, const struct err *why);

struct compare {
	compare_fn *fn;
	compare_fault_fn *fault;
	void *arg;
	bool owners;
};
int compare_generations(const struct compare *c, struct app_generation *a, struct app_generation *b,
    struct err *err) __attribute__((warn_unused_result));
int compare_folder(const struct compare *c, struct app_generation *a, const char *folder, struct err *err)
    __attribute__((warn_unused_result));

#endif
