/* Handlers of files: what is sent is taken as it comes and put into the store, what is asked for
 * goes from there to the client. The database is asked in short transactions before and after, and
 * none is open meanwhile. Routes in serve/routes.c. */
#ifndef TIDEMARK_TRANSFER_TRANSFER_H
#define TIDEMARK_TRANSFER_TRANSFER_H

#include "web/web.h"

enum err transfer_uploads_list(struct web *web);
/* A form with files; `device` and `event` in the address, or as fields before the files. */
enum err transfer_uploads_post(struct web *web);
/* A file alone; one part of it with Content-Range. */
enum err transfer_uploads_put(struct web *web);
enum err transfer_uploads_show(struct web *web);
enum err transfer_uploads_remove(struct web *web);

/* A file of the archive. */
enum err transfer_archives_show(struct web *web);

/* The form of the page /uploads. */
enum err transfer_page_post(struct web *web);

#endif
