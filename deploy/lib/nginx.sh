# Renders nginx's configuration from nginx/ for one instance. Sourced by deploy/run.
# shellcheck shell=bash

# nginx_configure BIND PORT: writes HOME/nginx/nginx.conf.
nginx_configure() {
    local rate=${TIDEMARK_CLIENT_RATE:-1000}
    local prefix=$HOME_PATH/nginx realip='' limit='' proxy
    mkdir -p "$prefix"/{body,fastcgi}
    cp "$REPO_PATH"/nginx/*.conf "$prefix/"
    # bytes of protobuf, which have no place in a text
    sed -e "s|@STATUS_8@|$(printf '\b\b\022')|" -e "s|@STATUS_14@|$(printf '\b\016\022')|" \
        "$REPO_PATH/nginx/conventions.conf" >"$prefix/conventions.conf"
    for proxy in $(tr , " " <<<"${TRUSTED_PROXIES:-}"); do
        realip+="set_real_ip_from $proxy; "
    done
    [ -z "$realip" ] || realip+="real_ip_header X-Forwarded-For; real_ip_recursive on;"
    [ "$rate" = 0 ] || limit="limit_req zone=client burst=$rate nodelay;"
    [ "$rate" != 0 ] || rate=1
    sed -e "s|@BIND@|$1|g" -e "s|@PORT@|$2|g" -e "s|@HOME@|$HOME_PATH|g" \
        -e "s|@STATIC@|$REPO_PATH/static|g" \
        -e "s|@CLIENT_RATE@|$rate|g" -e "s|@CLIENT_LIMIT@|$limit|g" -e "s|@REAL_IP@|$realip|g" \
        "$REPO_PATH/nginx/nginx.conf.in" >"$prefix/nginx.conf"
}
