/* turns_plan: bkp rotate --plan: which medium comes when, from where, and where it goes then. */
#ifndef BKP_CMD_TURNS_TURNS_PLAN_H
#define BKP_CMD_TURNS_TURNS_PLAN_H

#include <stdbool.h>

struct app;

struct turns_plan_options {
	const char *weeks; /* as it was typed, or NULL: TURNS_PLAN_WEEKS */
	bool calendar;	   /* the page on standard output */
};
#define TURNS_PLAN_WEEKS     13
#define TURNS_PLAN_WEEKS_MAX 520

int turns_plan_run(struct app *app, const struct turns_plan_options *opt);

#endif
