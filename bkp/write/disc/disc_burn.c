/* disc_burn: see disc_burn.h. */
#include "write/disc/disc_burn.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "write/disc/disc_plan.h"
#include "write/source/command.h"

#define SHOW	    256
#define LINE	    512
#define SAID_MAX    ((size_t)64 << 10)
#define LIST_MAX    ((size_t)1 << 30)
#define OPTICAL	    11	/* major number of optical drives: linux/major.h, SCSI_CDROM_MAJOR */
#define PROBE_LIMIT 300 /* s: a disc has to spin up */
#define LIST	    "list"
#define VOLUME_ID   32 /* characters of a volume's name: ECMA-119, 8.4.8 */

static const char probe_line[] = "exec xorriso -no_rc -outdev \"$BKP_DRIVE\" -toc 2>&1";
static const char burn_line[] =
    "exec xorriso -no_rc -abort_on SORRY -return_with SORRY 32 -outdev \"$BKP_DRIVE\" -volid \"$BKP_VOLUME\" "
    "-volume_date uuid \"$BKP_VOLUME_ID\" -joliet on -compliance "
    "iso_9660_level=3:joliet_long_names:joliet_long_paths -uid 0 "
    "-gid 0 -padding 0 "
    "-pathspecs on -path_list \"$BKP_LIST\" -find / -type d -exec chmod a=rx -- -find / -type f -exec chmod "
    "a+r -- "
    "-close on -commit 2>&1";

/* What xorriso says, line by line; `last`: for a person, should it fail. */
struct talk {
	char line[LINE], last[LINE];
	size_t n;
	bool blank;
	uint64_t blocks;
	const struct disc_burn *burn;
};

static void take_line(struct talk *t)
{
	const char *at;

	t->line[t->n] = '\0';
	t->n = 0;
	if (!strncmp(t->line, "Media status :", 14))
		t->blank = strstr(t->line, "is blank") != NULL;
	else if (!strncmp(t->line, "Media blocks :", 14) && (at = strstr(t->line, "readable , ")))
		t->blocks = strtoull(at + 11, NULL, 10);
	else if (t->burn && t->burn->progress && (at = strstr(t->line, "Writing: ")))
		t->burn->progress(t->burn->arg, strtoull(at + 9, NULL, 10) * DISC_BLOCK);
	/* the first of them is the fault, the others say that it ends */
	if ((strstr(t->line, " : FAILURE : ") || strstr(t->line, " : FATAL : ") ||
		strstr(t->line, " : SORRY : ")) &&
	    !*t->last)
		path_show(t->line, t->last, sizeof(t->last));
}

static int run_xorriso(
    const char *line, const char *const *env, int64_t limit_s, struct talk *t, struct err *err)
{
	const struct command_config cfg = {.line = line, .env = env, .limit_s = limit_s};
	struct command *c = NULL;
	char block[4096];
	ssize_t n;
	int r;

	if (command_start(&cfg, &c, err))
		return -1;
	while ((n = command_read(c, block, sizeof(block))) > 0)
		for (ssize_t i = 0; i < n; i++) {
			/* progress ends in a carriage return */
			if (block[i] == '\n' || block[i] == '\r' || t->n == sizeof(t->line) - 1)
				take_line(t);
			else
				t->line[t->n++] = block[i];
		}
	take_line(t);
	r = command_finish(c, err);
	command_free(c);
	return r;
}

static int failed(const struct talk *t, const struct err *why, struct err *err)
{
	err_set(err, "E-DISC-03", "%s", *t->last ? t->last : why->msg);
	err_wrap(err, "%s", text("xorriso did not do it"));
	return err_hint(err, "%s",
	    text("is the package 'xorriso' installed, and the drive free? a disc on which writing was begun "
		 "goes into the shredder; put in a "
		 "blank one and run the command again"));
}

/* ---- the drive ---- */

static int no_drive(const char *name, const char *what, struct err *err)
{
	char show[SHOW];

	err_set_kind(err, ERR_USAGE, "E-DISC-02", "'%s': %s", path_show(name, show, sizeof(show)), what);
	return err_hint(err, "%s",
	    text("name an optical drive, as in --to /dev/sr0, or a new file for an image, as in --to "
		 "stdio:/srv/BD.iso"));
}

