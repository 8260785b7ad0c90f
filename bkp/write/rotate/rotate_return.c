/* rotate_return: what is believed of a medium that comes back (step 0); see rotate.h.
 *
 * It was away, so somebody else may have had it: it is hostile until it has shown that it knows what this host gave it,
 * no less (rollback.h) and no more (journal_copies.h; rotate_believed()), that it is the only one of its name
 * (rotate_alone()), and what lies on it besides (strangers.h).  docs/rotation-refusals.md has what each refusal prints. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "format/medium/generation.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/store/store.h"
#include "read/vault/medium.h"
#include "read/vault/vault_r.h"
#include "write/media/attendance.h"
#include "write/media/journal_copies.h"
#include "write/media/rollback.h"
#include "write/media/strangers.h"
#include "write/rotate/rotate_private.h"
#include "write/state/state.h"

#define SHOW 256
#define UNKNOWN_MAX                                                                                          \
	4096 /* folders of generations that the journal does not have, and whose signature is looked at */

/* ---- one of two ---- */

/* "'/mnt/rdx' (serial number X, as after rotation 4)": by what a person tells the one from the other. */
static char *describe(const struct rotate *ro, const char *path, char out[2 * SHOW])
{
	const struct state *s = ro->cfg->state;
	const struct ledger_medium *lm = ledger_medium_by_label(state_ledger(s), ro->ret->medium->name);
	struct medium_expect want = {.repository = state_repository(s), .uuid = lm->uuid, .label = lm->label};
	struct journal_copies_finding f = {.found = ""};
	struct device d = {0};
	struct medium *m = NULL;
	char show[SHOW], serial[SHOW];

	want.keys = state_keys(s, &want.n_keys);
	path_show(path, show, sizeof(show));
	snprintf(out, 2 * SHOW, "'%s'", show);
	if (medium_open(path, &want, &m, NULL))
		return out;
	if (!device_of(medium_store(m), &d, NULL) && !journal_copies_check(s, m, &f, NULL)) {
		uint64_t turn = rollback_turn(lm, f.lines);

		path_show(*d.serial ? d.serial : text("none"), serial, sizeof(serial));
		snprintf(out, 2 * SHOW,
		    turn == UINT64_MAX ? text("'%s' (serial number %s, %ju records)")
				       : text("'%s' (serial number %s, %ju records, as after rotation %ju)"),
		    show, serial, (uintmax_t)f.lines, (uintmax_t)turn);
	}
	medium_close(m);
	return out;
}

int rotate_alone(const struct rotate *ro, struct err *err)
{
	const struct ledger *l = state_ledger(ro->cfg->state);
	const struct ledger_medium *lm = ledger_medium_by_label(l, ro->ret->medium->name);
	struct attendance_keys k = {.repository = state_repository(ro->cfg->state)};
	char one[2 * SHOW], two[2 * SHOW], *other = NULL;
	int r;

	k.keys = state_keys(ro->cfg->state, &k.n_keys);
	r = attendance_twin(l, &k, ro->ret->medium, ro->ret->path, &other, err);
	if (r <= 0)
		return r;
	err_set(err, "E-ROTATE-21", text("two disks with the identity of '%s' are attached: %s and %s"),
	    lm->label, describe(ro, ro->ret->path, one), describe(ro, other, two));
	free(other);
	return err_hint(err,
	    text("one is a copy of the other, and neither was changed: detach both; the medium is the one "
		 "with "
		 "the label and the registered serial number (%s), else the one that knows the newest "
		 "rotation; keep "
		 "the other as it is and ask who made it"),
	    *lm->serial ? lm->serial : text("none"));
}

/* ---- less than it was given ---- */

static int not_rotated(const struct rotate *ro, struct err *why, struct err *err)
{
	err_wrap(why, text("medium '%s' is not rotated"), ro->ret->medium->name);
	if (err)
		*err = *why;
	return -1;
}

static void say_taken(struct rotate *ro)
{
	err_set(&ro->ret->history, "W-ROTATE-22",
	    text("'%s' was as it was after rotation %ju, and %s took it so: '%s'"), ro->ret->medium->name,
	    (uintmax_t)ro->finding.turn, ro->cfg->operator, ro->cfg->accept_rollback);
	err_hint(&ro->ret->history, "%s",
	    text("should another disk with this label turn up, it is the one that is as it was then"));
}

static int judge_history(struct rotate *ro, struct err *err)
{
	const bool back = !strcmp(ro->finding.found, "rolled-back");

	if (!back && ro->cfg->accept_rollback) {
		err_set_kind(err, ERR_USAGE, "E-ROTATE-23", text("'%s' knows all that it was given"),
		    ro->ret->medium->name);
		return err_hint(err, "%s", text("run the command again without --accept-rollback"));
	}
	if (!strcmp(ro->finding.found, "forked") || (back && !ro->cfg->accept_rollback))
		return not_rotated(ro, &ro->finding.why, err);
	if (back)
		say_taken(ro);
	else
		ro->ret->history = ro->finding.why;
	return 0;
}

