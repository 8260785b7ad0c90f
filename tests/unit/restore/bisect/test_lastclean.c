/* lastclean: which is the last clean generation, for every history of up to seven generations, against the rule written down plainly. */
#include <stdio.h>

#include "unit.h"
#include "restore/bisect/lastclean.h"

#define MOST 7

static struct lastclean_generation g[MOST];

/* "cbbc": the newest first */
static struct lastclean of(const char *s, size_t *ret_n)
{
	size_t n = 0;

	for (; s[n]; n++)
		g[n] = (struct lastclean_generation){.number = MOST - n,
		    .state = s[n] == 'c'   ? LASTCLEAN_CLEAN
			     : s[n] == 'b' ? LASTCLEAN_BAD
					   : LASTCLEAN_UNKNOWN};
	*ret_n = n;
	return lastclean_judge(g, n);
}

static void are(const char *s, int first_bad, int last, int behind)
{
	size_t n;
	struct lastclean l = of(s, &n);

	assert_int_equal(l.first_bad, first_bad < 0 ? n : (size_t)first_bad);
	assert_int_equal(l.last, last < 0 ? n : (size_t)last);
	assert_int_equal(l.behind, behind < 0 ? n : (size_t)behind);
}

static void histories(void **state)
{
	(void)state;
	are("cbbbccc", 3, 4, 0);  /* it came, and somebody cleared it up */
	are("bbbcccc", 2, 3, -1); /* it is there still */
	are("ccc", -1, 0, -1);	  /* nothing ever was */
	are("cbcbc", 3, 4, 0);	  /* it came again */
	are("bbb", 2, -1, -1);	  /* it was there from the beginning */
	are("buc", 0, 2, -1);	  /* between them one that could not be read */
	are("bu", 0, -1, -1);
	are("uuc", -1, 2, -1);
	are("", -1, -1, -1);
}

/* The last clean one is the newest that has nothing bad before it, in its own words. */
static void every_history(void **state)
{
	static const char letters[] = "cbu";
	char s[MOST + 1] = "";
	(void)state;

	for (unsigned i = 0; i < 3 * 3 * 3 * 3 * 3 * 3 * 3; i++) {
		size_t n, last, behind, first;
		struct lastclean l;

		for (unsigned k = 0, v = i; k < MOST; k++, v /= 3)
			s[k] = letters[v % 3];
		l = of(s, &n);
		for (first = n; first-- && s[first] != 'b';)
			;
		first = first == SIZE_MAX ? n : first;
		for (last = first == n ? 0 : first + 1; last < n && s[last] != 'c'; last++)
			;
		for (behind = 0; behind < first && s[behind] != 'c'; behind++)
			;
		assert_int_equal(l.first_bad, first);
		assert_int_equal(l.last, last);
		assert_int_equal(l.behind, first == n || behind >= first ? n : behind);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(histories), cmocka_unit_test(every_history)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
