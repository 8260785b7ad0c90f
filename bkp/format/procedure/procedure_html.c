/* procedure_html: see procedure_html.h.
 *
 * The page in the order in which it is written: head of the document, style, foot (a table's foot, so that browsers repeat
 * it on every printed page), page_head(), the document with its steps (sheet_body()), page_tail() with the boxes for
 * signatures.  The first failure is kept in the sheet; then nothing of the page stays in `out`. */
#include "format/procedure/procedure_html.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "format/crypto/digest.h"
#include "format/policy/policy_plan.h"
#include "format/procedure/procedure_html_private.h"

#define SHA_SHOWN 16 /* digits: enough to match a paper with a file */
#define LINE	  128

/* The table "sheet" is there for its foot: browsers repeat it on every printed page, and leave room for it.
 */
static const char style[] =
    "@page{size:A4;margin:15mm}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0 auto;max-width:180mm;color:#000;background:#fff;overflow-wrap:anywhere;\n"
    "font:10.5pt/1.45 \"Noto Sans CJK JP\",\"Noto Sans JP\",\"BIZ UDPGothic\",\"Yu "
    "Gothic\",Meiryo,\"Hiragino Sans\",\n"
    "\"IPAexGothic\",\"IPAPGothic\",\"IPAGothic\",sans-serif}\n"
    "h1{font-size:18pt;margin:0 0 3mm;line-height:1.3}\n"
    "h2,h3{break-after:avoid;page-break-after:avoid;margin:4mm 0 1mm;line-height:1.3}\n"
    "h2{font-size:13pt}\n"
    "h3{font-size:11pt}\n"
    "p,ul,ol{margin:1.5mm 0}\n"
    "table{width:100%;border-collapse:collapse;table-layout:fixed}\n"
    "td,th{text-align:left;vertical-align:top;font-weight:normal;padding:0}\n"
    ".form th,.form td,.boxes td{border:0.5pt solid #000;padding:0.8mm 1.5mm}\n"
    ".form th{width:34mm;font-weight:bold}\n"
    ".form td{height:6.5mm}\n"
    ".sheet>tbody>tr>td{padding:0 1mm}\n"
    ".kindof{margin:0;font-size:9pt}\n"
    ".verdict{border:2pt solid #000;font-size:16pt;font-weight:bold;padding:1mm 3mm;margin:2mm 0}\n"
    ".step,.keep{break-inside:avoid;page-break-inside:avoid;margin:3mm 0}\n"
    ".step{border:1.5pt solid #000}\n"
    ".head{padding:1mm 1.5mm;overflow:hidden}\n"
    ".number{font-weight:bold;font-size:12pt}\n"
    ".step .stamp{float:right;border:1.5pt solid #000;padding:0 3mm;font-weight:bold}\n"
    ".field{display:inline-block;margin-right:5mm}\n"
    ".blank{display:inline-block;width:30mm;height:6mm;border-bottom:0.5pt solid #000}\n"
    ".boxes td{height:22mm}\n"
    "pre,code{font:9pt/1.4 \"Noto Sans Mono CJK JP\",\"DejaVu Sans Mono\",Consolas,Menlo,\"Liberation "
    "Mono\",\"IPAGothic\",monospace}\n"
    "pre{margin:0;white-space:pre-wrap}\n"
    ".text pre{border:0.5pt solid #000;padding:1mm}\n"
    ".text .step pre{border:0;padding:0}\n"
    ".foot{font-size:8pt;padding-top:2mm}\n"
    "thead,tfoot{break-inside:avoid}\n";

static void fact_rows(struct sheet *s, const struct procedure_fact *facts, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		sheet_row(s, facts[i].label, facts[i].value);
}

static void plan_rows(struct sheet *s)
{
	const struct procedure *p = s->p;
	char line[LINE], duration[POLICY_PLAN_TEXT];

	if (p->id)
		sheet_row(s, text("Procedure"), p->id);
	if (p->version)
		sheet_row(s, text("Version"), p->version);
	if (p->dataset)
		sheet_row(s, text("Data set"), p->dataset);
	snprintf(line, sizeof(line), text("%zu steps, %u min"), p->n_steps, p->minutes);
	sheet_row(s, text("Plan"), line);
	if (s->page->n_facts)
		return; /* they say it with what was reached */
	if (p->rto_s)
		sheet_row(s, text("Recovered within (RTO)"), policy_plan_duration(p->rto_s, duration));
	if (p->rpo_s)
		sheet_row(s, text("Data not older than (RPO)"), policy_plan_duration(p->rpo_s, duration));
}

/* On paper people fill in what a drill's record would say. */
static void empty_rows(struct sheet *s)
{
	sheet_row(s, text("Date"), "");
	sheet_row(s, text("Medium and generation"), "");
	sheet_row(s, text("Carried out by"), "");
}

