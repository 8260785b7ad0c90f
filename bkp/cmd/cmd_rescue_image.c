/* cmd_rescue_image: bkp rescue-image FILE: a bootable image for a USB stick; restore/rescue/make.sh makes it from what is installed here.
 *
 * Order: is the name free → the folder ".NAME.making" beside it, locked; what a killed one left there goes → make.sh in it → fsync,
 * SHA-256 → the image gets its name in one rename → the folder goes.  So FILE is whole or not there.  make.sh has the lock, too: while
 * one lives whose bkp was killed, no other begins. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/out.h"
#include "cmd/app/root_key.h"
#include "cmd/app/tools_folder.h"
#include "format/crypto/digest.h"
#include "format/crypto/minisig.h"
#include "write/prepare/tool.h"

#define SHOW	    512
#define INCLUDE_MAX 64
#define BLOCK	    ((size_t)1 << 20)
#define IMAGE	    "image"
#define MISSING	    3 /* what make.sh ends with when packages are missing */

struct request {
	struct app *app;
	const char *file, *kernel, *modules, *root_key;
	const char *include[INCLUDE_MAX];
	size_t n_include;
	bool serial;
	char folder[PATH_MAX]; /* the one that holds FILE */
	char work[PATH_MAX];
	struct buf said;
	char sha256[2 * DIGEST_LEN + 1];
	uint64_t bytes;
};

/* ---- what make.sh says: "WORD VALUE" lines ---- */

/* The values of all lines that begin with `word`, with blanks between them. */
static const char *facts(const struct buf *said, const char *word, char *out, size_t size)
{
	const char *line = said->n ? (const char *)said->p : "";
	size_t n = strlen(word), used = 0;

	*out = '\0';
	for (; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		int length = (int)strcspn(line, "\n");

		if (strncmp(line, word, n) != 0 || line[n] != ' ' || used + (size_t)length >= size)
			continue;
		used += (size_t)snprintf(
		    out + used, size - used, "%s%.*s", used ? " " : "", length - (int)n - 1, line + n + 1);
	}
	return out;
}

static int image_failed(struct request *q, int status, struct err *err)
{
	char packages[SHOW], show[SHOW];

	if (status == MISSING) {
		facts(&q->said, "missing", packages, sizeof(packages));
		err_set(err, "E-RESCUE-01", text("packages are missing here: %s"),
		    path_show(packages, show, sizeof(show)));
		return err_hint(err, text("apt-get install --no-install-recommends %s"), show);
	}
	err_set(err, "E-RESCUE-02", text("the image cannot be made: %s"),
	    path_show(status < 0 ? text("it was stopped") : tool_last_line(&q->said), show, sizeof(show)));
	return err_hint(err, "%s",
	    text("is there 1 GB free beside the file, and are the kernel and its modules of one version?"));
}

/* ---- the work ---- */

static int run_script(struct request *q, struct err *err)
{
	char rescue[PATH_MAX], script[PATH_MAX], restore[PATH_MAX];
	const char *argv[10 + INCLUDE_MAX + 1] = {"bash"};
	size_t n = 1;
	int status;

	if (!tools_rescue(rescue) || !tools_restore(restore) ||
	    snprintf(script, sizeof(script), "%s/make.sh", rescue) >= PATH_MAX)
		return err_set(err, "E-RESCUE-03", "%s",
		    text("bkp-restore and the files of the rescue system are not beside bkp, nor installed"));
	argv[n++] = script;
	argv[n++] = q->work;
	argv[n++] = restore;
	argv[n++] = text_lang() == TEXT_JA ? "ja" : "en";
	argv[n++] = q->serial ? "1" : "0";
	argv[n++] = q->root_key ? q->root_key : "";
	argv[n++] = q->kernel ? q->kernel : "";
	argv[n++] = q->modules ? q->modules : "";
	for (size_t i = 0; i < q->n_include; i++)
		argv[n++] = q->include[i];
	if (tool_status(argv, NULL, &q->said, &status, err))
		return -1;
	if (buf_terminate(&q->said, err))
		return -1;
	return status ? image_failed(q, status, err) : 0;
}

