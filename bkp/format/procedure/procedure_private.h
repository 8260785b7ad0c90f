/* procedure_private: what the modules of a procedure share (procedure*.c); see procedure.h. */
#ifndef BKP_FORMAT_PROCEDURE_PROCEDURE_PRIVATE_H
#define BKP_FORMAT_PROCEDURE_PROCEDURE_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>

#include "format/policy/policy.h"
#include "format/procedure/procedure.h"

struct buf;
struct cmark_node;
struct err;
struct config_node;

/* ---- procedure_value.c: templates and values ---- */

enum procedure_part {
	PROCEDURE_PART_END,
	PROCEDURE_PART_TEXT, /* n bytes at s */
	PROCEDURE_PART_NAME, /* ${…}: the n bytes between the braces */
	PROCEDURE_PART_OPEN, /* "${" that is not closed, or holds no name: the n bytes at s */
};
/* Takes one part off the template at *at. */
enum procedure_part procedure_next_part(const char **at, const char **ret_s, size_t *ret_n);

bool procedure_is_name(const char *s, size_t n);      /* of a variable */
bool procedure_is_of_engine(const char *s, size_t n); /* scratch, generation, medium, procedure */
/* NULL: good; else what would be right, and the code for a default that is not. */
const char *procedure_value_fault(enum procedure_type type, const char *value, const char **ret_code);
/* procedure_expand(); with keep, an unknown ${name} stays as it is. */
int procedure_fill(
    const char *text, procedure_lookup_fn *lookup, void *arg, bool keep, struct buf *out, struct err *err);

/* ---- procedure_blocks.c: the document (libcmark) ---- */

/* The document from p on, with nothing of it left out: also to be freed by cmark_node_free(). */
struct cmark_node *procedure_document(const char *source, size_t n);

/* A block that the engine acts on. */
struct procedure_block {
	bool is_head; /* the block "procedure" */
	enum procedure_kind kind;
	unsigned line;	     /* of its fence */
	const char *content; /* what stands between the fences */
};
/* 0 or -1; content is valid while the document is. */
typedef int procedure_block_fn(void *arg, const struct procedure_block *block, struct err *err);

/* Calls on_block for each such block in order; reports what only looks like one, and a missing title.
 * *ret_title is NULL when there is none. */
int procedure_blocks(struct cmark_node *document, const char *source, size_t n, procedure_block_fn *on_block,
    void *arg, char **ret_title, struct config_problems *problems, struct err *err);

/* ---- procedure_schema.c: the keys of a block ---- */

/* 0 whatever was reported; -1: out of memory. */
int procedure_schema_head(
    const struct config_node *root, struct procedure *p, struct config_problems *problems, struct err *err);
int procedure_schema_step(const struct config_node *root, struct procedure_step *step,
    struct config_problems *problems, struct err *err);

/* ---- procedure_rules.c: what must hold beyond single values; the trees say where ---- */

void procedure_rules_head(
    const struct procedure *p, const struct config_node *root, struct config_problems *problems);
/* steps before it in p are complete; 0 whatever was reported, -1: out of memory */
int procedure_rules_step(const struct procedure *p, const struct procedure_step *step,
    const struct config_node *root, struct config_problems *problems, struct err *err);

/* What must hold between steps. */
void procedure_rules_scans(const struct procedure *p, struct config_problems *problems);

#endif
