/* GET /v1/openapi.json: the description of all that the API does, compiled in. */
#include "gen/assets.h"
#include "web/api.h"

enum err api_meta_openapi(struct web *web)
{
    web->response->content_type = "application/json";
    buf_add(&web->response->body, openapi_json, openapi_json_len);
    return OK;
}
