/* Backups that are there: finding, reading, verifying and removing them. A key ends with a backup's
 * name and ".dump" or ".json"; whatever else lies in a folder is left alone. */
#include "backup/backup.h"

#include "backup/manifest.h"
#include "base/clock.h"
#include "base/sha256.h"

#include <stdio.h>

#define FIRST_NAMES 32
#define UNFINISHED_AGE_S (24 * 3600) /* no backup comes for longer */

enum err backups_open(struct backups *backups, struct op *op, const struct config *config,
                      const char *folder)
{
    folder = folder ? folder : config->backup_folder;
    *backups = (struct backups){ .op = op, .config = config, .prefix = folder ? "" : "backup/",
                                 .is_folder = folder != NULL };
    return folder ? store_open_folder(op, folder, &backups->store)
                  : store_open(op, config, &backups->store);
}

enum err backups_prepare(struct backups *backups, bool is_made)
{
    struct op *op = backups->op;
    const char *const *names;
    int n = 0;
    enum err err = backups->is_folder && !is_made ? store_check(backups->store, op) : OK;

    if (err == ERR_UNAVAILABLE) { /* backups that were copied there will do */
        op_clear_fault(op);
        err = backup_list(backups, &names, &n);
        is_made = n > 0;
        if (err == ERR_UNAVAILABLE || (err == OK && n == 0)) {
            op_clear_fault(op);
            err = fail(op, ERR_UNAVAILABLE,
                       "%s is not there, or no backup was ever put there: its disk may not be "
                       "mounted (--make makes the folder)",
                       store_name(backups->store));
        }
    }
    return err == OK && backups->is_folder && is_made ? store_prepare(backups->store, op) : err;
}

void backups_close(struct backups *backups)
{
    store_close(backups->store);
    backups->store = NULL;
}

enum err backups_go_on(const struct backups *backups, struct op *op)
{
    return !backups->goes_on || backups->goes_on(backups->context)
               ? OK
               : fail(op, ERR_UNAVAILABLE, "told to stop");
}

void backups_wait_for(const struct backups *backups, struct db_conn *conn)
{
    if (backups->waits_for) {
        backups->waits_for(backups->context, conn);
    }
}

const char *backup_key(const struct backups *backups, const char *name, const char *ending)
{
    return arena_printf(backups->op->arena, "%s%s%s", backups->prefix, name, ending);
}

/* ---- listing ---- */

/* One name, with what there is of it. */
struct entry {
    const char *name;
    bool has_manifest, has_dump;
    bool is_own; /* of the installation that prunes */
    int64_t modified_us;
};

struct entries {
    struct arena *arena;
    struct entry *list; /* ascending by name */
    int n, room;
};

static bool is_of(const char *text, const char *form)
{
    for (; *form; form++, text++) {
        bool is_digit = *text >= '0' && *text <= '9';
        bool is_hex = is_digit || (*text >= 'a' && *text <= 'f');
        bool fits = *form == '0' ? is_digit : *form == 'f' ? is_hex : *text == *form;
        if (!fits) {
            return false;
        }
    }
    return true;
}

/* "20261122T050300Z-1a2b3c4d" and what follows. */
static bool begins_with_name(const char *text)
{
    return is_of(text, "00000000T000000Z-ffffffff");
}

/* Room for one more, with its name; NULL without memory. */
static struct entry *add_entry(struct entries *entries, const char *name)
{
    int room = entries->room > 0 ? entries->room * 2 : FIRST_NAMES;
    struct entry *list = entries->list;

    if (!list || entries->n == entries->room) {
        list = arena_resize(entries->arena, list, (size_t)entries->room * sizeof *list,
                            (size_t)room * sizeof *list);
        if (!list) {
            return NULL;
        }
        entries->list = list;
        entries->room = room;
    }
    struct entry *entry = &list[entries->n++];
    *entry = (struct entry){
        .name = arena_copy(entries->arena, (struct str){ name, BACKUP_NAME_BYTES })
    };
    return entry->name ? entry : NULL;
}

/* A name's keys come one after another. */
static struct entry *find_entry(struct entries *entries, const char *name)
{
    struct entry *last = entries->n > 0 ? &entries->list[entries->n - 1] : NULL;

    return last && strncmp(last->name, name, BACKUP_NAME_BYTES) == 0 ? last
                                                                     : add_entry(entries, name);
}

static enum err note_object(struct backups *backups, struct entries *entries,
                            const struct store_object *object)
{
    const char *name = object->key + strlen(backups->prefix);

    if (!begins_with_name(name)) {
        return OK;
    }
    bool is_manifest = strcmp(name + BACKUP_NAME_BYTES, ".json") == 0;
    if (!is_manifest && strcmp(name + BACKUP_NAME_BYTES, ".dump") != 0) {
        return OK;
    }
    struct entry *entry = find_entry(entries, name);
    if (!entry) {
        return fail_memory(backups->op);
    }
    entry->has_manifest |= is_manifest;
    entry->has_dump |= !is_manifest;
    entry->modified_us =
        object->modified_us > entry->modified_us ? object->modified_us : entry->modified_us;
    return OK;
}

