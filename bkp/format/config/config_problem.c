/* config_problem: see config_problem.h.
 *
 * The list has a fixed size, so that a hostile file cannot make it grow.  When it is full an error takes the place of the
 * last warning; counts go on. */
#include "format/config/config_problem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "base/width.h"

static struct config_problem *problem_slot(struct config_problems *list, enum config_severity severity)
{
	size_t i = list->n;

	if (list->n < CONFIG_PROBLEMS_MAX)
		return &list->item[list->n++];
	if (severity == CONFIG_WARNING)
		return NULL;
	while (i > 0 && list->item[i - 1].severity != CONFIG_WARNING)
		i--;
	return i > 0 ? &list->item[i - 1] : NULL;
}

__attribute__((format(printf, 5, 0))) static struct config_problem *add_problem(struct config_problems *list,
    enum config_severity severity, struct config_mark mark, const char *code, const char *fmt, va_list ap)
{
	struct config_problem *p = problem_slot(list, severity);

	*(severity == CONFIG_ERROR ? &list->n_errors : &list->n_warnings) += 1;
	if (!p)
		return NULL;
	p->mark = mark;
	p->severity = severity;
	p->hint[0] = '\0';
	snprintf(p->code, sizeof(p->code), "%s", code);
	vsnprintf(p->msg, sizeof(p->msg), fmt, ap);
	width_whole(p->msg);
	return p;
}

struct config_problem *config_problem_error(
    struct config_problems *list, struct config_mark mark, const char *code, const char *fmt, ...)
{
	struct config_problem *p;
	va_list ap;

	va_start(ap, fmt);
	p = add_problem(list, CONFIG_ERROR, mark, code, fmt, ap);
	va_end(ap);
	return p;
}

struct config_problem *config_problem_warn(
    struct config_problems *list, struct config_mark mark, const char *code, const char *fmt, ...)
{
	struct config_problem *p;
	va_list ap;

	va_start(ap, fmt);
	p = add_problem(list, CONFIG_WARNING, mark, code, fmt, ap);
	va_end(ap);
	return p;
}

void config_problem_hint(struct config_problem *item, const char *fmt, ...)
{
	va_list ap;

	if (!item)
		return;
	va_start(ap, fmt);
	vsnprintf(item->hint, sizeof(item->hint), fmt, ap);
	va_end(ap);
	width_whole(item->hint);
}

static bool stands_later(const struct config_problem *a, const struct config_problem *b)
{
	return a->mark.line != b->mark.line ? a->mark.line > b->mark.line : a->mark.column > b->mark.column;
}

void config_problem_sort(struct config_problems *list)
{
	size_t i, j;

	for (i = 1; i < list->n; i++) /* few and mostly in order: insertion, which is stable */
		for (j = i; j > 0 && stands_later(&list->item[j - 1], &list->item[j]); j--) {
			struct config_problem swap = list->item[j];

			list->item[j] = list->item[j - 1];
			list->item[j - 1] = swap;
		}
}

const char *config_problem_show(const char *s, size_t n, char out[CONFIG_SHOWN])
{
	char cut[61], shown[CONFIG_SHOWN];
	size_t used = 0;
	uint32_t cp;

	while (used < n && s[used]) {
		size_t len = width_decode(s + used, n - used, &cp);

		if (used + len >= sizeof(cut))
			break;
		memcpy(cut + used, s + used, len);
		used += len;
	}
	cut[used] = '\0';
	path_show(cut, shown, sizeof(shown));
	snprintf(out, CONFIG_SHOWN, "%.*s%s", CONFIG_SHOWN - 4, shown, used < n ? "…" : "");
	return out;
}

int config_problems_first(
    const struct config_problems *problems, const char *file, const char *behind, struct err *err)
{
	const struct config_problem *p = problems->item;
	char shown[256];

	while (p->severity != CONFIG_ERROR)
		p++;
	err_set(err, p->code, "%s:%u:%u: %s%s", path_show(file, shown, sizeof(shown)), p->mark.line,
	    p->mark.column, p->msg, behind);
	return p->hint[0] ? err_hint(err, "%s", p->hint) : -1;
}

int config_problems_format(
    const struct config_problems *problems, const char *file, struct buf *out, struct err *err)
{
	size_t i, found = problems->n_errors + problems->n_warnings;

	for (i = 0; i < problems->n; i++) {
		const struct config_problem *p = &problems->item[i];

		if (buf_printf(out, err, "%s:%u:%u: %s: %s (%s)\n", file, p->mark.line, p->mark.column,
			p->severity == CONFIG_ERROR ? text("error") : text("warning"), p->msg, p->code))
			return -1;
		if (p->hint[0] && buf_printf(out, err, "  → %s\n", p->hint))
			return -1;
	}
	if (found > problems->n)
		return buf_printf(out, err, text("%s: %zu more are not shown\n"), file, found - problems->n);
	return 0;
}
