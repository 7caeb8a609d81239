/* Parts of documents as texts. Called by the form of rate schedules. */
#include "web/rate_form_json.h"

static const char *copy(struct arena *arena, struct str text)
{
    const char *kept = arena_copy(arena, text);

    return kept ? kept : "";
}

const char *form_json_scalar(struct json_reader *json, struct arena *arena)
{
    struct str text = { NULL, 0 };

    if (json_peek(json) == JSON_STRING) {
        return json_read_string(json, &text) ? copy(arena, text) : "";
    }
    return json_skip(json, &text) ? copy(arena, text) : "";
}

const char *form_json_list(struct json_reader *json, struct arena *arena, const char *mark)
{
    char *all = NULL;

    if (!json_enter_array(json)) {
        return "";
    }
    while (json_next_element(json)) {
        const char *word = form_json_scalar(json, arena);
        all = all ? arena_printf(arena, "%s%s%s", all, mark, word)
                  : arena_copy(arena, str_of(word));
    }
    return all ? all : "";
}

void form_json_row(struct json_reader *json, struct arena *arena,
                   const struct form_column *columns)
{
    struct str key;

    if (!json_enter_object(json)) {
        return;
    }
    while (json_next_member(json, &key)) {
        const struct form_column *column = columns;
        while (column->key && !str_equal(key, str_of(column->key))) {
            column++;
        }
        if (!column->key) {
            (void)json_skip(json, NULL);
        } else {
            *column->value = column->mark ? form_json_list(json, arena, column->mark)
                                          : form_json_scalar(json, arena);
        }
    }
}
