/* attendance: a medium is found where its signed identity is, and nowhere else; its coming and going is
 * recorded once. */

#include "unit.h"
#include "site.h"
#include "format/journal/journal.h"
#include "write/media/attendance.h"

#define LABELS 3

/* A site with nas (online), RDX-01 and RDX-02 (offline), each a folder of its name, all registered. */
struct site {
	struct state *state;
	struct policy_medium media[LABELS];
	struct policy policy;
	struct attendance_keys keys;
	char paths[LABELS][256];
};

static void site_new(struct site *s)
{
	static char *const names[] = {(char *)"nas", (char *)"RDX-01", (char *)"RDX-02"};

	memset(s, 0, sizeof(*s));
	assert_int_equal(scratch_setup(NULL), 0);
	site_create("site");
	s->state = repo;
	for (size_t i = 0; i < LABELS; i++) {
		snprintf(s->paths[i], sizeof(s->paths[i]), "%s", in_scratch(names[i]));
		site_add_medium(names[i], i ? "rdx" : "hdd", i > 0, NULL);
		s->media[i] = (struct policy_medium){
		    .name = names[i], .type = (char *)"rdx", .path = s->paths[i], .offline = i > 0};
	}
	s->policy = (struct policy){.media = s->media, .n_media = LABELS};
	s->keys.repository = state_repository(s->state);
	s->keys.keys = state_keys(s->state, &s->keys.n_keys);
}

static void site_end(struct site *s)
{
	(void)s;
	assert_int_equal(site_teardown(NULL), 0);
}

static int find(struct site *s, size_t i, char *where, struct err *err)
{
	char *path = NULL;
	int r;

	*err = (struct err)ERR_INIT;
	*where = '\0';
	r = attendance_find(state_ledger(s->state), &s->keys, &s->media[i], &path, err);
	assert_int_equal(r == 1, path != NULL);
	if (path)
		snprintf(where, 256, "%s", path);
	free(path);
	return r;
}

static void it_is_where_its_identity_is(void **state)
{
	struct site s;
	struct err err;
	char where[256];
	(void)state;

	site_new(&s);
	assert_int_equal(find(&s, 1, where, &err), 1);
	assert_string_equal(where, s.paths[1]);
	/* the folder is there, and is not the medium: an empty mount point */
	assert_int_equal(sh("mv RDX-01 elsewhere && mkdir RDX-01"), 0);
	assert_int_equal(find(&s, 1, where, &err), 0);
	assert_string_equal(err.code, "E-MEDIA-01");
	/* no folder at all */
	assert_int_equal(sh("rmdir RDX-01"), 0);
	assert_int_equal(find(&s, 1, where, &err), 0);
	assert_string_equal(err.code, "E-MEDIA-01");
	/* another one stands there */
	assert_int_equal(sh("mv RDX-02 RDX-01"), 0);
	assert_int_equal(find(&s, 1, where, &err), 0);
	assert_string_equal(err.code, "E-MEDIA-04");
	assert_non_null(strstr(err.msg, "RDX-02"));
	/* the policy no longer says where; the record does */
	assert_int_equal(sh("mv RDX-01 RDX-02"), 0);
	s.media[2].path = NULL;
	assert_int_equal(find(&s, 2, where, &err), 1);
	/* the policy says another place than the record */
	assert_int_equal(sh("mv RDX-02 moved"), 0);
	assert_int_equal(find(&s, 2, where, &err), 0);
	s.media[2].path = (char *)in_scratch("moved");
	assert_int_equal(find(&s, 2, where, &err), 1);
	assert_string_equal(where, in_scratch("moved"));
	/* its identity was changed by someone */
	assert_int_equal(sh("sed -i s/rdx/ssd/ moved/bkp-medium.json"), 0);
	assert_int_equal(find(&s, 2, where, &err), 0);
	assert_string_equal(err.code, "E-MEDIA-03");
	s.media[2].name = (char *)"LTO-A1";
	assert_int_equal(find(&s, 2, where, &err), 0);
	assert_string_equal(err.code, "E-MEDIA-06");
	site_end(&s);
}

