/* rotate_ask: see rotate_ask.h. */
#include "cmd/rotate/rotate_ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"
#include "base/text.h"
#include "base/width.h"
#include "cmd/app/app.h"
#include "cmd/app/out.h"
#include "format/policy/policy.h"
#include "write/rotate/rotate_disk.h"

#define SHOW 256

bool rotate_ask_can(const struct app *app)
{
	return !app->json && !app->quiet && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

/* A line without its end and blanks around it, digits and letters of a Japanese keyboard as ASCII when narrow. false: the end. */
static bool read_answer(char *out, size_t size, bool narrow)
{
	char line[4 * OPERATOR_TEXT];
	size_t n, at = 0, k = 0;

	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin)) {
		putchar('\n');
		return false;
	}
	n = strcspn(line, "\r\n");
	while (n && (line[n - 1] == ' ' || line[n - 1] == '\t'))
		n--;
	while (at < n && (line[at] == ' ' || line[at] == '\t'))
		at++;
	while (at < n && k + 4 < size) {
		uint32_t cp;
		size_t len = width_decode(line + at, n - at, &cp);

		if (narrow && cp > 0xff00 && cp < 0xff5f)
			out[k++] = (char)(cp - 0xff00 + 0x20);
		else
			memcpy(out + k, line + at, len), k += len;
		at += len;
	}
	out[k] = '\0';
	return true;
}

static bool is_end(const char *answer)
{
	return !strcmp(answer, "q") || !strcmp(answer, "Q");
}

/* 1…n, or 0. */
static size_t ask_number(size_t n)
{
	char answer[32], *end;
	unsigned long number;

	for (;;) {
		printf(text("Number (1 to %zu) and Enter, or q to end: "), n);
		if (!read_answer(answer, sizeof(answer), true) || is_end(answer))
			return 0;
		number = strtoul(answer, &end, 10);
		if (*answer >= '0' && *answer <= '9' && !*end && number >= 1 && number <= n)
			return number;
	}
}

int rotate_ask_operator(const struct policy *policy, char ret[OPERATOR_TEXT])
{
	const char *names[OPERATOR_NAMES];
	size_t n = operator_names(policy, names), chosen;

	if (!n) {
		printf("%s", text("Who does this? Your name and Enter, or q to end: "));
		return read_answer(ret, OPERATOR_TEXT, false) && *ret && !is_end(ret);
	}
	printf("%s\n", text("Who does this?"));
	for (size_t i = 0; i < n; i++)
		printf("  %zu  %s\n", i + 1, names[i]);
	chosen = ask_number(n);
	if (!chosen)
		return 0;
	snprintf(ret, OPERATOR_TEXT, "%s", names[chosen - 1]);
	return 1;
}

int rotate_ask_place(const char *name, const char *usual, char ret[OPERATOR_TEXT])
{
	char show[SHOW];

	for (;;) {
		if (usual && *usual)
			out_wrapped(stdout, 0, 0, text("Where is '%s' kept from now on? Enter alone: '%s'"),
			    name, path_show(usual, show, sizeof(show)));
		else
			printf(text("Where is '%s' kept from now on?\n"), name);
		printf("> ");
		if (!read_answer(ret, OPERATOR_TEXT, false) || is_end(ret))
			return 0;
		if (!*ret && usual)
			snprintf(ret, OPERATOR_TEXT, "%s", usual);
		if (*ret)
			return 1;
	}
}

int rotate_ask_disk(const struct rotate_disks *disks, size_t *ret)
{
	char words[DISK_WORDS];
	size_t n = 0, chosen;

	printf("%s\n", text("Several media are plugged in. Which one?"));
	for (size_t i = 0; i < disks->n; i++)
		if (disks->all[i].medium)
			out_wrapped(stdout, 0, 5, "  %zu  %s: %s", ++n, disks->all[i].medium->name,
			    disk_words(&disks->all[i].disk, words));
	chosen = ask_number(n);
	for (size_t i = 0; chosen && i < disks->n; i++)
		if (disks->all[i].medium && !--chosen) {
			*ret = i;
			return 1;
		}
	return 0;
}

int rotate_ask_plug(const struct policy *policy, const char *name)
{
	char answer[32], names[SHOW * 2] = "", show[SHOW];
	size_t at = 0;

	for (size_t i = 0; i < policy->n_media && at < sizeof(names); i++) {
		const struct policy_medium *m = &policy->media[i];

		if (!m->offline || (name && strcmp(m->name, name) != 0))
			continue;
		at += (size_t)snprintf(names + at, sizeof(names) - at, "%s%s", at ? ", " : "", m->name);
		if (m->place && at < sizeof(names))
			at += (size_t)snprintf(names + at, sizeof(names) - at, text(" (from '%s')"),
			    path_show(m->place, show, sizeof(show)));
	}
	width_whole(names);
	out_wrapped(stdout, 0, 0, text("Plug in the disk, then press Enter; q ends. It is: %s"), names);
	printf("> ");
	return read_answer(answer, sizeof(answer), true) && !is_end(answer);
}