static int look_at_drive(const char *name, struct disc_drive *d, struct err *err)
{
	const bool image = !strncmp(name, "stdio:", 6);
	struct stat st;

	*d = (struct disc_drive){.name = name, .path = image ? name + 6 : name, .optical = !image};
	if (*d->path != '/')
		return no_drive(name, text("it is not a whole path"), err);
	for (const char *s = name; *s; s++)
		if (iscntrl((unsigned char)*s))
			return no_drive(name, text("its name holds control characters"), err);
	if (lstat(d->path, &st))
		return image && errno == ENOENT ? 0 : no_drive(name, strerror(errno), err);
	if (image && S_ISREG(st.st_mode) && st.st_size == 0)
		return 0;
	if (image && S_ISREG(st.st_mode)) {
		err_set(err, "E-DISC-04", text("the disc in '%s' is not blank"), name);
		return err_hint(err, "%s", text("put in a blank one; what is on this one stays as it is"));
	}
	if (image)
		return no_drive(name, text("it is no plain file"), err);
	/* /dev/cdrom is a link */
	if (stat(d->path, &st) || !S_ISBLK(st.st_mode) || major(st.st_rdev) != OPTICAL)
		return no_drive(name, text("it is no optical drive"), err);
	return 0;
}

int disc_probe(const char *name, struct disc_drive *ret, struct err *err)
{
	struct talk t = {.n = 0};
	struct err why = ERR_INIT;
	char drive[SHOW * 17];
	const char *const env[] = {drive, NULL};

	if (look_at_drive(name, ret, err))
		return -1;
	if (snprintf(drive, sizeof(drive), "BKP_DRIVE=%s", name) >= (int)sizeof(drive))
		return no_drive(name, text("the name is too long"), err);
	if (run_xorriso(probe_line, env, PROBE_LIMIT, &t, &why))
		return failed(&t, &why, err);
	if (!t.blank) {
		err_set(err, "E-DISC-04", text("the disc in '%s' is not blank"), name);
		return err_hint(err, "%s", text("put in a blank one; what is on this one stays as it is"));
	}
	ret->capacity = t.blocks * DISC_BLOCK;
	return 0;
}

/* ---- one session ---- */

/* "PATH-ON-DISC=PATH" a line: '=' and '\' on the left are escaped. */
static int write_list(const struct disc_burn *b, struct err *err)
{
	BUF_AUTO out = BUF_INIT(LIST_MAX);
	IO_FD_AUTO folder = -1;

	for (size_t i = 0; i < b->files->n; i++) {
		const struct disc_file *f = &b->files->file[i];

		if (strchr(f->to, '\n') || strchr(f->from, '\n')) {
			char show[SHOW];

			return err_set(err, "E-DISC-09", text("the name '%s' cannot be given to xorriso"),
			    path_show(f->from, show, sizeof(show)));
		}
		for (const char *s = f->to; *s; s++)
			if (buf_printf(&out, err, "%s%c", *s == '=' || *s == '\\' ? "\\" : "", *s))
				return -1;
		if (buf_printf(&out, err, "=%s\n", f->from))
			return -1;
	}
	folder = io_open_dir(AT_FDCWD, b->folder, err);
	return folder < 0 ? -1 : io_replace(folder, LIST, 0600, out.p, out.n, err);
}

int disc_burn(const struct disc_burn *b, struct err *err)
{
	struct talk t = {.burn = b};
	struct err why = ERR_INIT;
	char drive[SHOW * 17], list[SHOW * 17], volume[LINE] = "BKP_VOLUME=", id[LINE];
	const char *const env[] = {drive, list, volume, id, NULL};
	size_t n = strlen(volume);

	if (write_list(b, err))
		return -1;
	snprintf(drive, sizeof(drive), "BKP_DRIVE=%s", b->drive->name);
	snprintf(list, sizeof(list), "BKP_LIST=%s/" LIST, b->folder);
	snprintf(id, sizeof(id), "BKP_VOLUME_ID=%s", b->volume_id);
	/* capitals, digits and '_' alone may stand there: ECMA-119, 7.4.1 */
	for (size_t i = 0; b->volume[i] && i < VOLUME_ID; i++)
		volume[n++] =
		    (char)(isalnum((unsigned char)b->volume[i]) ? toupper((unsigned char)b->volume[i]) : '_');
	volume[n] = '\0';
	return run_xorriso(burn_line, env, 0, &t, &why) ? failed(&t, &why, err) : 0;
}
