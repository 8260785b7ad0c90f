/* namelist: see namelist.h. */
#include "restore/extract/namelist.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/show/csv.h"
#include "base/text.h"
#include "restore/extract/winnames.h"

#define LISTS_MAX 1000
#define PATH_CAP  ((size_t)16 << 20)

static int fault(const struct namelist *l, struct err *err)
{
	return err_sys(err, "E-NAMES-01", errno, text("the list of names cannot be written: '%s'"), l->name);
}

static int make_list(struct namelist *l, struct err *err)
{
	int fd = -1;

	for (unsigned i = 1; fd < 0 && i <= LISTS_MAX; i++) {
		if (i == 1)
			snprintf(l->name, sizeof(l->name), WINNAMES_LIST ".csv");
		else
			snprintf(l->name, sizeof(l->name), WINNAMES_LIST "-%u.csv", i);
		fd = openat(l->folder, l->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd < 0 && errno != EEXIST)
			break;
	}
	l->to = fd < 0 ? NULL : fdopen(fd, "w");
	if (!l->to) {
		fault(l, err);
		io_close_quietly(&fd);
		return -1;
	}
	fputs(CSV_BOM, l->to);
	csv_cell(l->to, text("data set"), false);
	csv_cell(l->to, text("name of the file"), false);
	csv_cell(l->to, text("written as"), true);
	return 0;
}

static int show_name(const char *from, const char *to, struct err *err)
{
	BUF_AUTO written = BUF_INIT(PATH_CAP);

	if (path_display(to, &written, err) || buf_terminate(&written, err))
		return -1;
	printf(text("'%s' is written as '%s'\n"), from, (char *)written.p);
	return 0;
}

/* In the table `to` stands byte for byte: it is what is looked for in the folder. */
int namelist_add(void *arg, const char *dataset, const char *from, const char *to, struct err *err)
{
	BUF_AUTO shown = BUF_INIT(PATH_CAP);
	struct namelist *l = arg;

	if (path_display(from, &shown, err) || buf_terminate(&shown, err))
		return -1;
	l->n++;
	if (l->folder < 0)
		return l->quiet ? 0 : show_name((char *)shown.p, to, err);
	if (!l->to && make_list(l, err))
		return -1;
	csv_cell(l->to, dataset, false);
	csv_cell(l->to, (char *)shown.p, false);
	csv_cell(l->to, to, true);
	return ferror(l->to) ? fault(l, err) : 0;
}

int namelist_end(struct namelist *l, struct err *err)
{
	FILE *to = l->to;
	bool bad = to && ferror(to);

	l->to = NULL;
	if (to && (fclose(to) || bad))
		return fault(l, err);
	if (!l->n || l->quiet)
		return 0;
	if (l->folder < 0)
		printf(text("names that Windows cannot hold: %ju\n"), (uintmax_t)l->n);
	else
		printf(text("names that Windows cannot hold: %ju, each is listed in '%s'\n"), (uintmax_t)l->n,
		    l->name);
	return 0;
}
