/* Entity tags of conditional requests (RFC 9110, 8.8.3 and 13.1). Pure. */
#ifndef TIDEMARK_HTTP_TAG_H
#define TIDEMARK_HTTP_TAG_H

#include "base/arena.h"
#include "base/str.h"

/* Whether a list of entity tags (If-None-Match, If-Match) names the tag, which is quoted and
 * strong, or is a star. `is_weak`: a weak one fits as well. */
bool http_names_tag(struct str header, const char *tag, bool is_weak);

/* A strong tag of these bytes, quoted; NULL without memory. */
const char *http_tag_of(struct arena *arena, struct str bytes);

#endif
