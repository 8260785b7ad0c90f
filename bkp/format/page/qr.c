/* qr: see qr.h.  libqrcodegen makes the modules; here they become one path, a run of dark ones a rectangle. */
#include "format/page/qr.h"

#include <qrcodegen.h>
#include <sodium.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"

#define VERSION_MOST 18 /* of 46 mm on paper half a millimetre a module */
#define QUIET	     4	/* modules around it that stay white */

static int draw(const uint8_t *qr, struct buf *out, struct err *err)
{
	int size = qrcodegen_getSize(qr), r;

	r = buf_printf(out, err, "<svg class=\"qr\" viewBox=\"%d %d %d %d\"><path d=\"", -QUIET, -QUIET,
	    size + 2 * QUIET, size + 2 * QUIET);
	for (int y = 0; y < size && !r; y++)
		for (int x = 0, n; x < size && !r; x += n + 1) {
			for (n = 0; qrcodegen_getModule(qr, x + n, y); n++)
				;
			if (n)
				r = buf_printf(out, err, "M%d %dh%dv1h-%dz", x, y, n, n);
		}
	return r ? r : buf_puts(out, "\"/></svg>\n", err);
}

int qr_svg(const char *s, struct buf *out, struct err *err)
{
	uint8_t qr[qrcodegen_BUFFER_LEN_FOR_VERSION(VERSION_MOST)], work[sizeof(qr)];
	int r;

	if (qrcodegen_encodeText(s, work, qr, qrcodegen_Ecc_MEDIUM, qrcodegen_VERSION_MIN, VERSION_MOST,
		qrcodegen_Mask_AUTO, true))
		r = draw(qr, out, err);
	else
		r = err_set_kind(
		    err, ERR_LARGE, "E-PAGE-01", "%s", text("the text is too long for a QR code"));
	sodium_memzero(qr, sizeof(qr));
	sodium_memzero(work, sizeof(work));
	return r;
}