/* ---- more than it was given ---- */

struct unknown {
	const struct rotate *ro;
	struct vault_r *vault;
	unsigned looked;
	struct err why;
};

/* Only what this repository signed says that it knows of a night of which this host does not; what it did not is a stranger. */
static int each_generation(void *arg, const char *dataset, uint64_t number, struct err *err)
{
	struct unknown *u = arg;
	struct vault_r_generation *g = NULL;
	char label[GENERATION_LABEL], set[GENERATION_SET_DIR], dir[GENERATION_DIR],
	    path[JOURNAL_UUID + sizeof(set) + sizeof(dir)];

	(void)err;
	if (!number || u->why.code[0] || u->looked >= UNKNOWN_MAX ||
	    ledger_generation_of(state_ledger(u->ro->cfg->state), dataset, number))
		return 0;
	u->looked++;
	if (vault_r_generation_open(u->vault, dataset, number, &g, NULL)) {
		snprintf(path, sizeof(path), "%s/%s/%s", medium_repository(u->ro->medium),
		    generation_set_dir(dataset, set), generation_dir(number, dir));
		strangers_add(u->ro->strangers, path, true);
		return 0;
	}
	vault_r_generation_close(g);
	err_set(&u->why, "E-ROTATE-22",
	    text("it holds generation %s, signed with this host's keys, and this host knows nothing of it"),
	    generation_label(dataset, number, label));
	err_hint(&u->why, "%s",
	    text("nothing was changed: the state folder is an old copy, or somebody signs with its keys; "
		 "keep the "
		 "disk as it is, and bring the newest state folder back ('bkp init --continue' goes on from "
		 "a medium)"));
	return 0;
}

/* What cannot be opened as a repository yet, because its public files are gone, says nothing. */
static int knows_no_more(struct rotate *ro, struct err *err)
{
	struct unknown u = {.ro = ro, .why = ERR_INIT};
	int r;

	if (vault_r_open_medium(ro->medium, state_repository(ro->cfg->state),
		ledger_root(state_ledger(ro->cfg->state)), &u.vault, NULL))
		return 0;
	r = vault_r_numbers(u.vault, NULL, each_generation, &u, NULL);
	(void)r; /* a folder that cannot be listed is found by who needs it */
	vault_r_close(u.vault);
	return u.why.code[0] ? not_rotated(ro, &u.why, err) : 0;
}

int rotate_believed(struct rotate *ro, struct err *err)
{
	struct err why = ERR_INIT;
	int r;

	ro->strangers = strangers_new();
	if (!ro->strangers)
		return err_nomem(err);
	r = journal_copies_check(ro->cfg->state, ro->medium, &ro->finding, &why);
	if (r < 0)
		return rotate_failed(ro, &why, err);
	if (r)
		return not_rotated(ro, &why, err);
	return judge_history(ro, err) || knows_no_more(ro, err) ? -1 : 0;
}

int rotate_record_return(struct rotate *ro, struct err *err)
{
	const struct journal_copies_finding *f = &ro->finding;

	if (journal_copies_record(ro->cfg->state, ro->medium, f, err))
		return -1;
	if (strcmp(f->found, "rolled-back") != 0)
		return 0;
	return state_append(ro->cfg->state, "rollback-accepted",
	    json_pack("{s:s, s:I, s:I, s:I, s:s, s:s}", "medium", ro->uuid, "line", (json_int_t)f->line,
		"expected", (json_int_t)f->expected, "turn", (json_int_t)f->turn, "operator",
		ro->cfg->operator, "reason", ro->cfg->accept_rollback),
	    err);
}

static int look_around(const struct rotate *ro, struct err *why)
{
	struct vault_r *v = NULL;
	int r;

	if (vault_r_open_medium(ro->medium, state_repository(ro->cfg->state),
		ledger_root(state_ledger(ro->cfg->state)), &v, why))
		return -1;
	r = strangers_look(ro->strangers, ro->medium, &ro->device, v, why);
	vault_r_close(v);
	return r;
}

int rotate_look_around(struct rotate *ro, struct err *err)
{
	struct err why = ERR_INIT;

	return look_around(ro, &why) ? rotate_failed(ro, &why, err) : 0;
}

/* Before it was looked around where nothing at all can be written: others than ext4 keep what was freed for themselves. */
bool rotate_filled_by(const struct rotate *ro, char out[STRANGERS_BESIDE])
{
	if (!ro->strangers)
		return false;
	if (!strangers_beside(ro->strangers, out) && look_around(ro, NULL))
		return false;
	return strangers_beside(ro->strangers, out);
}
