/* procedure_html: a step as a form, empty or with what came of it. */
#include "format/procedure/procedure_html_private.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "format/policy/policy_plan.h"

#define LINE 128 /* bytes of a figure with its words */

static const char *kind_label(enum procedure_kind kind)
{
	switch (kind) {
	case PROCEDURE_CONFIRM:
		return text("Confirm");
	case PROCEDURE_RESTORE:
		return text("Restore");
	case PROCEDURE_RUN:
		return text("Run");
	case PROCEDURE_CHECK:
		return text("Check");
	default:
		return text("Note");
	}
}

static void step_head(struct sheet *s, const struct procedure_step *step, const struct procedure_stamp *stamp)
{
	char line[LINE];

	sheet_markup(s, "<div class=\"head\">");
	if (stamp && stamp->mark != PROCEDURE_MARK_NONE)
		sheet_mark(s, stamp->mark, NULL);
	sheet_markup(s, "<span class=\"number\">");
	snprintf(line, sizeof(line), text("Step %u"), step->number);
	sheet_text(s, line);
	sheet_markup(s, "</span> <span class=\"kind\">");
	sheet_text(s, kind_label(step->kind));
	snprintf(line, sizeof(line), "%u", step->number);
	if (strcmp(step->id, line) != 0) {
		sheet_markup(s, " · ");
		sheet_text(s, step->id);
	}
	if (step->always) {
		sheet_markup(s, " · ");
		sheet_text(s, text("done also after a failure"));
	}
	sheet_markup(s, "</span></div>\n");
}

static void template_row(struct sheet *s, const char *label, const char *template)
{
	sheet_row_begin(s, label);
	sheet_template(s, template);
	sheet_row_end(s);
}

static void restore_rows(struct sheet *s, const struct procedure_step *step)
{
	size_t i;

	template_row(s, text("Data set"), step->dataset);
	if (step->n_paths) {
		sheet_row_begin(s, text("Of it"));
		for (i = 0; i < step->n_paths; i++) {
			sheet_markup(s, i ? "<br/><code>" : "<code>");
			sheet_template(s, step->paths[i]);
			sheet_markup(s, "</code>");
		}
		sheet_row_end(s);
	}
	if (step->generation)
		template_row(s, text("Generation"), step->generation);
	template_row(s, text("Into the folder"), step->to);
}

static void command_rows(struct sheet *s, const struct procedure_step *step)
{
	char duration[POLICY_PLAN_TEXT];

	sheet_row_begin(s, text("Command"));
	sheet_markup(s, "<pre>");
	sheet_pre(s, step->command);
	sheet_markup(s, "</pre>");
	sheet_row_end(s);
	if (step->limit_s)
		sheet_row(s, text("Stopped after"), policy_plan_duration(step->limit_s, duration));
	if (step->probe) {
		sheet_row_begin(s, text("Compared with"));
		sheet_text(s, text("the value recorded at capture"));
		sheet_markup(s, ": ");
		sheet_template(s, step->probe);
		sheet_row_end(s);
	}
	if (step->value)
		template_row(s, text("Compared with"), step->value);
}

static void result_rows(struct sheet *s, const struct procedure_stamp *stamp)
{
	char span[CLOCK_SPAN], date[CLOCK_DATE];
	size_t i;

	if (stamp->mark != PROCEDURE_MARK_NOT_DONE) {
		if (stamp->begun_ns)
			sheet_row(s, text("Begun"), clock_format_date(stamp->begun_ns, date));
		sheet_row(s, text("Taken"), clock_format_span(stamp->seconds, span));
	}
	for (i = 0; i < stamp->n_facts; i++)
		sheet_row(s, stamp->facts[i].label, stamp->facts[i].value);
}

static void result_boxes(struct sheet *s)
{
	static const char *const blank = "<span class=\"blank\"></span>";

	sheet_row_begin(s, text("Result"));
	sheet_markup(s, "<span class=\"field\">□ ");
	sheet_text(s, text("Passed"));
	sheet_markup(s, "</span><span class=\"field\">□ ");
	sheet_text(s, text("Failed"));
	sheet_markup(s, "</span><span class=\"field\">");
	sheet_text(s, text("Begun"));
	sheet_markup(s, " __:__</span><span class=\"field\">");
	sheet_text(s, text("Ended"));
	sheet_markup(s, " __:__</span><span class=\"field\">");
	sheet_text(s, text("Signature"));
	sheet_markup(s, blank);
	sheet_markup(s, "</span>");
	sheet_row_end(s);
}

void sheet_step(struct sheet *s, size_t i)
{
	const struct procedure_step *step = &s->p->steps[i];
	const struct procedure_stamp *stamp = s->page->stamps ? &s->page->stamps[i] : NULL;
	char line[LINE];

	sheet_markup(s, "<section class=\"step\">\n");
	step_head(s, step, stamp);
	sheet_markup(s, "<table class=\"form\"><tbody>\n");
	template_row(s, text("Who"), step->who);
	template_row(s, text("What"), step->what);
	template_row(s, text("How"), step->how);
	if (step->kind == PROCEDURE_RESTORE)
		restore_rows(s, step);
	if (step->command)
		command_rows(s, step);
	template_row(s, text("Pass criterion"), step->pass);
	snprintf(line, sizeof(line), text("%u min"), step->minutes);
	sheet_row(s, text("Planned"), line);
	if (stamp && stamp->mark != PROCEDURE_MARK_NONE)
		result_rows(s, stamp);
	else
		result_boxes(s);
	sheet_markup(s, "</tbody></table>\n</section>\n");
}
