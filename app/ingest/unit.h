/* Units as senders tell them beside a metric. Called by the formats that do. */
#ifndef TIDEMARK_INGEST_UNIT_H
#define TIDEMARK_INGEST_UNIT_H

#include "base/str.h"

/* The unit as series have it ("kWh", "°C"), of UCUM's codes ("kW.h", "Cel") and OpenMetrics' words
 * ("celsius"); any other as it is. Empty where it says nothing of a quantity ("1", "{request}"), is
 * longer than a unit may be, or no text. */
struct str unit_read(struct str told);

#endif
