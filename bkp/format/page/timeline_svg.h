/* timeline_svg: the timelines of data sets (timeline.h) as one drawing, for A4 lying on its side.
 *
 * A self-contained SVG file: it fetches nothing, holds no script, and can be read without colour.  Each data set is five strips, a bar a
 * generation, on a logarithmic scale; below them the verdicts as signs.  Where there are more generations than fit, the newest are
 * drawn, and that is said.
 */
#ifndef BKP_FORMAT_PAGE_TIMELINE_SVG_H
#define BKP_FORMAT_PAGE_TIMELINE_SVG_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct timeline_row;

#define TIMELINE_SVG_SETS 4
#define TIMELINE_SVG_ROWS 90

/* rows: n of them, judged; those of one data set behind one another.  At most TIMELINE_SVG_SETS data sets.  under: a line below the
 * title, of plain characters. */
int timeline_svg(const struct timeline_row *rows, size_t n, const char *under, struct buf *out,
    struct err *err) __attribute__((warn_unused_result));

#endif
