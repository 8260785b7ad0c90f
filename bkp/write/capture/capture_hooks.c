/* capture_hooks: what runs around the capture of a data set: before, after, the probe; and whether it is as
 * the policy expects; see capture.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "base/timings.h"
#include "format/medium/generation.h"
#include "format/policy/policy.h"
#include "write/capture/capture_private.h"
#include "write/expect/expect.h"
#include "write/expect/probe.h"
#include "write/source/command.h"

#define VERSION_BYTES 256 /* of what the source says of its software, NUL included */
#define DAY_NS	      (INT64_C(86400) * SECOND_NS)
#define AFTER_NS      (UINT64_C(300) * SECOND_NS) /* for `after` once all is to end */

struct command_config capture_command_config(
    struct capture *c, struct capture_env *env, const char *line, const char *result)
{
	size_t n = 0;

	snprintf(env->dataset, sizeof(env->dataset), "BKP_DATASET=%s", c->set.policy->name);
	snprintf(
	    env->generation, sizeof(env->generation), "BKP_GENERATION=%ju", (uintmax_t)c->cfg.generation);
	env->list[n++] = env->dataset;
	env->list[n++] = env->generation;
	/* what names a file in bytes that its locale has not does harm: smbclient fills such files with zeros */
	snprintf(env->locale[0], sizeof(env->locale[0]), "LC_ALL=%s", c->cfg.locale);
	snprintf(env->locale[1], sizeof(env->locale[1]), "LANG=%s", c->cfg.locale);
	env->list[n++] = env->locale[0];
	env->list[n++] = env->locale[1];
	if (result) {
		snprintf(env->result, sizeof(env->result), "BKP_RESULT=%s", result);
		env->list[n++] = env->result;
	}
	env->list[n] = NULL;
	return (struct command_config){.line = line,
	    .env = env->list,
	    .limit_s = c->set.policy->time_limit_s,
	    .stop = c->cfg.cb.stop,
	    .stop_arg = c->cfg.cb.arg};
}

bool capture_is_ended(const struct capture *c)
{
	return c->cfg.cb.stop && c->cfg.cb.stop(c->cfg.cb.arg);
}

/* The end counts, from the beginning of a character. */
void capture_said(struct capture *c, const char *key, const struct command_words *said)
{
	char all[2 * COMMAND_SAID + 32];
	const char *from = all;
	int n;

	if (!*said->text)
		return;
	c->set.said_lines += said->lines;
	n = snprintf(all, sizeof(all), "%s%s%s: %s", c->set.said, *c->set.said ? "; " : "", key, said->text);
	if (n >= (int)sizeof(all))
		n = (int)sizeof(all) - 1;
	if (n >= COMMAND_SAID)
		from += n - COMMAND_SAID + 1;
	while (((unsigned char)*from & 0xc0) == 0x80)
		from++;
	snprintf(c->set.said, sizeof(c->set.said), "%.*s", COMMAND_SAID - 1, from);
}

/* Adds to the reasons that there are. */
static int capture_reason(struct capture *c, const struct err *why, struct err *err)
{
	struct generation_dataset *r = c->set.result;
	char all[2 * sizeof(why->msg) + 8];
	char *copy;

	snprintf(all, sizeof(all), "%s%s%s", r->reason ? r->reason : "", r->reason ? "; " : "", why->msg);
	copy = strdup(all);
	if (!copy)
		return err_nomem(err);
	free(r->reason);
	r->reason = copy;
	return 0;
}

/* Not all of it is as it should be: why. */
static int mark_partial(struct capture *c, struct err *why, const char *key, struct err *err)
{
	if (key)
		err_wrap(why, "%s", key);
	if (c->set.result->verdict == GENERATION_GOOD)
		c->set.result->verdict = GENERATION_PARTIAL;
	return capture_reason(c, why, err);
}

/* ---- before ---- */

int capture_before(struct capture *c, struct err *err)
{
	struct command_words said;
	struct command_config cfg;
	struct capture_env env;
	int r;

	if (!c->set.policy->before)
		return 0;
	cfg = capture_command_config(c, &env, c->set.policy->before, NULL);
	r = command_run(&cfg, &said, err);
	capture_said(c, "before", &said);
	if (!r)
		return 0;
	c->set.result->verdict = GENERATION_FAILED;
	if (cfg.stop && cfg.stop(cfg.stop_arg))
		return capture_stop(c, err);
	return err_wrap(err, "%s", "before");
}

