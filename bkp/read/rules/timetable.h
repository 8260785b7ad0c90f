/* timetable: at which times of day something must look what is due: the slots of all data sets as few lines
 * as cron and systemd can say them in.
 *
 * Pure.  Whether a data set is due at one of these times is for slots.h to say; a line too many costs
 * nothing.
 *
 * The last line may be one for catching up: four hours after the last slot of the day, for what failed then
 * and for computers that slept; there is none where something starts every few hours anyway.
 */
#ifndef BKP_READ_RULES_TIMETABLE_H
#define BKP_READ_RULES_TIMETABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct policy;

#define TIMETABLE_EVERY_HOUR 0xffffffu

struct timetable_line {
	unsigned minute;
	uint32_t hours;	    /* bits 0 … 23 */
	uint32_t weekdays;  /* bits 0 Sunday … 6; 0: on every day */
	uint32_t monthdays; /* bits 1 … 28; 0: on every day */
	bool catch_up;
};

struct timetable {
	struct timetable_line *line; /* by minute and first hour; daily ones, weekly, monthly */
	size_t n;
};

/* NULL: out of memory. */
struct timetable *timetable_new(const struct policy *policy);
void timetable_free(struct timetable *t);

#endif
