/* journal_words_acts: which records name a person who acted, and which of them that person has signed; see journal_words.h. */
#include "cmd/show/journal_words.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "format/journal/journal.h"
#include "read/ledger/ledger.h"

#define SHOW	      256
#define RECORDS_SHOWN 20 /* numbers of claims a person; JSON has all */

struct journal_act {
	uint64_t seq;
	char *who;
	bool own; /* the record itself holds their signature */
};

int journal_words_acts_take(void *arg, const struct journal_record *r, struct err *err)
{
	struct journal_acts *a = arg;
	const char *who[JOURNAL_PEOPLE];
	bool own;
	const size_t n = journal_words_people(r, who, &own);

	for (size_t i = 0; i < n; i++) {
		if (a->n == a->cap) {
			const size_t cap = a->cap ? 2 * a->cap : 64;
			struct journal_act *more = reallocarray(a->list, cap, sizeof(*more));

			if (!more)
				return err_nomem(err);
			a->list = more;
			a->cap = cap;
		}
		a->list[a->n] = (struct journal_act){r->seq, strdup(who[i]), own};
		if (!a->list[a->n++].who)
			return err_nomem(err);
	}
	return 0;
}

void journal_words_acts_clear(struct journal_acts *a)
{
	for (size_t i = 0; i < a->n; i++)
		free(a->list[i].who);
	free(a->list);
	*a = (struct journal_acts){0};
}

static bool is_signed(const struct journal_act *act, const struct ledger *l)
{
	return act->own || ledger_signed_by(l, act->seq, act->who);
}

/* Is it the first of that person? */
static bool is_first(const struct journal_acts *a, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (!strcmp(a->list[k].who, a->list[i].who))
			return false;
	return true;
}

/* Signed in a person's name, that very record, with a key that the policy did not have of them. */
static bool is_anothers(const struct journal_acts *a, const struct ledger_countersign *c)
{
	for (size_t i = 0; i < a->n && !c->known; i++)
		if (a->list[i].seq == c->upto && !strcmp(a->list[i].who, c->name))
			return true;
	return false;
}

static json_t *person_json(const struct journal_acts *a, size_t first, const struct ledger *l)
{
	json_t *signed_ = json_array(), *claims = json_array();

	for (size_t i = first; i < a->n; i++)
		if (!strcmp(a->list[i].who, a->list[first].who))
			json_array_append_new(is_signed(&a->list[i], l) ? signed_ : claims,
			    json_integer((json_int_t)a->list[i].seq));
	return json_pack("{s:s, s:o, s:o}", "name", a->list[first].who, "signed", signed_, "claims", claims);
}

json_t *journal_words_acts_json(const struct journal_acts *a, const struct ledger *l)
{
	json_t *people = json_array(), *others = json_array();

	for (size_t i = 0; i < a->n; i++)
		if (is_first(a, i))
			json_array_append_new(people, person_json(a, i, l));
	for (size_t i = 0; i < ledger_countersigns(l); i++) {
		const struct ledger_countersign *c = ledger_countersign(l, i);

		if (is_anothers(a, c))
			json_array_append_new(
			    others, json_pack("{s:I, s:I, s:s, s:s}", "record", (json_int_t)c->seq, "of",
					(json_int_t)c->upto, "name", c->name, "key", c->key));
	}
	return json_pack("{s:o, s:o}", "people", people, "not_theirs", others);
}

static void print_person(const json_t *person)
{
	const json_t *claims = json_object_get(person, "claims"), *o;
	char show[SHOW];
	size_t i;

	printf("            ");
	printf(text("%s: %zu signed, %zu claims only"),
	    path_show(journal_text(person, "name"), show, sizeof(show)),
	    json_array_size(json_object_get(person, "signed")), json_array_size(claims));
	json_array_foreach((json_t *)claims, i, o)
	{
		if (i < RECORDS_SHOWN)
			printf("%s %ju", i ? "," : text(" (records"), (uintmax_t)json_integer_value(o));
	}
	puts(!json_array_size(claims) ? "" : json_array_size(claims) > RECORDS_SHOWN ? ", …)" : ")");
}

void journal_words_acts_print(const struct journal_acts *a, const struct ledger *l)
{
	json_t *all = journal_words_acts_json(a, l), *o;
	char show[SHOW];
	size_t i, n = 0;

	for (i = 0; i < a->n; i++)
		n += is_signed(&a->list[i], l);
	printf("%s ", text("acts:      "));
	printf(text("%zu name a person: %zu are signed by them, %zu are claims only\n"), a->n, n, a->n - n);
	json_array_foreach(json_object_get(all, "people"), i, o)
	{
		print_person(o);
	}
	json_array_foreach(json_object_get(all, "not_theirs"), i, o)
	{
		printf("            ");
		printf(text("× record %ju signs record %ju as %s with a key that the policy did not have of "
			    "them\n"),
		    (uintmax_t)json_integer_value(json_object_get(o, "record")),
		    (uintmax_t)json_integer_value(json_object_get(o, "of")),
		    path_show(journal_text(o, "name"), show, sizeof(show)));
	}
	json_decref(all);
}