/* The digit keeps a folder's other folders from being walked through. */
static enum err list_entries(struct backups *backups, struct entries *entries)
{
    const char *prefix = backup_key(backups, "2", "");
    struct store_page page = { .next = NULL };
    enum err err = prefix ? OK : fail_memory(backups->op);

    *entries = (struct entries){ .arena = backups->op->arena };
    for (bool is_first = true; err == OK && (is_first || page.next); is_first = false) {
        err = store_list(backups->store, backups->op, prefix, page.next, STORE_MAX_LIST, &page);
        for (int i = 0; i < page.n && err == OK; i++) {
            err = note_object(backups, entries, &page.objects[i]);
        }
    }
    return err;
}

enum err backup_list(struct backups *backups, const char *const **out_names, int *out_n)
{
    struct entries entries;
    enum err err = list_entries(backups, &entries);

    *out_n = 0;
    if (err != OK) {
        return err;
    }
    const char **names = arena_array(backups->op->arena, (size_t)entries.n + 1, sizeof *names);
    if (!names) {
        return fail_memory(backups->op);
    }
    for (int i = 0; i < entries.n; i++) {
        if (entries.list[i].has_manifest) {
            names[(*out_n)++] = entries.list[i].name;
        }
    }
    *out_names = names;
    return OK;
}

/* ---- reading ---- */

/* Whether it is of the installation (NULL: of any), as far as its manifest says. ERR_INVALID where
 * that is damaged. */
static enum err look_whose(struct backups *backups, const char *name, const char *installation,
                           bool *is_own)
{
    struct backup backup;
    enum err err = installation ? backup_read(backups, name, &backup) : OK;

    *is_own = err == OK && (!installation || !backup.installation ||
                            strcmp(backup.installation, installation) == 0);
    return err;
}

static enum err find_latest(struct backups *backups, const char **out)
{
    const char *const *names;
    int n;
    bool is_own = false;
    enum err err = backup_list(backups, &names, &n);

    while (err == OK && !is_own && n > 0) {
        err = look_whose(backups, names[--n], backups->installation, &is_own);
    }
    if (err == OK && !is_own) {
        err = fail(backups->op, ERR_NOT_FOUND, "there is no backup in %s%s",
                   store_name(backups->store),
                   backups->installation ? " of this installation" : "");
    }
    if (err == OK) {
        *out = names[n];
    }
    return err;
}

/* The newest of each installation, as long as there are not too many. */
struct owner {
    const char *installation, *newest;
};
#define MAX_OWNERS 6 /* whose names a failure has room for */

static enum err fail_several(struct backups *backups, const struct owner *owners, int n)
{
    char list[MAX_OWNERS * (BACKUP_NAME_BYTES + 32)] = "";
    size_t len = 0;

    for (int i = 0; i < n && len < sizeof list; i++) {
        int added = snprintf(list + len, sizeof list - len, "%s%s (installation %.8s)",
                             i > 0 ? ", " : "", owners[i].newest, owners[i].installation);
        len += added > 0 ? (size_t)added : 0;
    }
    return fail(backups->op, ERR_CONFLICT,
                "there are backups of several installations: say which by its name, "
                "`tidemark backup list` has all; the newest of each: %s",
                list);
}

/* Goes through the backups from the oldest on; those whose manifest is damaged are nobody's. `own`
 * (or NULL) becomes the backups' installation where it has some. */
static enum err find_owners(struct backups *backups, const char *own,
                            struct owner owners[MAX_OWNERS], int *out_n)
{
    const char *const *names;
    struct backup backup;
    int n;
    enum err err = backup_list(backups, &names, &n);

    *out_n = 0;
    for (int i = 0; i < n && err == OK; i++) {
        int at = 0;
        err = backup_read(backups, names[i], &backup);
        if (err == ERR_INVALID || err == ERR_NOT_FOUND) {
            op_clear_fault(backups->op);
            err = OK;
            continue;
        }
        if (err != OK || !backup.installation) {
            continue;
        }
        while (at < *out_n && strcmp(owners[at].installation, backup.installation) != 0) {
            at++;
        }
        if (at < MAX_OWNERS) {
            owners[at] = (struct owner){ backup.installation, names[i] };
            *out_n = at == *out_n ? at + 1 : *out_n;
        }
        if (own && strcmp(own, backup.installation) == 0) {
            backups->installation = own;
        }
    }
    return err;
}

enum err backup_choose(struct backups *backups, const char *own, bool is_lasting)
{
    struct owner owners[MAX_OWNERS];
    int n = 0;
    enum err err = OK;

    backups->installation = is_lasting ? own : NULL;
    if (backups->installation) {
        return OK;
    }
    err = find_owners(backups, own, owners, &n);
    return err == OK && n > 1 && !backups->installation ? fail_several(backups, owners, n) : err;
}

static enum err read_object(struct backups *backups, const char *key, struct str *out)
{
    struct op *op = backups->op;
    struct store_object object;
    enum err err = store_head(backups->store, op, key, &object);

