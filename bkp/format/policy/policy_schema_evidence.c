/* policy_schema_evidence: the keys of what stands in papers alone, as tables; see policy_schema.h, policy_evidence.h.
 *
 * `name` is the first key of each: policy_diff tells the entries of a list apart by it. */
#include "base/text.h"
#include "format/config/config_field.h"
#include "format/policy/policy.h"
#include "format/policy/policy_schema.h"

#define REASON 600 /* bytes of a sentence or two */

/* one key a line: */
/* clang-format off */
#define AT(of, member) offsetof(struct policy_##of, member)
#define SHAPE(label, fields, bytes, mark_at) {label, fields, sizeof(fields) / sizeof(*(fields)), bytes, mark_at, NULL}
#define TEXT_KEY(of, member, bytes) {.key = #member, .type = CONFIG_T_TEXT, .offset = AT(of, member), .max = bytes}
#define DAY_KEY(of, member) {.key = #member, .type = CONFIG_T_DAY, .offset = AT(of, member)}
#define NAME_KEY(of) {.key = "name", .type = CONFIG_T_TEXT, .offset = AT(of, name), .required = true}

static const struct config_field excluded_fields[] = {
	NAME_KEY(excluded),
	TEXT_KEY(excluded, where, 0),
	TEXT_KEY(excluded, reason, REASON),
	TEXT_KEY(excluded, decided_by, 0),
	DAY_KEY(excluded, decided_on),
	DAY_KEY(excluded, review_on),
};
const struct config_shape policy_schema_excluded = SHAPE(TEXT_LATER("an exclusion by decision"), excluded_fields,
	sizeof(struct policy_excluded), AT(excluded, mark));

static const struct config_field external_fields[] = {
	NAME_KEY(external),
	TEXT_KEY(external, vendor, 0),
	TEXT_KEY(external, what, REASON),
	TEXT_KEY(external, how_often, 0),
	{.key = "generations", .type = CONFIG_T_NUMBER, .offset = AT(external, generations), .min = 1, .max = 9999},
	TEXT_KEY(external, method, 0),
	TEXT_KEY(external, place, 0),
	TEXT_KEY(external, contract, 0),
	DAY_KEY(external, confirmed_on),
};
const struct config_shape policy_schema_external = SHAPE(TEXT_LATER("a backup by others"), external_fields,
	sizeof(struct policy_external), AT(external, mark));

static const struct config_field contact_fields[] = {
	NAME_KEY(contact),
	{.key = "kind", .type = CONFIG_T_ENUM, .offset = AT(contact, kind), .words = policy_contact_words,
		.also = policy_contact_also, .required = true},
	TEXT_KEY(contact, person, 0),
	TEXT_KEY(contact, tel, 64),
	TEXT_KEY(contact, mail, 254),
	TEXT_KEY(contact, hours, 0),
	DAY_KEY(contact, confirmed_on),
};
const struct config_shape policy_schema_contact = SHAPE(TEXT_LATER("a contact"), contact_fields,
	sizeof(struct policy_contact), AT(contact, mark));

static const struct config_field asset_fields[] = {
	NAME_KEY(asset),
	TEXT_KEY(asset, model, 0),
	TEXT_KEY(asset, maker, 0),
	TEXT_KEY(asset, serial, 0),
	DAY_KEY(asset, bought_on),
	DAY_KEY(asset, support_until),
	TEXT_KEY(asset, place, 0),
	TEXT_KEY(asset, network, 0),
	TEXT_KEY(asset, users, 0),
	TEXT_KEY(asset, os, 0),
	TEXT_KEY(asset, system, 0),
	TEXT_KEY(asset, use, 0),
	TEXT_KEY(asset, data, 0),
	TEXT_KEY(asset, license, 0),
};
const struct config_shape policy_schema_asset = SHAPE(TEXT_LATER("a device"), asset_fields,
	sizeof(struct policy_asset), AT(asset, mark));

static const struct config_field self_fields[] = {
	{.key = "item", .type = CONFIG_T_TEXT, .offset = AT(self, item), .max = 16, .required = true},
	{.key = "answer", .type = CONFIG_T_ENUM, .offset = AT(self, answer), .words = policy_answer_words,
		.also = policy_answer_also},
	DAY_KEY(self, on),
	TEXT_KEY(self, by, 0),
	TEXT_KEY(self, why, REASON),
	DAY_KEY(self, target),
	TEXT_KEY(self, document, 0),
};
const struct config_shape policy_schema_self = SHAPE(TEXT_LATER("an answer to the checklist"), self_fields,
	sizeof(struct policy_self), AT(self, mark));

static const struct config_field checklist_fields[] = {
	{.key = "edition", .type = CONFIG_T_TEXT, .max = 16, .offset = offsetof(struct policy, checklist.edition)},
	{.key = "target", .type = CONFIG_T_DAY, .offset = offsetof(struct policy, checklist.target)},
	{.key = "self", .type = CONFIG_T_TABLES, .shape = &policy_schema_self, .offset = offsetof(struct policy, checklist.self),
		.count = offsetof(struct policy, checklist.n_self)},
};
const struct config_shape policy_schema_checklist = SHAPE(TEXT_LATER("the checklist"), checklist_fields, 0, 0);
/* clang-format on */