static void contact_list(struct sheet *s)
{
	size_t i;

	if (!s->p->n_contacts)
		return;
	sheet_markup(s, "<section class=\"keep\">\n<h2>");
	sheet_text(s, text("Whom to call"));
	sheet_markup(s, "</h2>\n<ul>\n");
	for (i = 0; i < s->p->n_contacts; i++) {
		sheet_markup(s, "<li>");
		sheet_text(s, s->p->contacts[i]);
		sheet_markup(s, "</li>\n");
	}
	sheet_markup(s, "</ul>\n</section>\n");
}

static void variable_table(struct sheet *s)
{
	size_t i;

	if (!s->p->n_variables)
		return;
	sheet_markup(s, "<section class=\"keep\">\n<h2>");
	sheet_text(s, text("Values"));
	sheet_markup(s, "</h2>\n<table class=\"form\"><tbody>\n");
	for (i = 0; i < s->p->n_variables; i++) {
		const struct procedure_variable *v = &s->p->variables[i];
		const char *value = s->page->lookup ? s->page->lookup(s->page->arg, v->name) : NULL;

		sheet_row_begin(s, v->title ? v->title : v->name);
		sheet_markup(s, "<code>${");
		sheet_text(s, v->name);
		sheet_markup(s, "}</code> = ");
		sheet_text(s, value ? value : v->value ? v->value : "________________");
		sheet_row_end(s);
	}
	sheet_markup(s, "</tbody></table>\n</section>\n");
}

static bool is_record(const struct sheet *s)
{
	return s->page->stamps || s->page->verdict != PROCEDURE_MARK_NONE;
}

static void page_head(struct sheet *s)
{
	sheet_markup(s, "<p class=\"kindof\">");
	sheet_text(s,
	    is_record(s) ? text("Recovery procedure: record of its execution") : text("Recovery procedure"));
	sheet_markup(s, "</p>\n<h1>");
	sheet_text(s, s->p->title);
	sheet_markup(s, "</h1>\n");
	if (s->page->verdict != PROCEDURE_MARK_NONE) {
		sheet_markup(s, "<p class=\"verdict\">");
		sheet_mark(s, s->page->verdict, s->page->verdict_text);
		sheet_markup(s, "</p>\n");
	}
	sheet_markup(s, "<table class=\"form\"><tbody>\n");
	plan_rows(s);
	fact_rows(s, s->page->facts, s->page->n_facts);
	if (!is_record(s) && !s->page->n_facts)
		empty_rows(s);
	sheet_markup(s, "</tbody></table>\n");
	contact_list(s);
	variable_table(s);
}

static void page_tail(struct sheet *s)
{
	size_t i;

	if (s->page->n_signatures) {
		sheet_markup(s, "<table class=\"boxes keep\"><tbody><tr>\n");
		for (i = 0; i < s->page->n_signatures; i++) {
			sheet_markup(s, "<td>");
			sheet_text(s, s->page->signatures[i]);
			sheet_markup(s, "</td>\n");
		}
		sheet_markup(s, "</tr></tbody></table>\n");
	}
	if (s->page->n_footer) {
		sheet_markup(s, "<table class=\"form keep\"><tbody>\n");
		fact_rows(s, s->page->footer, s->page->n_footer);
		sheet_markup(s, "</tbody></table>\n");
	}
}

/* What tells which file a page of paper was printed from. */
static void page_foot(struct sheet *s)
{
	char hex[DIGEST_HEX];

	sheet_markup(s, "<tfoot><tr><td class=\"foot\">");
	sheet_text(s, s->p->id ? s->p->id : s->p->title);
	if (s->p->version) {
		sheet_markup(s, " · ");
		sheet_text(s, text("version"));
		sheet_markup(s, " ");
		sheet_text(s, s->p->version);
	}
	digest_hex(s->p->sha256, DIGEST_LEN, hex);
	hex[SHA_SHOWN] = '\0';
	sheet_markup(s, " · SHA-256 ");
	sheet_text(s, hex);
	sheet_markup(s, "…</td></tr></tfoot>\n");
}

int procedure_html(
    const struct procedure *p, const struct procedure_page *page, struct buf *out, struct err *err)
{
	struct sheet s = {p, page, out, err, 0};
	size_t before = out->n;

	sheet_markup(&s, "<!DOCTYPE html>\n<html lang=\"");
	sheet_markup(&s, text_lang() == TEXT_JA ? "ja" : "en");
	sheet_markup(&s, "\">\n<head>\n<meta charset=\"utf-8\"/>\n"
			 "<meta http-equiv=\"Content-Security-Policy\" "
			 "content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n<title>");
	sheet_text(&s, p->title);
	sheet_markup(&s, "</title>\n<style>\n");
	sheet_markup(&s, style);
	sheet_markup(&s, "</style>\n</head>\n<body>\n<table class=\"sheet\">\n");
	page_foot(&s);
	sheet_markup(&s, "<tbody><tr><td>\n");
	page_head(&s);
	sheet_markup(&s, "<div class=\"text\">\n");
	sheet_body(&s);
	sheet_markup(&s, "</div>\n");
	page_tail(&s);
	sheet_markup(&s, "</td></tr></tbody>\n</table>\n</body>\n</html>\n");
	if (s.r)
		out->n = before;
	return s.r;
}
