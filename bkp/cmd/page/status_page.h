/* status_page: how things stand as one page to look at, self-contained HTML. */
#ifndef BKP_CMD_PAGE_STATUS_PAGE_H
#define BKP_CMD_PAGE_STATUS_PAGE_H

struct buf;
struct err;
struct policy;
struct sheet;
struct status_view;

#define STATUS_PAGE_MAX ((size_t)8 << 20)

/* 0, -1.  The journal is read once more, for what happened on which day. */
int status_page(const struct status_view *v, struct buf *out, struct err *err)
    __attribute__((warn_unused_result));
/* That nothing is known: takes the place of a page that would go on saying what was. */
int status_page_unknown(const struct policy *policy, struct buf *out, struct err *err)
    __attribute__((warn_unused_result));

/* status_page_file.c.  The page and what lapses; v NULL: nothing is known. */
int status_page_whole(const struct policy *policy, struct status_view *v, struct buf *out, struct err *err)
    __attribute__((warn_unused_result));
/* Who reads it may do so at any moment, as another user: the whole file appears at once, mode 0644. */
int status_page_put(const char *path, const struct buf *b, struct err *err)
    __attribute__((warn_unused_result));
/* The page that the policy asks for (status_page: FILE), as things stand; l NULL: the journal is read again.  For struct app. */
struct ledger;
int status_page_of_policy(const struct policy *policy, const struct ledger *l, struct err *err)
    __attribute__((warn_unused_result));

/* status_page_days.c: its part about days. */
int status_page_days(const struct status_view *v, struct sheet *s, struct err *err);

#endif
