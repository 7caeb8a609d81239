/* What senders of emoncms ask beside posting. Run by the ingest process, as the role
 * ingest; failures are answered in the convention's shape by its format. */
#ifndef TIDEMARK_WEB_COMPAT_EMONCMS_H
#define TIDEMARK_WEB_COMPAT_EMONCMS_H

#include "web/web.h"

/* GET /input/get?node=&name=, /input/get/{node}/{name}: how far a node's readings have come */
enum err compat_emoncms_get(struct web *web);

#endif