/* ---- expectations, and the probe ---- */

void capture_newest(struct capture *c, int64_t mtime_ns)
{
	/* one of tomorrow, made where the clock was wrong, says nothing about today */
	if (mtime_ns > c->set.newest_ns && mtime_ns <= c->cfg.now_ns + DAY_NS)
		c->set.newest_ns = mtime_ns;
}

static int run_probe(struct capture *c, struct err *err)
{
	struct command_words said;
	struct err why = ERR_INIT;
	struct command_config cfg;
	struct capture_env env;
	int r;

	if (!c->set.policy->probe)
		return 0;
	cfg = capture_command_config(c, &env, c->set.policy->probe, NULL);
	r = probe_run(&cfg, &c->set.result->probe, &said, &why);
	capture_said(c, "probe", &said);
	return r ? mark_partial(c, &why, "probe", err) : 0;
}

/* The first line, so much of it as is kept. */
static void cut_version(char *s)
{
	size_t n = strcspn(s, "\n\t");

	if (n >= VERSION_BYTES)
		for (n = VERSION_BYTES - 1; ((unsigned char)s[n] & 0xc0) == 0x80;)
			n--;
	s[n] = '\0';
}

/* What is captured is as good without it: it is told as what a command says is, and a drill cannot be asked for when it changes. */
static void run_version(struct capture *c)
{
	struct command_words said, failed = {.lines = 1};
	struct err why = ERR_INIT;
	struct command_config cfg;
	struct capture_env env;
	char *version;
	int r;

	if (!c->set.policy->version)
		return;
	cfg = capture_command_config(c, &env, c->set.policy->version, NULL);
	r = probe_run(&cfg, &version, &said, &why);
	capture_said(c, "version", &said);
	if (r) {
		snprintf(failed.text, sizeof(failed.text), "%.*s", COMMAND_SAID - 1, why.msg);
		capture_said(c, "version", &failed);
		return;
	}
	cut_version(version);
	c->set.result->version = version;
}

int capture_judge(struct capture *c, struct err *err)
{
	struct expect_figures now = {c->set.result->bytes, c->set.result->entries, c->set.newest_ns};
	struct expect_former former = {0, 0, 0};
	struct err why = ERR_INIT;

	if (c->cfg.former)
		c->cfg.former(c->cfg.former_arg, c->set.policy->name, &former);
	if (expect_judge(c->set.policy, &now, &former, c->cfg.now_ns, &why) &&
	    mark_partial(c, &why, "expect", err))
		return -1;
	run_version(c);
	return run_probe(c, err);
}

/* ---- after ---- */

/* It is to end what `before` began, and may take its time, but not all of it once everything is to end. */
struct patience {
	const struct capture *c;
	uint64_t since;
};

static bool enough(void *arg)
{
	struct patience *p = arg;
	const struct capture_callbacks *cb = &p->c->cfg.cb;

	if (!cb->stop || !cb->stop(cb->arg))
		return false;
	if (!p->since)
		p->since = timings_now();
	return timings_now() - p->since > AFTER_NS;
}

int capture_after(struct capture *c, bool failed, struct err *err)
{
	struct patience patience = {c, 0};
	struct command_words said;
	struct err why = ERR_INIT;
	struct command_config cfg;
	struct capture_env env;
	int r = 0;

	if (c->set.policy->after) {
		cfg = capture_command_config(c, &env, c->set.policy->after,
		    generation_verdict_word(failed ? GENERATION_FAILED : c->set.result->verdict));
		cfg.stop = enough;
		cfg.stop_arg = &patience;
		r = command_run(&cfg, &said, &why);
		capture_said(c, "after", &said);
	}
	if (*c->set.said && !(c->set.result->said = strdup(c->set.said)))
		return err_nomem(err);
	/* where something failed that is the reason, and the words stand beside it */
	if (c->set.policy->stderr_words == POLICY_STDERR_WARN && !failed && !r && !c->set.result->reason)
		c->set.result->said_lines = c->set.said_lines;
	return r ? mark_partial(c, &why, "after", err) : 0;
}