static void what_cannot_be_looked_at_is_not_said_to_be_gone(void **state)
{
	enum compliance_sight sights[LABELS];
	struct site s;
	struct err err;
	char where[256];
	uint64_t seq;
	(void)state;

	site_new(&s);
	seq = ledger_seq(state_ledger(s.state));
	/* a loop of links, as an input/output error would be: neither there nor not there */
	assert_int_equal(sh("mv RDX-01 away && ln -s RDX-01 RDX-01"), 0);
	assert_int_equal(find(&s, 1, where, &err), -1);
	assert_string_equal(err.code, "E-IO-07");
	attendance_look(state_ledger(s.state), &s.keys, &s.policy, sights);
	assert_int_equal(sights[0], COMPLIANCE_SEEN);
	assert_int_equal(sights[1], COMPLIANCE_UNKNOWN);
	assert_int_equal(sights[2], COMPLIANCE_SEEN);
	assert_int_equal(attendance_record(s.state, &s.policy, NULL, &err), 0);
	assert_int_equal(ledger_seq(state_ledger(s.state)), seq);
	site_end(&s);
}

static void coming_and_going_is_recorded_once(void **state)
{
	const struct ledger_medium *m;
	struct site s;
	struct err err = ERR_INIT;
	uint64_t seq;
	(void)state;

	site_new(&s);
	seq = ledger_seq(state_ledger(s.state));
	assert_int_equal(attendance_record(s.state, &s.policy, NULL, &err), 0);
	assert_int_equal(ledger_seq(state_ledger(s.state)), seq);
	/* both offline ones go, and the online one: that is no detaching */
	assert_int_equal(sh("mkdir out && mv nas RDX-01 RDX-02 out"), 0);
	assert_int_equal(attendance_record(s.state, &s.policy, NULL, &err), 0);
	assert_int_equal(ledger_seq(state_ledger(s.state)), seq + 2);
	assert_int_equal(attendance_record(s.state, &s.policy, NULL, &err), 0);
	assert_int_equal(ledger_seq(state_ledger(s.state)), seq + 2);
	assert_false(ledger_medium_by_label(state_ledger(s.state), "RDX-01")->attached);
	assert_false(ledger_medium_by_label(state_ledger(s.state), "RDX-02")->attached);
	assert_true(ledger_medium_by_label(state_ledger(s.state), "nas")->attached);
	assert_int_equal(sh("mv out/RDX-02 ."), 0);
	assert_int_equal(attendance_record(s.state, &s.policy, NULL, &err), 0);
	assert_int_equal(ledger_seq(state_ledger(s.state)), seq + 3);
	m = ledger_medium_by_label(state_ledger(s.state), "RDX-02");
	assert_true(m->attached);
	/* the records say where */
	assert_int_equal(sh("test $(grep -c '\"event\":\"medium-detached\".*\"path\":\"[^\"]*/RDX-0[12]\"' "
			    "state/journal/000001.jsonl) = 2"),
	    0);
	assert_int_equal(
	    sh("grep -q '\"event\":\"medium-attached\".*/RDX-02' state/journal/000001.jsonl"), 0);
	site_end(&s);
}

/* Wherever the administrator mounts the disk. */
static void a_mounted_disk_is_found_anywhere(void **state)
{
	struct site s;
	struct err err;
	char where[256];
	int r;
	(void)state;

	site_new(&s);
	r = sh("truncate -s 8M disk && mkfs.ext4 -q disk && mkdir mnt && mount -o loop disk mnt 2>/dev/null");
	if (r) {
		print_message("no mount is possible here: not tried\n");
		site_end(&s);
		return;
	}
	/* a folder of the recorded name on the disk, then the disk itself */
	r = sh("cp -a RDX-01 mnt/ && mv RDX-01 away") ? -1 : find(&s, 1, where, &err);
	if (r == 1 && strcmp(where, in_scratch("mnt/RDX-01")) != 0)
		r = -2;
	if (r == 1)
		r = sh("mv mnt/RDX-01/* mnt/ && rmdir mnt/RDX-01") ? -1 : find(&s, 1, where, &err);
	if (r == 1 && strcmp(where, in_scratch("mnt")) != 0)
		r = -3;
	/* online media are only where they were declared */
	s.media[1].offline = false;
	if (r == 1 && find(&s, 1, where, &err) != 0)
		r = -4;
	s.media[1].offline = true;
	assert_int_equal(sh("umount mnt"), 0);
	assert_int_equal(r, 1);
	assert_int_equal(find(&s, 1, where, &err), 0);
	site_end(&s);
}

