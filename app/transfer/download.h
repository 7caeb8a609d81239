/* A file as an answer: whole, a range of it, or nothing where the client has it. */
#ifndef TIDEMARK_TRANSFER_DOWNLOAD_H
#define TIDEMARK_TRANSFER_DOWNLOAD_H

#include "domain/upload.h"
#include "web/web.h"

/* Answers GET and HEAD of the file, of which the key, name, type, size and sha256 are known. No
 * transaction may be open. ERR_INTERNAL where the store has it not, or the store's failure. */
enum err download_answer(struct web *web, const struct upload *file) MUST_CHECK;

#endif
