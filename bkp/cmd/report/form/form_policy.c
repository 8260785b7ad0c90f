/* form_policy: what the policy alone says: data that others back up, whom to call (連絡体制図, small and for the wall), equipment (情報資産台帳). */
#include "cmd/report/form/form.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/day.h"
#include "base/err.h"
#include "base/text.h"
#include "format/policy/policy.h"

const struct fact_column form_external_columns[] = {{"name", TEXT_LATER("Data"), FACT_TEXT},
    {"vendor", TEXT_LATER("Backed up by"), FACT_TEXT}, {"what", TEXT_LATER("What of it"), FACT_TEXT},
    {"how_often", TEXT_LATER("How often"), FACT_TEXT}, {"generations", TEXT_LATER("Generations"), FACT_TEXT},
    {"method", TEXT_LATER("Method"), FACT_TEXT}, {"place", TEXT_LATER("Place"), FACT_TEXT},
    {"contract", TEXT_LATER("Contract"), FACT_TEXT}, {"confirmed", TEXT_LATER("Confirmed on"), FACT_DAY}};

const struct fact_column form_contacts_columns[] = {{"kind", TEXT_LATER("Kind"), FACT_TEXT},
    {"name", TEXT_LATER("Whom to call"), FACT_TEXT}, {"person", TEXT_LATER("Person"), FACT_TEXT},
    {"tel", TEXT_LATER("Telephone"), FACT_TEXT}, {"mail", TEXT_LATER("Mail"), FACT_TEXT},
    {"hours", TEXT_LATER("Hours"), FACT_TEXT}, {"confirmed", TEXT_LATER("Confirmed on"), FACT_DAY},
    {"state", TEXT_LATER("State"), FACT_TEXT}, {"dual", TEXT_LATER("Several roles (兼務)"), FACT_TEXT}};

const struct fact_column form_wall_columns[] = {{"kind", TEXT_LATER("Kind"), FACT_TEXT},
    {"name", TEXT_LATER("Whom to call"), FACT_TEXT}, {"tel", TEXT_LATER("Telephone"), FACT_TEXT},
    {"hours", TEXT_LATER("Hours"), FACT_TEXT}};

const struct fact_column form_assets_columns[] = {{"name", TEXT_LATER("Device"), FACT_TEXT},
    {"model", TEXT_LATER("Model"), FACT_TEXT}, {"maker", TEXT_LATER("Maker"), FACT_TEXT},
    {"serial", TEXT_LATER("Serial number"), FACT_TEXT}, {"bought", TEXT_LATER("Bought"), FACT_DAY},
    {"support_until", TEXT_LATER("Maker's support until"), FACT_DAY},
    {"place", TEXT_LATER("Place"), FACT_TEXT}, {"network", TEXT_LATER("Network"), FACT_TEXT},
    {"users", TEXT_LATER("Users, administrators"), FACT_TEXT},
    {"os", TEXT_LATER("Version of its system"), FACT_TEXT}, {"system", TEXT_LATER("Belongs to"), FACT_TEXT},
    {"use", TEXT_LATER("Used for"), FACT_TEXT}, {"data", TEXT_LATER("Data on it"), FACT_TEXT},
    {"license", TEXT_LATER("Licence"), FACT_TEXT}};

char *form_date(int32_t day, char out[FORM_TIME])
{
	*out = '\0';
	return day ? day_format(day, out) : out;
}

int form_external(const struct report *r, json_t *rows, struct err *err)
{
	for (size_t i = 0; i < r->policy->n_external; i++) {
		const struct policy_external *x = &r->policy->external[i];
		char generations[FORM_TIME] = "", confirmed[FORM_TIME];

		if (x->generations)
			snprintf(generations, sizeof(generations), "%u", x->generations);
		if (form_row(rows, err, "name", x->name, "vendor", x->vendor, "what", x->what, "how_often",
			x->how_often, "generations", generations, "method", x->method, "place", x->place,
			"contract", x->contract, "confirmed", form_date(x->confirmed_on, confirmed), NULL))
			return -1;
	}
	return 0;
}

/* ---- whom to call ---- */

/* Does the same person stand in a box of another kind, too? */
static bool is_dual(const struct policy *p, const struct policy_contact *c)
{
	for (size_t i = 0; c->person && i < p->n_contacts; i++)
		if (p->contacts[i].kind != c->kind && p->contacts[i].person &&
		    !strcmp(p->contacts[i].person, c->person))
			return true;
	return false;
}

static int put_contact(const struct report *r, const struct policy_contact *c, json_t *rows, struct err *err)
{
	char confirmed[FORM_TIME];

	return form_row(rows, err, "kind", policy_contact_text(c->kind), "name", c->name, "person", c->person,
	    "tel", c->tel, "mail", c->mail, "hours", c->hours, "confirmed",
	    form_date(c->confirmed_on, confirmed), "state",
	    policy_contact_is_stale(c, day_of(r->now_ns)) ? text("to be confirmed again") : text("confirmed"),
	    "dual", is_dual(r->policy, c) ? text("yes (兼務)") : "", NULL);
}

/* In the order of the form's boxes; one that nobody is named for is there, to be filled in by hand. */
int form_contacts(const struct report *r, json_t *rows, struct err *err)
{
	for (unsigned kind = POLICY_CONTACT_UNSAID + 1; kind < POLICY_CONTACT_KINDS; kind++) {
		bool there = false;

		for (size_t i = 0; i < r->policy->n_contacts; i++) {
			const struct policy_contact *c = &r->policy->contacts[i];

			if (c->kind != kind)
				continue;
			there = true;
			if (put_contact(r, c, rows, err))
				return -1;
		}
		if (!there && form_row(rows, err, "kind", policy_contact_text(kind), "name", "", "person", "",
				  "tel", "", "mail", "", "hours", "", "confirmed", "", "state",
				  text("not filled in (未記入)"), "dual", "", NULL))
			return -1;
	}
	return 0;
}

int form_assets(const struct report *r, json_t *rows, struct err *err)
{
	for (size_t i = 0; i < r->policy->n_assets; i++) {
		const struct policy_asset *a = &r->policy->assets[i];
		char bought[FORM_TIME], until[FORM_TIME];

		if (form_row(rows, err, "name", a->name, "model", a->model, "maker", a->maker, "serial",
			a->serial, "bought", form_date(a->bought_on, bought), "support_until",
			form_date(a->support_until, until), "place", a->place, "network", a->network, "users",
			a->users, "os", a->os, "system", a->system, "use", a->use, "data", a->data, "license",
			a->license, NULL))
			return -1;
	}
	return 0;
}
