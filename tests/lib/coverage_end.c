/* coverage_end: linked into the programs of the build "coverage", so that what ran is counted of every process that ends by itself. */
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

void __gcov_dump(void);
_Noreturn void __real__exit(int);
int __real_raise(int);
long __real_syscall(long, ...);
_Noreturn void __wrap__exit(int);
int __wrap_raise(int);
long __wrap_syscall(long, ...);

/* Where counts cannot be written it is not the program's to say so.  This late no command of it sees the variable. */
static void quiet(void) { (void)setenv("GCOV_ERROR_FILE", "/dev/null", 0); }

__attribute__((constructor)) static void begin(void) { (void)atexit(quiet); }

void __wrap__exit(int code)
{
	quiet();
	__gcov_dump();
	__real__exit(code);
}

int __wrap_raise(int number)
{
	quiet();
	__gcov_dump();
	return __real_raise(number);
}

/* Confined it could not write the counts.  All else of it runs; that it confines is for the other builds to show. */
long __wrap_syscall(long number, ...)
{
	va_list a;
	long p[6];

	va_start(a, number);
	for (int i = 0; i < 6; i++)
		p[i] = va_arg(a, long);
	va_end(a);
	return number == SYS_landlock_restrict_self ? 0 : __real_syscall(number, p[0], p[1], p[2], p[3], p[4], p[5]);
}
