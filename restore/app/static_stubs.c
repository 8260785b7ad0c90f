/* static_stubs: what the static program must not have, although libcrypto mentions it: names from the network
 * and code from shared libraries.  Both would make it depend on the rescue system it runs on (NSS modules,
 * OpenSSL's configuration), and neither has a place in a program that only reads a disk.  The linker puts
 * these in the place of the C library's (--wrap). */
#include <netdb.h>
#include <stddef.h>

int __wrap_getaddrinfo(
    const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **ret);
void __wrap_freeaddrinfo(struct addrinfo *list);
const char *__wrap_gai_strerror(int code);
struct hostent *__wrap_gethostbyname(const char *name);
int __wrap_getnameinfo(const struct sockaddr *sa, socklen_t n, char *host, socklen_t hostlen, char *serv,
    socklen_t servlen, int flags);
void *__wrap_dlopen(const char *file, int mode);
void *__wrap_dlsym(void *handle, const char *name);
int __wrap_dlclose(void *handle);
char *__wrap_dlerror(void);
int __wrap_dladdr(const void *address, void *info);

int __wrap_getaddrinfo(
    const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **ret)
{
	(void)node;
	(void)service;
	(void)hints;
	(void)ret;
	return EAI_FAIL;
}

void __wrap_freeaddrinfo(struct addrinfo *list)
{
	(void)list;
}

const char *__wrap_gai_strerror(int code)
{
	(void)code;
	return "no network here";
}

struct hostent *__wrap_gethostbyname(const char *name)
{
	(void)name;
	return NULL;
}

int __wrap_getnameinfo(const struct sockaddr *sa, socklen_t n, char *host, socklen_t hostlen, char *serv,
    socklen_t servlen, int flags)
{
	(void)sa;
	(void)n;
	(void)host;
	(void)hostlen;
	(void)serv;
	(void)servlen;
	(void)flags;
	return EAI_FAIL;
}

void *__wrap_dlopen(const char *file, int mode)
{
	(void)file;
	(void)mode;
	return NULL;
}

void *__wrap_dlsym(void *handle, const char *name)
{
	(void)handle;
	(void)name;
	return NULL;
}

int __wrap_dlclose(void *handle)
{
	(void)handle;
	return 0;
}

char *__wrap_dlerror(void)
{
	static char said[] = "no shared libraries here";

	return said;
}

int __wrap_dladdr(const void *address, void *info)
{
	(void)address;
	(void)info;
	return 0;
}
