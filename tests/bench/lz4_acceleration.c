/* lz4_acceleration: what LZ4's acceleration gains and loses on given files, in blocks of 1 MiB, one thread.
 *     bench_lz4_acceleration FILE...     prints a line for each file and acceleration: MB/s of CPU time, bytes stored of 100 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <lz4.h>

#define BLOCK	 (1 << 20)
#define FILE_MAX ((size_t)256 << 20)
#define AT_LEAST 0.5 /* seconds of measuring */

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void measure(const char *name, const char *p, size_t n, int acceleration, char *out)
{
	double begun = now(), took;
	size_t stored = 0, rounds = 0;

	do {
		stored = 0;
		for (size_t at = 0; at < n; at += BLOCK) {
			int part = n - at < BLOCK ? (int)(n - at) : BLOCK;

			stored += (size_t)LZ4_compress_fast(
			    p + at, out, part, LZ4_compressBound(BLOCK), acceleration);
		}
		rounds++;
		took = now() - begun;
	} while (took < AT_LEAST);
	printf("%-40s acceleration %3d  %7.0f MB/s  %5.1f of 100 bytes\n", name, acceleration,
	    (double)n * (double)rounds / took / 1e6, 100.0 * (double)stored / (double)n);
}

int main(int argc, char **argv)
{
	static const int tried[] = {1, 2, 4, 8, 16, 32};
	char *p = malloc(FILE_MAX), *out = malloc((size_t)LZ4_compressBound(BLOCK));

	for (int i = 1; p && out && i < argc; i++) {
		FILE *f = fopen(argv[i], "rb");
		size_t n = f ? fread(p, 1, FILE_MAX, f) : 0;

		if (f)
			fclose(f);
		for (size_t k = 0; n && k < sizeof(tried) / sizeof(*tried); k++)
			measure(argv[i], p, n, tried[k], out);
	}
	free(p);
	free(out);
	return argc > 1 ? 0 : 64;
}
