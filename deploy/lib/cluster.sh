# The embedded PostgreSQL cluster under TIDEMARK_HOME/pgdata. Sourced by deploy/run.
# It listens on a socket only; nobody is trusted: the OS user that runs it (and root) maps
# to the superuser and the owner, every other role has a password.
# shellcheck shell=bash

# The newest installed PostgreSQL of 15 to 18; an existing cluster keeps its version.
pg_bin() {
    local version
    if [ -f "$HOME_PATH/pgdata/PG_VERSION" ]; then
        version=$(<"$HOME_PATH/pgdata/PG_VERSION")
        [ -x "/usr/lib/postgresql/$version/bin/postgres" ] ||
            die "the data in $REAL_HOME needs PostgreSQL $version, which is not installed"
        echo "/usr/lib/postgresql/$version/bin"
        return
    fi
    for version in 18 17 16 15; do
        if [ -x "/usr/lib/postgresql/$version/bin/initdb" ]; then
            echo "/usr/lib/postgresql/$version/bin"
            return
        fi
    done
    die "PostgreSQL 15 to 18 is not installed; 'make deps-run' installs it"
}
PG_BIN=$(pg_bin)

# cluster_create ENGINE: creates the cluster where there is none; half-made ones never get the
# final name. Writes the configuration anew on every start, so that it is always this version's.
cluster_create() {
    local data=$HOME_PATH/pgdata
    if [ ! -f "$data/PG_VERSION" ]; then
        rm -rf "$data.new"
        "$PG_BIN/initdb" -D "$data.new" -U tidemark_super --auth-local=peer --auth-host=scram-sha-256 \
            --encoding=UTF8 --locale=C.UTF-8 --data-checksums >"$HOME_PATH/log/initdb.log" 2>&1 ||
            die "initdb failed; see log/initdb.log in $REAL_HOME"
        echo "$1" >"$data.new/tidemark_engine"
        echo "include 'tidemark.conf'" >>"$data.new/postgresql.conf"
        mv "$data.new" "$data"
    fi
    cluster_stop_stale
    cluster_write_config "$data"
}

# A postmaster that outlived its script: killed, the script may be followed by the next one
# before PostgreSQL has stopped. After a restart of the machine the pid in the file may be
# another process's, which is left alone, and PostgreSQL must not take it for its own.
cluster_stop_stale() {
    local file=$HOME_PATH/pgdata/postmaster.pid pid
    [ -f "$file" ] && read -r pid <"$file" || return 0
    if [ "/proc/$pid/cwd" -ef "$HOME_PATH/pgdata" ]; then
        "$PG_BIN/pg_ctl" -D "$HOME_PATH/pgdata" -m fast -w stop >/dev/null 2>&1 || true
    elif kill -0 "$pid" 2>/dev/null; then
        rm -f "$file" "$HOME_PATH/run/.s.PGSQL.5432.lock"
    fi
}

cluster_write_config() {
    local engine='' preload='' compression=on user
    [ "$(<"$1/tidemark_engine")" != timescaledb ] || preload=timescaledb
    engine=$preload
    # what statements cost, for the operators' page
    [ ! -e "$PG_BIN/../lib/pg_stat_statements.so" ] || preload=${preload:+$preload,}pg_stat_statements
    # whole pages after a checkpoint: lz4 takes a fifth of the time of `on`, where it was built in
    ! "$PG_BIN/postgres" -D "$1" -C wal_compression -c wal_compression=lz4 >/dev/null 2>&1 || compression=lz4
    cat >"$1/tidemark.conf" <<CONF
listen_addresses = ''
unix_socket_directories = '$HOME_PATH/run'
unix_socket_permissions = 0700
port = 5432
max_connections = 60
shared_buffers = 256MB
work_mem = 16MB
maintenance_work_mem = 128MB
max_wal_size = 2GB
checkpoint_timeout = 15min
wal_compression = $compression
jit = off
timezone = UTC
log_timezone = UTC
log_line_prefix = '%m [%p] %u@%d '
shared_preload_libraries = '$preload'
CONF
    # a placeholder of an unloaded library is harmless to PostgreSQL, but not written without need
    [ -z "$engine" ] || echo "timescaledb.telemetry_level = off" >>"$1/tidemark.conf"
    cat >"$1/pg_hba.conf" <<CONF
# TYPE  DATABASE  USER            METHOD
local   all       tidemark_super  peer map=tidemark
local   all       tidemark_owner  peer map=tidemark
local   all       all             scram-sha-256
CONF
    : >"$1/pg_ident.conf"
    for user in "$OS_USER" root; do
        printf 'tidemark %s tidemark_super\ntidemark %s tidemark_owner\n' "$user" "$user" >>"$1/pg_ident.conf"
    done
}

cluster_is_ready() {
    "$PG_BIN/pg_isready" -q -h "$HOME_PATH/run" -p 5432
}

cluster_super_url() {
    echo "host=$HOME_PATH/run port=5432 dbname=tidemark user=tidemark_super"
}

cluster_create_database() {
    local psql=("$PG_BIN/psql" -X -q -A -t -h "$HOME_PATH/run" -p 5432 -U tidemark_super -d postgres)
    if [ -z "$("${psql[@]}" -c "SELECT 1 FROM pg_database WHERE datname = 'tidemark'")" ]; then
        "${psql[@]}" -c "CREATE DATABASE tidemark TEMPLATE template0"
    fi
}