    if (err != OK) {
        return err;
    }
    if (object.size > MANIFEST_MAX_BYTES) {
        return fail(op, ERR_INVALID, "%s is too long for a manifest", key);
    }
    char *text = arena_alloc(op->arena, (size_t)object.size + 1);
    if (!text) {
        return fail_memory(op);
    }
    *out = (struct str){ text, (size_t)object.size };
    return store_read(backups->store, op, key, 0, out->len, text);
}

enum err backup_read(struct backups *backups, const char *name, struct backup *out)
{
    struct op *op = backups->op;
    struct str text;
    enum err err = OK;

    if (strcmp(name, BACKUP_LATEST) == 0) {
        err = find_latest(backups, &name);
    } else if (strlen(name) != BACKUP_NAME_BYTES || !begins_with_name(name)) {
        err = fail(op, ERR_NOT_FOUND, "%s is no backup's name; `tidemark backup list` has them",
                   name);
    }
    const char *key = err == OK ? backup_key(backups, name, ".json") : NULL;
    if (err != OK || !key) {
        return err != OK ? err : fail_memory(op);
    }
    err = read_object(backups, key, &text);
    if (err == ERR_NOT_FOUND) {
        op_clear_fault(op);
        return fail(op, ERR_NOT_FOUND, "there is no backup %s in %s", name,
                    store_name(backups->store));
    }
    *out = (struct backup){ .name = arena_copy(op->arena, str_of(name)) };
    return err == OK ? manifest_read(op, text, out) : err;
}

/* ---- verifying ---- */

struct sum {
    const struct backups *backups;
    struct sha256 sha;
    int64_t n_bytes;
};

static enum err add_bytes(void *context, struct op *op, struct str bytes)
{
    struct sum *sum = context;

    sha256_add(&sum->sha, bytes);
    sum->n_bytes += (int64_t)bytes.len;
    return backups_go_on(sum->backups, op);
}

enum err backup_verify(struct backups *backups, const struct backup *backup)
{
    struct op *op = backups->op;
    struct sum sum = { .backups = backups };
    uint8_t digest[CRYPTO_HASH_BYTES];
    const char *key = backup_key(backups, backup->name, ".dump");

    if (!key || !sha256_open(&sum.sha)) {
        return fail_memory(op);
    }
    enum err err = store_get(backups->store, op, key, STORE_WHOLE, add_bytes, &sum);
    bool is_summed = sha256_end(&sum.sha, digest);
    sha256_close(&sum.sha);
    if (err == ERR_NOT_FOUND) {
        op_clear_fault(op);
        return fail(op, ERR_INVALID, "the dump of %s is gone", backup->name);
    }
    if (err != OK) {
        return err;
    }
    if (sum.n_bytes != backup->n_bytes) {
        return fail(op, ERR_INVALID, "the dump of %s has %lld bytes, %lld were written",
                    backup->name, (long long)sum.n_bytes, (long long)backup->n_bytes);
    }
    return is_summed && memcmp(digest, backup->sha256, sizeof digest) == 0
               ? OK
               : fail(op, ERR_INVALID,
                      "the dump of %s is not what was written: its checksum differs", backup->name);
}

/* ---- removing ---- */

/* The manifest first: no backup is seen whose dump is gone. */
static enum err remove_backup(struct backups *backups, const char *name)
{
    static const char *const ENDINGS[] = { ".json", ".dump" };
    enum err err = OK;

    for (int i = 0; i < 2 && err == OK; i++) {
        const char *key = backup_key(backups, name, ENDINGS[i]);
        err = key ? store_delete(backups->store, backups->op, key) : fail_memory(backups->op);
    }
    return err;
}

enum err backup_prune(struct backups *backups, int keep, const struct backup *made, int *out_n)
{
    int64_t limit_us = clock_now_us() - UNFINISHED_AGE_S * US_PER_SECOND;
    struct entries entries;
    int n = 0, n_swept;
    enum err err = list_entries(backups, &entries);

    *out_n = 0;
    for (int i = 0; i < entries.n && err == OK; i++) {
        struct entry *entry = &entries.list[i];
        if (entry->has_manifest) {
            err = look_whose(backups, entry->name, made->installation, &entry->is_own);
            n += entry->is_own;
            if (err == ERR_INVALID || err == ERR_NOT_FOUND) {
                op_clear_fault(backups->op);
                err = OK;
            }
        }
    }
    for (int i = 0; i < entries.n && err == OK; i++) {
        const struct entry *entry = &entries.list[i];
        bool is_surplus = entry->is_own && n > keep && strcmp(entry->name, made->name) != 0;
        if (is_surplus || (!entry->has_manifest && entry->modified_us < limit_us)) {
            err = remove_backup(backups, entry->name);
            n -= is_surplus;
            *out_n += is_surplus;
        }
    }
    return err == OK ? store_sweep(backups->store, backups->op, UNFINISHED_AGE_S, &n_swept) : err;
}