static int hash_image(struct request *q, int fd, struct err *err)
{
	BUF_AUTO block = BUF_INIT(BLOCK);
	struct digest *d = digest_new();
	uint8_t sum[DIGEST_LEN];
	ssize_t n = -1;

	if (!d || buf_reserve(&block, BLOCK, err)) {
		digest_free(d);
		return d ? -1 : err_set(err, "E-MEM-01", "%s", text("out of memory"));
	}
	while ((n = io_read_full(fd, block.p, BLOCK)) > 0) {
		digest_update(d, block.p, (size_t)n);
		q->bytes += (uint64_t)n;
	}
	digest_final(d, sum);
	digest_free(d);
	digest_hex(sum, DIGEST_LEN, q->sha256);
	return n < 0 ? err_sys(err, "E-IO-02", errno, text("cannot read '%s'"), q->file) : 0;
}

static int name_taken(const struct request *q, struct err *err)
{
	char show[SHOW];

	err_set(err, "E-RESCUE-04", text("'%s' exists already and is not overwritten"),
	    path_show(q->file, show, sizeof(show)));
	return err_hint(err, "%s",
	    text("name a new file: a stick is not written by this command, but from the file by dd"));
}

static int make_image(struct request *q, int parent, int work, struct err *err)
{
	IO_FD_AUTO image = -1;
	int r;

	if (run_script(q, err))
		return -1;
	image = io_open_file(work, IMAGE, err);
	if (image < 0 || hash_image(q, image, err) || io_sync(image, IMAGE, err) ||
	    io_close(&image, IMAGE, err))
		return -1;
	r = io_rename_new(work, IMAGE, parent, strrchr(q->file, '/') + 1, err);
	if (r == IO_EXISTS)
		return name_taken(q, err);
	return r || io_sync_dir(parent, err) ? -1 : 0;
}

static int empty_folder(const char *path, struct err *err)
{
	const char *const argv[] = {"rm", "-rf", "--", path, NULL};

	return tool_run(argv, NULL, err);
}

/* The folder, empty and ours, or -1.  The lock goes with whoever has the descriptor: make.sh, too. */
static int take_folder(struct request *q, int parent, int *ret, struct err *err)
{
	const char *name = strrchr(q->work, '/') + 1;
	IO_FD_AUTO fd = io_make_dir(parent, name, 0700, err);
	int r = fd < 0 ? -1 : io_lock(fd, err);

	if (r == IO_BUSY) {
		err_set(err, "E-RESCUE-05", text("another bkp makes '%s' at this moment"), q->file);
		return err_hint(err, "%s", text("wait until it has ended"));
	}
	if (r)
		return -1;
	if (fcntl(fd, F_SETFD, 0))
		return err_sys(err, "E-IO-01", errno, text("cannot open '%s'"), q->work);
	*ret = io_take(&fd);
	return 0;
}

static int run_rescue(struct request *q, struct err *err)
{
	IO_FD_AUTO parent = -1;
	IO_FD_AUTO work = -1;
	struct stat st;
	int r;

	parent = io_open_dir(AT_FDCWD, *q->folder ? q->folder : "/", err);
	if (parent < 0)
		return -1;
	if (!fstatat(parent, strrchr(q->file, '/') + 1, &st, AT_SYMLINK_NOFOLLOW))
		return name_taken(q, err);
	if (take_folder(q, parent, &work, err))
		return -1;
	r = make_image(q, parent, work, err);
	if (empty_folder(q->work, r ? NULL : err) && !r)
		return -1;
	return r;
}

/* ---- what is said ---- */

