/* probe: the value that a data set's own command gives right after its capture (a count of patients, say), to
 * be compared after a restore.
 *
 * The value is what the command prints, without the newlines at its end: 1…PROBE_MAX bytes of UTF-8 without
 * control characters but newline and tab.  It is a fact about the data, so it goes where the data goes: into
 * root.age, never into a message, the journal or manifest.json.  A number is remembered on this computer, too
 * (capture_rows.c): one that falls makes the data set suspect.
 *
 * Errors: E-CMD-01 … -03 as command.h, E-PROBE-01 it printed nothing, E-PROBE-02 too much, E-PROBE-03 no
 * text.
 */
#ifndef BKP_WRITE_EXPECT_PROBE_H
#define BKP_WRITE_EXPECT_PROBE_H

struct command_config;
struct command_words;
struct err;

#define PROBE_MAX 4096

/* 0 with a malloc'd *ret_value, or -1: there is no value (err says why).  said may be NULL:
 * what it wrote to standard error. */
int probe_run(const struct command_config *cfg, char **ret_value, struct command_words *said, struct err *err)
    __attribute__((warn_unused_result));

#endif
