/* What the pages of access show: tokens, people, settings, plugins, the audit trail, one's own
 * account, and what a link opens. Filled by web/page_*.c. */
#ifndef TIDEMARK_VIEW_MODELS_ACCESS_H
#define TIDEMARK_VIEW_MODELS_ACCESS_H

#include "view/models.h"

struct token_line {
    const char *id, *name, *prefix;
    const char *kind, *device;  /* device NULL: of none */
    struct moment_view last_used, expires;   /* machine NULL: never */
    const char *state, *state_class;
};

#define TOKEN_FIELDS 6
struct tokens_view {
    struct page_view page;
    struct notice_view notice;
    struct secret_view secret;
    struct field_view fields[TOKEN_FIELDS];
    const struct token_line *rows;
    int n_rows;
    bool with_ended;            /* revoked and expired ones are in the list */
    struct pager_view pager;
};

#define TOKEN_CHANGE_FIELDS 3
struct token_view {
    struct page_view page;
    struct notice_view notice;
    struct secret_view secret;
    struct token_line token;
    struct moment_view created, ended;
    const char *old_until;      /* how long the former secret works; NULL: not any more */
    bool is_revoked, is_expired;
    bool is_encrypted;          /* the server keeps its key */
    struct field_view fields[TOKEN_CHANGE_FIELDS];
    int n_fields;
    struct field_view grace;
};

struct member_row {
    const char *id, *name, *email, *role;
    struct moment_view joined, last_seen;
    bool is_self, is_last_admin, may_reset;
};

struct invite_row {
    const char *id, *email, *role, *made_by;
    struct moment_view expires;
    bool is_expired;
};

#define INVITE_FIELDS 2
struct users_view {
    struct page_view page;
    struct notice_view notice;
    struct secret_view secret;
    struct field_view fields[INVITE_FIELDS];
    const struct member_row *rows;
    int n_rows;
    const struct invite_row *invites;
    int n_invites;
    struct pager_view pager;
};

struct user_view {
    struct page_view page;
    struct notice_view notice;
    struct secret_view secret;
    struct member_row member;
    struct field_view role;
};

#define SETTINGS_FIELDS 8
struct settings_view {
    struct page_view page;
    struct notice_view notice;
    const char *slug, *since;
    struct field_view fields[SETTINGS_FIELDS];
    struct limit_view limits[4];
};

struct plugin_row {
    const char *key, *kind;
    bool is_enabled;
};

#define PLUGIN_FIELDS 4         /* the first one is the key of a new one */
struct plugins_view {
    struct page_view page;
    struct notice_view notice;
    struct field_view fields[PLUGIN_FIELDS];
    bool is_adding, is_first;   /* the form is open; no page before this one */
    const struct plugin_row *rows;
    int n_rows;
    struct pager_view pager;
};

struct plugin_view {
    struct page_view page;
    struct notice_view notice;
    const char *key;
    bool is_enabled;
    struct moment_view since;
    struct field_view fields[PLUGIN_FIELDS];
    const struct field_view *shown;     /* those of them that can be changed */
    int n_shown;
};

struct audit_line {
    struct moment_view time;
    const char *actor, *action, *object, *detail;
};

#define AUDIT_FIELDS 2
struct audit_view {
    struct page_view page;
    struct field_view fields[AUDIT_FIELDS];
    bool is_filtered;
    const struct audit_line *rows;
    int n_rows;
    struct pager_view pager;
};

struct session_row {
    struct moment_view created, last_seen;
    const char *tenant;         /* or NULL */
    bool is_this;
};

#define PASSWORD_FIELDS 2
struct account_view {
    struct page_view page;
    struct notice_view notice;
    const char *email;
    struct field_view name;
    struct field_view passwords[PASSWORD_FIELDS];
    const struct session_row *sessions;
    int n_sessions;
};

/* An invitation, or a link that sets a password. */
#define JOIN_FIELDS 2
struct join_view {
    struct page_view page;
    const char *heading, *lead;
    const char *error;          /* above the form; NULL: none */
    const char *email;          /* whom the link is for */
    const char *other;          /* who is logged in instead; NULL: nobody else */
    struct field_view fields[JOIN_FIELDS];
    int n_fields;
    const char *button;         /* NULL: the link cannot be used, and there is no form */
};

#endif
