/* Currencies of ISO 4217. */
#ifndef TIDEMARK_DOMAIN_CURRENCY_H
#define TIDEMARK_DOMAIN_CURRENCY_H

#include "base/str.h"

/* Decimals of the currency's amounts: EUR 2, JPY 0, BHD 3. -1: there is no such code. */
int currency_decimals(struct str code);

#endif
