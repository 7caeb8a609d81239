/* The form of /uploads. Its `csrf` comes before any file, and is looked at before any is taken. */
#include "transfer/transfer.h"

#include "auth/csrf.h"
#include "http/multipart_stream.h"
#include "transfer/receive.h"
#include "web/form_input.h"

#define MAX_CSRF_BYTES 256 /* a proof has fewer; what is longer is none */

/* The first field is the proof that the form was ours. */
static enum err check_csrf(struct web *web, struct multipart_stream *form)
{
    struct multipart_head head;
    struct str piece = { "", 0 };
    bool is_there = false;
    enum err err = multipart_next(form, &head, &is_there);

    if (err == OK && is_there && str_equal(head.name, STR("csrf"))) {
        err = multipart_read_text(form, MAX_CSRF_BYTES, &piece);
    }
    if (err != OK) {
        return err;
    }
    return csrf_is_valid(web->who->csrf, piece)
               ? OK
               : fail(web->op, ERR_FORBIDDEN,
                      "This form is out of date. Go back, reload the page and try again.");
}

enum err transfer_page_post(struct web *web)
{
    struct receiving *files = arena_array(web->op->arena, RECEIVE_MAX_FILES, sizeof *files);
    struct multipart_stream form;
    int n;

    if (!str_equal(web->request->content_type, STR("multipart/form-data"))) {
        return fail(web->op, ERR_MEDIA_TYPE, "This address takes the form of its page.");
    }
    enum err err = files ? multipart_open(&form, web->request) : fail_memory(web->op);
    if (err == OK) {
        err = check_csrf(web, &form);
    }
    if (err == OK) {
        err = receive_form(web, &form, files, &n);
    }
    return err == OK ? form_done(web, "/uploads", "sent") : err;
}
