/* medium_docs_procedures: <repository-id>/procedures/; see medium_docs.h. */
#include "write/medium_docs_private.h"

int medium_docs_procedures(struct medium_docs *d, struct err *err)
{
	(void)d;
	(void)err;
	return 0;
}
