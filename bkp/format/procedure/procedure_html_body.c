/* procedure_html: the document's own text by libcmark, made inert: nothing in it refers to anything. */
#include <stdlib.h>
#include <string.h>

#include <cmark.h>

#include "base/buf.h"
#include "base/err.h"
#include "format/procedure/procedure_html_private.h"
#include "format/procedure/procedure_private.h"

/* What a link leads to, where its text does not say so already. */
static bool is_said(cmark_node *link, const char *url)
{
	cmark_node *child = cmark_node_first_child(link);
	const char *s = child && !cmark_node_next(child) ? cmark_node_get_literal(child) : NULL;

	if (!strncmp(url, "mailto:", 7) && s && !strcmp(s, url + 7))
		return true;
	return !*url || (s && !strcmp(s, url));
}

static int unlink_reference(cmark_node *link, struct err *err)
{
	BUF_AUTO b = BUF_INIT(2 * PROCEDURE_BYTES_MAX);
	const char *url = cmark_node_get_url(link);
	cmark_node *child, *behind;

	if (!is_said(link, url)) {
		if (buf_printf(&b, err, " (%s)", url) || buf_terminate(&b, err))
			return -1;
		behind = cmark_node_new(CMARK_NODE_TEXT);
		cmark_node_set_literal(behind, (const char *)b.p);
		cmark_node_insert_after(link, behind);
	}
	while ((child = cmark_node_first_child(link)))
		cmark_node_insert_before(link, child);
	cmark_node_unlink(link);
	cmark_node_free(link);
	return 0;
}

static void replace_node(cmark_node *node, cmark_node_type type)
{
	cmark_node *text = cmark_node_new(type);

	cmark_node_set_literal(text, cmark_node_get_literal(node));
	cmark_node_replace(node, text);
	cmark_node_free(node);
}

static int make_inert(cmark_node *document, struct err *err)
{
	cmark_iter *iter = cmark_iter_new(document);
	cmark_event_type event;
	int r = 0;

	while (!r && (event = cmark_iter_next(iter)) != CMARK_EVENT_DONE) {
		cmark_node *node = cmark_iter_get_node(iter);
		cmark_node_type type = cmark_node_get_type(node);

		if (event == CMARK_EVENT_EXIT && (type == CMARK_NODE_LINK || type == CMARK_NODE_IMAGE))
			r = unlink_reference(node, err);
		else if (event == CMARK_EVENT_ENTER && type == CMARK_NODE_HTML_INLINE)
			replace_node(node, CMARK_NODE_TEXT);
		else if (event == CMARK_EVENT_ENTER && type == CMARK_NODE_HTML_BLOCK)
			replace_node(node, CMARK_NODE_CODE_BLOCK);
	}
	cmark_iter_free(iter);
	return r;
}

static void render_node(struct sheet *s, cmark_node *node)
{
	char *html = cmark_render_html(node, CMARK_OPT_DEFAULT);

	if (html)
		sheet_rendered(s, html);
	else if (!s->r)
		s->r = err_nomem(s->err);
	free(html);
}

/* Children of the document in order.  The first heading of level 1 stands at the head of the page already. */
static void render_children(struct sheet *s, cmark_node *document)
{
	cmark_node *node;
	bool had_title = false;
	size_t step = 0;

	for (node = cmark_node_first_child(document); node && !s->r; node = cmark_node_next(node)) {
		bool is_code = cmark_node_get_type(node) == CMARK_NODE_CODE_BLOCK;
		unsigned line = (unsigned)cmark_node_get_start_line(node);

		if (is_code && step < s->p->n_steps && line == s->p->steps[step].line) {
			sheet_step(s, step++);
		} else if (is_code && !strcmp(cmark_node_get_fence_info(node), "procedure")) {
			continue;
		} else if (!had_title && cmark_node_get_type(node) == CMARK_NODE_HEADING &&
			   cmark_node_get_heading_level(node) == 1 && cmark_node_first_child(node)) {
			had_title = true;
		} else {
			if (is_code)
				cmark_node_set_fence_info(node, "");
			render_node(s, node);
		}
	}
}

void sheet_body(struct sheet *s)
{
	const char *source = s->p->source;
	size_t n = s->p->source_len;
	cmark_node *document;

	if (s->r)
		return;
	if (n >= 3 && !memcmp(source, "\xef\xbb\xbf", 3)) {
		source += 3;
		n -= 3;
	}
	document = procedure_document(source, n);
	s->r = make_inert(document, s->err);
	if (!s->r)
		render_children(s, document);
	cmark_node_free(document);
}
