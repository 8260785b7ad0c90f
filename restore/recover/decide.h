/* decide: what is done about a step that failed, or was cut off: by a person at the terminal, or beforehand in the file of --attest.
 *
 *	r once more	m from the next medium	g from an older generation	s skipped, for a reason		a given up
 *
 * A gate can be signed or the recovery given up; nothing else.  What was decided, by whom and why, is added to the step.
 *
 * Errors that are said: E-RECOVER-07 a command was cut off and nobody says what to do, E-RECOVER-10 there is no other medium, or no such
 * choice; those of choose.h.
 */
#ifndef RESTORE_RECOVER_DECIDE_H
#define RESTORE_RECOVER_DECIDE_H

struct drill_generation;
struct drill_step;
struct recovery;

/* r, s, a, or g: *ret_g is to be brought back anew.  0: nobody decides, the recovery stops here. */
char decide(struct recovery *r, struct drill_step *s, const struct drill_generation **ret_g);
/* r: the command is run again, d: it had been done; 0: nobody decides. */
char decide_cut_off(struct recovery *r, struct drill_step *s);

#endif
