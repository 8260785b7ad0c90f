/* period_recipient: how a key holder is encrypted to, as a person writes it: what `age -r` takes, or several of that behind one another
 * with '+' between them, the outer one first: "age1…+ssh-ed25519 AAAA…", "age1yubikey1…+passphrase".
 *
 * With several the holder's file is an age file within an age file: each factor opens one layer.  A passphrase is the innermost one or none:
 * whoever took a medium could guess at leisure at a file that a passphrase alone opens.
 *
 * Pure.  Error: E-PERIOD-07.
 */
#ifndef BKP_FORMAT_MEDIUM_PERIOD_RECIPIENT_H
#define BKP_FORMAT_MEDIUM_PERIOD_RECIPIENT_H

#include <stdbool.h>
#include <stddef.h>

#include "format/medium/period.h"

struct buf;
struct err;

#define PERIOD_LAYERS	  4
#define PERIOD_PASSPHRASE "passphrase"

enum period_layer {
	PERIOD_LAYER_X25519,	/* "age1…": our own code */
	PERIOD_LAYER_STOCK,	/* a plug-in's, "age1NAME1…", or an SSH key without its comment: `age` */
	PERIOD_LAYER_PASSPHRASE /* scrypt */
};

struct period_recipient {
	size_t n; /* 1 … PERIOD_LAYERS */
	enum period_layer kind[PERIOD_LAYERS];
	char *layer[PERIOD_LAYERS];  /* point into text: must not be copied */
	char text[PERIOD_RECIPIENT]; /* one behind the other, each with its NUL */
};

int period_recipient_parse(const char *s, struct period_recipient *ret, struct err *err)
    __attribute__((warn_unused_result));
/* As it stands in period.json; returns out. */
char *period_recipient_text(const struct period_recipient *r, char out[PERIOD_RECIPIENT]);

/* Could that be a person's file: an age file, binary, that no passphrase opens?  0, -1 (E-PERIOD-07). */
int period_file_check(const char *name, const struct buf *file, struct err *err)
    __attribute__((warn_unused_result));

#endif
