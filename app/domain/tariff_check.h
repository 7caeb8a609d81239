/* What only a whole rate schedule can have wrong: seasons and windows that leave a time open,
 * prices that are missing. Part of tariff_read. */
#ifndef TIDEMARK_DOMAIN_TARIFF_CHECK_H
#define TIDEMARK_DOMAIN_TARIFF_CHECK_H

#include "domain/problems.h"
#include "domain/tariff.h"

/* Adds a problem for each; none where the schedule can be compiled and rated. */
void tariff_check(const struct tariff *tariff, struct problems *problems);

#endif
