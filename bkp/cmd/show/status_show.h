/* status_show: how things stand, as people read it and as JSON. */
#ifndef BKP_CMD_SHOW_STATUS_SHOW_H
#define BKP_CMD_SHOW_STATUS_SHOW_H

struct ledger;
struct policy;
struct compliance;
struct forecast;
struct then;

struct status_view {
	const struct policy *policy;
	const struct ledger *ledger;
	const struct compliance *s;
	const struct then *then;	 /* it is of the past (--at); NULL: as of now */
	const struct forecast *forecast; /* or NULL */
};

/* Tables and sentences on stdout; one object.  An exit code: 0, or APP_FAILED after a report. */
int status_show_text(const struct status_view *v);
/* The same on one screen, at most 24 lines: the verdict, a line for each data set, what to do next. */
int status_show_short(const struct status_view *v);
/* The verdict, and all that is foreseen. */
int status_show_forecast(const struct status_view *v);
int status_show_json(const struct status_view *v);

#endif
