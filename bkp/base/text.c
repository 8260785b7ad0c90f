/* text: looks messages up in a GNU .mo image that is linked into the program.
 *
 * The image is made by msgfmt from bkp/po/ja.po at build time and is part of the program text, so it is
 * trusted; the .mo layout is documented in the gettext manual, "The Format of GNU MO Files". */
#include "base/text.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text_ja.h" /* generated: text_ja_mo[], text_ja_mo_len */

static enum text_lang current = TEXT_EN;

void text_set_lang(enum text_lang lang)
{
	current = lang;
}

enum text_lang text_lang(void)
{
	return current;
}

int text_parse_lang(const char *s, enum text_lang *ret_lang)
{
	if (!strcmp(s, "ja"))
		*ret_lang = TEXT_JA;
	else if (!strcmp(s, "en"))
		*ret_lang = TEXT_EN;
	else
		return -1;
	return 0;
}

enum text_lang text_environment(void)
{
	const char *wanted = getenv("BKP_LANG");
	const char *locale[] = {getenv("LC_ALL"), getenv("LC_MESSAGES"), getenv("LANG")};
	enum text_lang lang;
	size_t i;

	if (wanted && !text_parse_lang(wanted, &lang))
		return lang;
	for (i = 0; i < 3; i++)
		if (locale[i] && *locale[i])
			return !strncmp(locale[i], "ja", 2) ? TEXT_JA : TEXT_EN;
	return TEXT_EN;
}

static uint32_t mo_word(size_t off)
{
	uint32_t v;

	memcpy(&v, text_ja_mo + off, sizeof(v));
	return v;
}

static const char *string_at(uint32_t table, uint32_t i)
{
	return (const char *)text_ja_mo + mo_word(table + 8 * (size_t)i + 4);
}

/* The image, in 32-bit words of this machine: number of messages at byte 8, places of the table of originals at 12 and of
 * translations at 16; an entry is length and place.  msgfmt sorts the originals, so a binary search finds one. */
const char *text(const char *msgid)
{
	uint32_t lo = 0, hi, originals, translations;

	if (current != TEXT_JA || text_ja_mo_len < 28 || !*msgid)
		return msgid;
	hi = mo_word(8);
	originals = mo_word(12);
	translations = mo_word(16);
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		int c = strcmp(msgid, string_at(originals, mid));

		if (c == 0)
			return string_at(translations, mid);
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return msgid;
}

/* In glibc's words, so that English messages say what other programs say. */
static const struct {
	int errnum;
	const char *msg;
} system_errors[] = {
    {EPERM, TEXT_LATER("Operation not permitted")},
    {ENOENT, TEXT_LATER("No such file or directory")},
    {EINTR, TEXT_LATER("Interrupted system call")},
    {EIO, TEXT_LATER("Input/output error")},
    {ENXIO, TEXT_LATER("No such device or address")},
    {E2BIG, TEXT_LATER("Argument list too long")},
    {EBADF, TEXT_LATER("Bad file descriptor")},
    {EAGAIN, TEXT_LATER("Resource temporarily unavailable")},
    {ENOMEM, TEXT_LATER("Cannot allocate memory")},
    {EACCES, TEXT_LATER("Permission denied")},
    {EBUSY, TEXT_LATER("Device or resource busy")},
    {EEXIST, TEXT_LATER("File exists")},
    {EXDEV, TEXT_LATER("Invalid cross-device link")},
    {ENODEV, TEXT_LATER("No such device")},
    {ENOTDIR, TEXT_LATER("Not a directory")},
    {EISDIR, TEXT_LATER("Is a directory")},
    {EINVAL, TEXT_LATER("Invalid argument")},
    {ENFILE, TEXT_LATER("Too many open files in system")},
    {EMFILE, TEXT_LATER("Too many open files")},
    {ETXTBSY, TEXT_LATER("Text file busy")},
    {EFBIG, TEXT_LATER("File too large")},
    {ENOSPC, TEXT_LATER("No space left on device")},
    {EROFS, TEXT_LATER("Read-only file system")},
    {EMLINK, TEXT_LATER("Too many links")},
    {EPIPE, TEXT_LATER("Broken pipe")},
    {EDEADLK, TEXT_LATER("Resource deadlock avoided")},
    {ENAMETOOLONG, TEXT_LATER("File name too long")},
    {ENOLCK, TEXT_LATER("No locks available")},
    {ENOTEMPTY, TEXT_LATER("Directory not empty")},
    {ELOOP, TEXT_LATER("Too many levels of symbolic links")},
    {ENODATA, TEXT_LATER("No data available")},
    {EOVERFLOW, TEXT_LATER("Value too large for defined data type")},
    {EILSEQ, TEXT_LATER("Invalid or incomplete multibyte or wide character")},
    {EOPNOTSUPP, TEXT_LATER("Operation not supported")},
    {ETIMEDOUT, TEXT_LATER("Connection timed out")},
    {ECONNREFUSED, TEXT_LATER("Connection refused")},
    {EHOSTDOWN, TEXT_LATER("Host is down")},
    {EHOSTUNREACH, TEXT_LATER("No route to host")},
    {ENETUNREACH, TEXT_LATER("Network is unreachable")},
    {ECONNRESET, TEXT_LATER("Connection reset by peer")},
    {ENOTCONN, TEXT_LATER("Transport endpoint is not connected")},
    {ESTALE, TEXT_LATER("Stale file handle")},
    {EUCLEAN, TEXT_LATER("Structure needs cleaning")},
    {EREMOTEIO, TEXT_LATER("Remote I/O error")},
    {EDQUOT, TEXT_LATER("Disk quota exceeded")},
    {ENOMEDIUM, TEXT_LATER("No medium found")},
    {EMEDIUMTYPE, TEXT_LATER("Wrong medium type")},
    {ENOKEY, TEXT_LATER("Required key not available")},
    {ENOEXEC, TEXT_LATER("Exec format error")},
    {ENOTTY, TEXT_LATER("Inappropriate ioctl for device")},
    {ESPIPE, TEXT_LATER("Illegal seek")},
    {EBADMSG, TEXT_LATER("Bad message")},
};

const char *text_errno(int errnum)
{
	const char *s;
	size_t i;

	for (i = 0; i < sizeof(system_errors) / sizeof(*system_errors); i++)
		if (system_errors[i].errnum == errnum)
			return text(system_errors[i].msg);
	s = strerrordesc_np(errnum);
	return s ? s : "?";
}
