/* Where an answer's samples or buckets are from. */
#ifndef TIDEMARK_WEB_SOURCES_H
#define TIDEMARK_WEB_SOURCES_H

#include "web/web.h"

/* Says in the header Tidemark-Source that the archive was read; and the database, or it alone. */
static inline enum err sources_tell(struct web *web, bool has_database)
{
    return http_add_header(web->response, "Tidemark-Source",
                           has_database ? "database+archive" : "archive")
               ? OK
               : fail_memory(web->op);
}

#endif
