/* days_svg: drawings for a page that is looked at (sheet.h): a calendar whose cells are signs, and how old something was day by day.
 *
 * Inline SVG, nothing is fetched.  What a cell says is its sign; the colour repeats it.  Each drawing has a title and a description for who
 * does not see it, and a table of the same stands beside it (days_table()).  Lengths are pixels as on a telephone.
 */
#ifndef BKP_FORMAT_PAGE_DAYS_SVG_H
#define BKP_FORMAT_PAGE_DAYS_SVG_H

#include <stddef.h>
#include <stdint.h>

struct sheet;

struct days_cell {
	const char *sign;
	char kind; /* 'm' met, 'a' attention, 'x' missing, 'n' nothing to say */
};
struct days_grid {
	const char *id, *title, *desc;
	const char *const *heads; /* of the columns */
	size_t columns;
	const char *corner; /* what the rows are */
	const char *const *labels;
	size_t rows;
	const struct days_cell *cells; /* [row * columns + column] */
};
void days_grid_svg(struct sheet *s, const struct days_grid *g);
void days_grid_table(struct sheet *s, const struct days_grid *g);

struct days_ages {
	const char *id, *title, *desc, *none; /* none: what is written where there is none */
	const int32_t *age;		      /* in days; -1: none */
	size_t n;
	int32_t from, limit; /* the first day; a line there, 0: none */
};
void days_ages_svg(struct sheet *s, const struct days_ages *a);

#endif
