/* hl7: one message of HL7 version 2, as SS-MIX2 keeps it in a file.
 *
 * hl7_parse → hl7_segments, hl7_segment, hl7_value, hl7_patient → hl7_free.  Pure.  The encoding is taken from the bytes, not from MSH-18:
 * exports say one thing and write another.  Separators are those of MSH-1 and MSH-2.
 *
 * Errors: E-CHART-01 it does not begin as a message, or is too large.
 */
#ifndef BKP_FORMAT_CHART_HL7_H
#define BKP_FORMAT_CHART_HL7_H

#include <stddef.h>

struct buf;
struct err;

#define HL7_MAX ((size_t)4 << 20)
#define HL7_SEGMENTS                                                                                         \
	20000 /* those behind them are left out, and hl7_segments() says so by being HL7_SEGMENTS */
#define HL7_TEXT 200

struct hl7;
int hl7_parse(const void *p, size_t n, struct hl7 **ret, struct err *err) __attribute__((warn_unused_result));
void hl7_free(struct hl7 *h);

size_t hl7_segments(const struct hl7 *h);
/* Its name, "PID"; at most 3 characters. */
const char *hl7_segment(const struct hl7 *h, size_t segment, char ret[4]);
/* Field `number` (from 1 on) as a person reads it, UTF-8, NUL-terminated and in *out alone: components are separated by " | " (empty ones are
 * left out), repetitions by a line's end, escapes are resolved.  0, HL7_END: there is no such field and none behind it, -1. */
#define HL7_END 1
int hl7_value(const struct hl7 *h, size_t segment, unsigned number, struct buf *out, struct err *err)
    __attribute__((warn_unused_result));

struct hl7_patient {
	char number[HL7_TEXT]; /* PID-3 */
	char name[HL7_TEXT];   /* PID-5: as it is written; family and given name */
	char kana[HL7_TEXT];   /* as it is read */
	char born[HL7_TEXT];   /* PID-7: "19600131", or what stands there */
	char sex[HL7_TEXT];    /* PID-8 */
};
/* Of its first PID; "" for what is not there. */
int hl7_patient(const struct hl7 *h, struct hl7_patient *ret, struct err *err)
    __attribute__((warn_unused_result));

#endif
