/* paper: the confirmation before recovery (復旧前確認書) as a page for A4: what is brought back from where to where, and each gate with who
 * has signed it, when and on what evidence; lines to write on where nobody has yet.  The report (復旧報告書) is drill/drill_page.h. */
#ifndef RESTORE_RECOVER_PAPER_H
#define RESTORE_RECOVER_PAPER_H

struct err;
struct recovery;

/* Writes recovery-before.html, in the place of the one before. */
int paper_before(const struct recovery *r, struct err *err) __attribute__((warn_unused_result));

#endif
