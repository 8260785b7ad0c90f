/* shortage: see shortage.h.
 *
 * Four ways in which a library goes without memory, and where each is caught:
 *     jansson, libcrypto       their allocators are replaced: no_memory() is called instead of returning NULL
 *     a library calls exit()   at_exit(), unless shortage_end() has said that the program itself ends
 *     a library calls abort()  on_crash(), when an allocation failed before in this thread
 *     a null pointer           the same (not under a sanitizer, which has a handler of its own)
 * no_memory() must not return.  It may run in a signal handler and prints there: the process would die anyway. */
#include "format/crypto/shortage.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include <jansson.h>
#include <openssl/crypto.h>

#include "base/starved.h"

/* these libraries hand no argument to their allocators: this cannot be anybody's but the process's */
static atomic_bool ended;
static void (*no_memory)(void);

static void *for_json(size_t n)
{
	void *p = malloc(n);

	if (!p && n)
		no_memory();
	return p;
}

static void *for_crypto(size_t n, const char *file, int line)
{
	void *p = malloc(n);

	(void)file, (void)line;
	if (!p && n)
		no_memory();
	return p;
}

static void *again_for_crypto(void *was, size_t n, const char *file, int line)
{
	void *p = realloc(was, n);

	(void)file, (void)line;
	if (!p && n)
		no_memory();
	return p;
}

static void free_of_crypto(void *p, const char *file, int line)
{
	(void)file, (void)line;
	free(p);
}

static void at_exit(void)
{
	if (!atomic_load(&ended))
		no_memory();
}

/* The C library ends by an assertion in places (nss), libarchive follows a null pointer when it opens memory:
 * when memory ended before in this thread, that is why.  If saying so fails as well it is the signal after
 * all. */
static void on_crash(int number)
{
	if (starved_mark())
		no_memory();
	raise(number);
}

static void watch_crash(int number)
{
	struct sigaction action = {.sa_handler = on_crash, .sa_flags = (int)SA_RESETHAND};

	sigaction(number, &action, NULL);
}

void shortage_watch(void (*fatal)(void))
{
	watch_crash(SIGABRT);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) /* they have handlers of their own */
	watch_crash(SIGSEGV);
#endif
	no_memory = fatal;
	json_set_alloc_funcs(for_json, free);
	(void)CRYPTO_set_mem_functions(for_crypto, again_for_crypto, free_of_crypto);
	(void)atexit(at_exit);
}

int shortage_end(int code)
{
	atomic_store(&ended, true);
	return code;
}
