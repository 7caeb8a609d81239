/* Energy or power of a place by its role: what its devices use, what they generate, and what
 * passes the grid's meter. Says how the sums are read where a meter stands at the grid and
 * where there are sub-meters only. Called by the overview. */
#ifndef TIDEMARK_DOMAIN_FLOW_H
#define TIDEMARK_DOMAIN_FLOW_H

/* Sums by role, all in one unit (W or kWh). NaN: nothing of that role is known. */
struct flow {
    double consumption;  /* devices that only use */
    double generation;
    double grid_import;
    double grid_export;
};

/* A flow of which nothing is known. */
struct flow flow_none(void);

/* Adds a series' value under its role ("consumption", "generation", "grid_import",
 * "grid_export"); other roles (storage, sub_meter, none) are not part of the sums. */
void flow_add(struct flow *flow, const char *role, double value);

/* What was used: import − export + generation where a meter stands at the grid (devices are
 * then parts of it, not more), else the sum of the devices. NaN: not known. */
double flow_used(const struct flow *flow);

/* What came from the grid (negative: went to it): by its meter, else used − generated. NaN
 * where that cannot be told, also where there is neither a meter nor generation. */
double flow_net(const struct flow *flow);

#endif