static int show_image(const struct request *q)
{
	char kernel[SHOW], secure[SHOW], without[SHOW], show[SHOW], word[SHOW];
	bool is_secure = !strcmp(facts(&q->said, "secure-boot", secure, sizeof(secure)), "yes");

	path_show(facts(&q->said, "kernel", kernel, sizeof(kernel)), show, sizeof(show));
	facts(&q->said, "without", without, sizeof(without));
	path_word(q->file, word, sizeof(word));
	if (q->app->json)
		return out_json(json_pack("{s:s, s:I, s:s, s:s, s:b, s:s}", "image", word, "bytes",
				    (json_int_t)q->bytes, "sha256", q->sha256, "kernel", show, "secure_boot",
				    (int)is_secure, "without", without),
		    APP_OK);
	if (q->app->quiet)
		return APP_OK;
	printf(text("made: %s\n  %ju bytes, SHA-256 %s\n  Linux %s, for BIOS and UEFI\n"), word,
	    (uintmax_t)q->bytes, q->sha256, show);
	if (!is_secure)
		out_wrapped(stdout, 0, 0, "%s",
		    text("It does not start where Secure Boot is on: for that install shim-signed and "
			 "grub-efi-amd64-signed, and make it again."));
	if (*without)
		out_wrapped(stdout, 0, 0, text("Programs that are not installed here, and so not on it: %s"),
		    without);
	out_wrapped(stdout, 0, 0, "%s",
	    text("Write the number of bytes and the SHA-256 on paper.  Then, /dev/sdX being the stick "
		 "(lsblk), "
		 "all of which is lost:"));
	printf("  dd if=%s of=/dev/sdX bs=4M conv=fsync status=progress\n"
	       "  blockdev --flushbufs /dev/sdX; head -c %ju /dev/sdX | sha256sum\n",
	    word, (uintmax_t)q->bytes);
	return app_flush(APP_OK);
}

/* ---- the command ---- */

static int parse_root_key(const struct request *q, struct err *err)
{
	struct minisig_public key;

	if (!q->root_key)
		return 0;
	return root_key_refuse_secret(q->root_key, "E-SIG-05", err) ||
		       minisig_public_parse(q->root_key, &key, err)
		   ? -1
		   : 0;
}

/* Where it goes: relative names as they are understood here, "./" put in front. */
static int place(struct request *q, const char *file, char out[PATH_MAX])
{
	const char *name;
	int n;

	if (snprintf(out, PATH_MAX, "%s%s", strchr(file, '/') ? "" : "./", file) >= PATH_MAX - 32)
		return -1;
	q->file = out;
	name = strrchr(out, '/') + 1;
	if (!*name || !strcmp(name, ".") || !strcmp(name, "..") || strlen(name) > NAME_MAX - 8)
		return -1;
	n = (int)(name - 1 - out);
	snprintf(q->folder, sizeof(q->folder), "%.*s", n, out);
	return snprintf(q->work, sizeof(q->work), "%.*s/.%s.making", n, out, name) < PATH_MAX ? 0 : -1;
}

int cmd_rescue_image(struct app *app, int argc, char **argv)
{
	enum { KERNEL = 1, MODULES, ROOT_KEY, SERIAL, INCLUDE };
	static const struct option own[] = {{"kernel", required_argument, NULL, KERNEL},
	    {"modules", required_argument, NULL, MODULES}, {"root-key", required_argument, NULL, ROOT_KEY},
	    {"include", required_argument, NULL, INCLUDE}, {"serial", no_argument, NULL, SERIAL},
	    {NULL, 0, NULL, 0}};
	struct request q = {.app = app, .said = BUF_INIT(TOOL_SAID + 1)};
	struct err err = ERR_INIT;
	char file[PATH_MAX];
	int c, code = APP_OK;

	while ((c = app_getopt(app, argc, argv, own, &code)) != -1) {
		if (c == APP_OPT_STOP)
			return code;
		if (c == INCLUDE && q.n_include == INCLUDE_MAX)
			return app_usage(app, text("--include may be given %d times"), INCLUDE_MAX);
		if (c == INCLUDE)
			q.include[q.n_include++] = optarg;
		q.serial |= c == SERIAL;
		if (c == KERNEL || c == MODULES || c == ROOT_KEY)
			*(c == KERNEL ? &q.kernel : c == MODULES ? &q.modules : &q.root_key) = optarg;
	}
	app_language(app);
	if (optind + 1 != argc || place(&q, argv[optind], file))
		return app_usage(
		    app, "%s", text("say into which file, as in 'bkp rescue-image /srv/rescue.img'"));
	if (!!q.kernel != !!q.modules)
		return app_usage(app, "%s", text("--kernel FILE and --modules DIR belong together"));
	if (parse_root_key(&q, &err))
		return app_error(&err, APP_USAGE);
	code = run_rescue(&q, &err) ? app_error(&err, APP_FAILED) : show_image(&q);
	buf_free(&q.said);
	return code;
}
