/* room_show: when the media of a pool are full: the first of them decides. */
#include "unit.h"
#include "base/clock.h"
#include "base/text.h"
#include "cmd/show/captured.h"
#include "cmd/time/room_show.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/rules/compliance.h"
#include "read/rules/turns.h"

#define DAY_NS (86400 * SECOND_NS)
#define NOW_NS (1800000000 * SECOND_NS) /* 2027-01-15 */

static const struct ledger_medium registered;
static struct policy_medium declared[] = {{.name = "RDX-01"}, {.name = "RDX-02"}, {.name = "RDX-03"}};
static struct policy_pool weekly = {.name = "weekly"};
static struct turns pools[] = {{.pool = &weekly}};

static struct room filling(int64_t from_days, int64_t to_days)
{
	return (struct room){.state = ROOM_FILLING,
	    .free_ns = NOW_NS,
	    .from_ns = NOW_NS + from_days * DAY_NS,
	    .to_ns = NOW_NS + to_days * DAY_NS};
}

static void make(struct compliance_medium media[3], struct room a, struct room b, struct room c)
{
	const struct room rooms[] = {a, b, c};

	for (size_t i = 0; i < 3; i++)
		media[i] = (struct compliance_medium){
		    .policy = &declared[i], .ledger = &registered, .turns = &pools[0], .room = rooms[i]};
}

static const char *first(struct compliance_medium media[3])
{
	const struct compliance s = {
	    .now_ns = NOW_NS, .media = media, .n_media = 3, .pools = pools, .n_pools = 1};
	const struct compliance_medium *m = room_of_pool(&s, &pools[0]);

	return m ? m->policy->name : "none";
}

static void the_first_to_be_full_decides(void **state)
{
	const struct room steady = {.state = ROOM_STEADY}, unseen = {.state = ROOM_UNSEEN};
	struct compliance_medium media[3];

	(void)state;
	make(media, filling(90, 120), filling(20, 200), filling(21, 22));
	assert_string_equal(first(media), "RDX-02");
	make(media, steady, unseen, filling(900, 1200));
	assert_string_equal(first(media), "RDX-03");
	/* "not in sight" is said of a pool only where all of it is known */
	make(media, steady, unseen, steady);
	assert_string_equal(first(media), "RDX-02");
	make(media, steady, steady, steady);
	assert_string_equal(first(media), "RDX-01");
	/* one that is lost, and one of no pool */
	make(media, filling(1, 2), filling(3, 4), filling(5, 6));
	media[0].ledger = NULL;
	media[1].turns = NULL;
	assert_string_equal(first(media), "RDX-03");
	media[2].ledger = NULL;
	assert_string_equal(first(media), "none");
}

static void it_is_said_when_it_is_near(void **state)
{
	struct compliance_medium media[3];
	const struct compliance s = {
	    .now_ns = NOW_NS, .media = media, .n_media = 3, .pools = pools, .n_pools = 1};
	static struct captured c;

	(void)state;
	make(media, filling(90, 120), filling(20, 40), (struct room){.state = ROOM_STEADY});
	captured_begin(&c);
	room_show(&s, false);
	captured_end(&c);
	assert_string_equal(c.text,
	    "\nWhen media will be full, as the nights went so far\n"
	    "  RDX-02: between 2027-02-04 and 2027-02-24\n"
	    "  turns of 'weekly', its first to be full is RDX-02: between 2027-02-04 and\n"
	    "    2027-02-24\n");
	make(media, filling(90, 120), filling(91, 140), (struct room){.state = ROOM_STEADY});
	captured_begin(&c);
	room_show(&s, false);
	captured_end(&c);
	assert_string_equal(c.text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_first_to_be_full_decides),
	    cmocka_unit_test(it_is_said_when_it_is_near),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
