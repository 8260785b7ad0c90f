/* dicom: which patient and which study a DICOM file belongs to, from its first bytes.
 *
 * Part 10 files, implicit and explicit VR, little endian (what every modality and PACS writes into files); big endian (retired) and deflated
 * ones are E-CHART-02.  Pure.  Elements are read in their order up to group 0020; sequences are stepped over, nested DICOM_DEPTH deep.  What
 * ends in the middle of the bytes ends the reading: what was found until then counts.
 *
 * Errors: E-CHART-02 it is no such file.
 */
#ifndef BKP_FORMAT_CHART_DICOM_H
#define BKP_FORMAT_CHART_DICOM_H

#include <stddef.h>

struct err;

#define DICOM_HEAD  ((size_t)128 << 10) /* bytes of a file that are enough */
#define DICOM_MAGIC 132			/* bytes that tell whether it is one */
#define DICOM_TEXT  200
#define DICOM_DEPTH 16

struct dicom {
	char study[DICOM_TEXT];	  /* its UID */
	char patient[DICOM_TEXT]; /* number */
	char name[DICOM_TEXT];	  /* "山田 太郎", ideographic where there is one */
	char kana[DICOM_TEXT];	  /* phonetic */
	char letters[DICOM_TEXT]; /* alphabetic */
	char born[DICOM_TEXT], sex[DICOM_TEXT];
	char date[DICOM_TEXT], time[DICOM_TEXT]; /* of the study: "20261120", "093000" */
	char modality[DICOM_TEXT], description[DICOM_TEXT];
};

/* Has it the mark of one?  n ≥ DICOM_MAGIC */
int dicom_is(const void *p, size_t n);
int dicom_parse(const void *p, size_t n, struct dicom *ret, struct err *err)
    __attribute__((warn_unused_result));

#endif