/* Unmounted is not away: as long as it is plugged in, whoever controls the computer can mount it. */
static void a_disk_that_is_only_unmounted_is_not_away(void **state)
{
	static const char uuid[] = "b0b5c1de-0000-4000-8000-00000000beef";
	const struct ledger_medium *m;
	enum compliance_sight sights[LABELS];
	struct site s;
	struct err err;
	char where[256];
	int r, failed = 0;
	(void)state;

	site_new(&s);
	m = ledger_medium_by_label(state_ledger(s.state), "RDX-01");
	assert_int_equal(
	    state_append(s.state, "medium-added",
		json_pack("{s:s, s:s, s:s, s:s, s:n, s:b, s:s}", "medium", m->uuid, "label", "RDX-01", "type",
		    "rdx", "path", s.paths[1], "place", "offline", 1, "fs_uuid", uuid),
		&err),
	    0);
	assert_int_equal(sh("mv RDX-01 away"), 0);
	/* what udev would say */
	r = sh("truncate -s 8M disk && mkfs.ext4 -q -U %s disk && losetup -f --show disk >dev && "
	       "blockdev --setrw $(cat dev) && mkdir mnt && "
	       "mkdir -p /dev/disk/by-uuid && ln -sf $(cat dev) /dev/disk/by-uuid/%s",
	    uuid, uuid);
	if (!r) {
		int seen = find(&s, 1, where, &err);
		struct err why = err;

		attendance_look(state_ledger(s.state), &s.keys, &s.policy, sights);
		r = seen || strcmp(why.code, "E-MEDIA-18") != 0 || sights[1] != COMPLIANCE_SEEN;
		/* it stays recorded as attached */
		r = r || attendance_record(s.state, &s.policy, NULL, &err) ||
		    !ledger_medium_by_label(state_ledger(s.state), "RDX-01")->attached;
		/* mounted, and the medium is not on it: it is another disk by now */
		r = r || sh("mount $(cat dev) mnt") || find(&s, 1, where, &err) ||
		    strcmp(err.code, "E-MEDIA-01") != 0;
		sh("umount mnt 2>/dev/null");
		/* without udev the disk itself tells */
		r = r || sh("rm /dev/disk/by-uuid/%s", uuid) ||
		    attendance_record(s.state, &s.policy, NULL, &err) ||
		    !ledger_medium_by_label(state_ledger(s.state), "RDX-01")->attached;
		/* pulled out, and plugged in again */
		r = r || sh("losetup -d $(cat dev)") || attendance_record(s.state, &s.policy, NULL, &err) ||
		    ledger_medium_by_label(state_ledger(s.state), "RDX-01")->attached;
		r = r || sh("losetup -f --show disk >dev && ln -sf $(cat dev) /dev/disk/by-uuid/%s", uuid) ||
		    attendance_record(s.state, &s.policy, NULL, &err) ||
		    !ledger_medium_by_label(state_ledger(s.state), "RDX-01")->attached;
		failed = r;
	} else
		print_message("no loop device is possible here: not tried\n");
	sh("rm -f /dev/disk/by-uuid/%s; rmdir /dev/disk/by-uuid /dev/disk 2>/dev/null; test ! -s dev || "
	   "losetup -d "
	   "$(cat dev)",
	    uuid);
	assert_int_equal(failed, 0);
	site_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_is_where_its_identity_is),
	    cmocka_unit_test(what_cannot_be_looked_at_is_not_said_to_be_gone),
	    cmocka_unit_test(coming_and_going_is_recorded_once),
	    cmocka_unit_test(a_mounted_disk_is_found_anywhere),
	    cmocka_unit_test(a_disk_that_is_only_unmounted_is_not_away),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
