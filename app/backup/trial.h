/* Trials: that a backup cannot be restored is found before it has to be. Called by
 * `tidemark restore --trial` and by the worker's job. */
#ifndef TIDEMARK_BACKUP_TRIAL_H
#define TIDEMARK_BACKUP_TRIAL_H

#include "backup/restore.h"

/* Restores the wish's backup beside the database in use, as backup_restore does, compares it, and
 * drops it again, with what trials that were killed have left. One at a time: ERR_CONFLICT, and
 * *is_busy, while another is under way. Its begin and what it came to are noted in the database in
 * use, where that has a place for it, or where the wish says, for restore_trial_last; one that was
 * told to stop is none. ERR_CONFLICT where the embedded cluster's disk has no room for it. Else as
 * backup_restore. */
enum err backup_trial(struct backups *backups, const struct restore_wish *wish,
                      struct restore_told *out, bool *is_busy) MUST_CHECK;

#endif
