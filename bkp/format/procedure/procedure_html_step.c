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
	case PROCEDURE_GATE:
		return text("Gate");
	case PROCEDURE_SCAN:
		return text("Scan");
	default:
		return text("Note");
	}
}

static void step_head(struct sheet *s, const struct procedure_step *step, const struct procedure_stamp *stamp)
{
	char line[LINE];

	if (stamp && stamp->mark != PROCEDURE_MARK_NONE)
		sheet_mark(s, "stamp", stamp->mark, NULL);
	snprintf(line, sizeof(line), text("Step %u"), step->number);
	sheet_piece(s, "step number", "NUMBER", line, "KIND", kind_label(step->kind), NULL);
	snprintf(line, sizeof(line), "%u", step->number);
	if (strcmp(step->id, line) != 0)
		sheet_piece(s, "step word", "TEXT", step->id, NULL);
	if (step->always)
		sheet_piece(s, "step word", "TEXT", text("done also after a failure"), NULL);
}

static void restore_rows(struct sheet *s, const struct procedure_step *step)
{
	char line[LINE];

	sheet_template(s, "row", text("Data set"), step->dataset);
	if (step->n_paths) {
		sheet_piece(s, "cell", "LABEL", text("Of it"), NULL);
		for (size_t i = 0; i < step->n_paths; i++)
			sheet_template(s, i ? "path more" : "path", NULL, step->paths[i]);
		sheet_piece(s, "cell end", NULL);
	}
	if (step->generation || step->select)
		sheet_template(s, "row", text("Generation"), step->select ? step->select : step->generation);
	if (step->priority) {
		snprintf(line, sizeof(line), "%u", step->priority);
		sheet_row(s, text("Priority"), line);
	}
	sheet_template(s, "row", text("Into the folder"), step->to);
}

static void name_rows(struct sheet *s, const struct procedure_step *step)
{
	for (size_t i = 0; i < step->n_names; i++)
		sheet_template(s, "row", text("To be looked at"), step->names[i]);
	if (step->names_from)
		sheet_row(s, text("To be looked at"), step->names_from);
}

static void command_rows(struct sheet *s, const struct procedure_step *step)
{
	char duration[POLICY_PLAN_TEXT];

	sheet_piece(s, "command", "LABEL", text("Command"), "=TEXT", step->command, NULL);
	if (step->limit_s)
		sheet_row(s, text("Stopped after"), policy_plan_duration(step->limit_s, duration));
	if (step->probe) {
		sheet_piece(s, "cell", "LABEL", text("Compared with"), NULL);
		sheet_piece(s, "probe", "WITH", text("the value recorded at capture"), NULL);
		sheet_template(s, "text", NULL, step->probe);
		sheet_piece(s, "cell end", NULL);
	}
	if (step->value)
		sheet_template(s, "row", text("Compared with"), step->value);
}

static void gate_rows(struct sheet *s, const struct procedure_step *step, bool blank)
{
	char line[LINE];

	if (step->statement)
		sheet_template(s, "row", text("What is signed"), step->statement);
	snprintf(line, sizeof(line), text("%s, %u of them"), step->role, step->people);
	sheet_row(s, text("Signed by"), step->people > 1 ? line : step->role);
	for (unsigned i = 0; blank && i < step->people; i++)
		sheet_row(s, text("Name, date, evidence"), "");
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
	sheet_piece(s, "result", "LABEL", text("Result"), "PASSED", text("Passed"), "FAILED", text("Failed"),
	    "BEGUN", text("Begun"), "ENDED", text("Ended"), "SIGNATURE", text("Signature"), NULL);
}

void sheet_step(struct sheet *s, size_t i)
{
	const struct procedure_step *step = &s->p->steps[i];
	const struct procedure_stamp *stamp = s->page->stamps ? &s->page->stamps[i] : NULL;
	char line[LINE];

	sheet_piece(s, "step", NULL);
	step_head(s, step, stamp);
	sheet_piece(s, "step form", NULL);
	sheet_template(s, "row", text("Who"), step->who);
	sheet_template(s, "row", text("What"), step->what);
	sheet_template(s, "row", text("How"), step->how);
	if (step->kind == PROCEDURE_RESTORE)
		restore_rows(s, step);
	if (step->kind == PROCEDURE_GATE)
		gate_rows(s, step, !stamp || stamp->mark == PROCEDURE_MARK_NONE);
	if (step->kind == PROCEDURE_CONFIRM)
		name_rows(s, step);
	if (step->command)
		command_rows(s, step);
	sheet_template(s, "row", text("Pass criterion"), step->pass);
	snprintf(line, sizeof(line), text("%u min"), step->minutes);
	sheet_row(s, text("Planned"), line);
	if (stamp && stamp->mark != PROCEDURE_MARK_NONE)
		result_rows(s, stamp);
	else
		result_boxes(s);
	sheet_piece(s, "section end", NULL);
}
