# Gives up root before anything is started. Sourced by deploy/run.
# shellcheck shell=bash
#
# The unprivileged user may be unable to walk to the checkout or to TIDEMARK_HOME (both
# lie below /root or a mktemp directory, mode 0700), and the path of a socket must stay
# under 108 bytes. Rather than change the permissions of other people's directories, the
# two directories are opened while we still may, and used by way of their descriptors:
# /proc/self/fd/8 (the checkout) and /proc/self/fd/9 (TIDEMARK_HOME), which every process
# started here inherits.

MAX_HOME_BYTES=80   # leaves room for /run/.s.PGSQL.5432.lock in a socket's 108

# The OS user to become: asked for, or the owner of the home, or of the checkout, where that
# is not root; else daemon, which Debian keeps for exactly this.
choose_user() {
    local owner
    if [ -n "${TIDEMARK_USER:-}" ]; then
        echo "$TIDEMARK_USER"
        return
    fi
    for directory in "$1/pgdata" "$1" "$2"; do
        owner=$(stat -c %U "$directory" 2>/dev/null) || continue
        if [ "$owner" != root ] && [ "$owner" != UNKNOWN ]; then
            echo "$owner"
            return
        fi
    done
    echo daemon
}

# reachable USER PATH FD: PATH where USER can use it, else its descriptor.
reachable() {
    if [ "${#2}" -le "$MAX_HOME_BYTES" ] && as_user "$1" test -x "$2/."; then
        echo "$2"
    else
        echo "/proc/self/fd/$3"
    fi
}

as_user() {
    local user=$1
    shift
    if [ "$(id -u)" -ne 0 ]; then
        "$@"
        return
    fi
    setpriv --reuid "$user" --regid "$(id -g "$user")" --init-groups --no-new-privs "$@"
}

# Makes the home, opens both directories and runs deploy/run again as the user.
become_user() {
    local repo home user death=()
    # shellcheck disable=SC2154  # set by deploy/run
    repo=$(cd "$here/.." && pwd -P)
    mkdir -p "${TIDEMARK_HOME:-$repo/var}"
    home=$(cd "${TIDEMARK_HOME:-$repo/var}" && pwd -P)
    user=$(id -un)
    if [ "$user" = root ]; then
        user=$(choose_user "$home" "$repo")
        id "$user" >/dev/null 2>&1 || die "TIDEMARK_USER: there is no user $user"
        [ "$user" != root ] || die "TIDEMARK_USER: must not be root"
        [ "$(stat -c %U "$home")" = "$user" ] || chown "$user:" "$home"
        [ ! -d "$home/objects" ] || chown -R "$user:" "$home/objects"
    fi
    exec 8<"$repo" 9<"$home"
    REPO_PATH=$(reachable "$user" "$repo" 8)
    HOME_PATH=$(reachable "$user" "$home" 9)
    export REPO_PATH HOME_PATH OS_USER=$user REAL_HOME=$home
    TIDEMARK_BIN=${TIDEMARK_BIN:-$repo/build/tidemark}
    case $TIDEMARK_BIN in
        "$repo"/*) TIDEMARK_BIN=$REPO_PATH/${TIDEMARK_BIN#"$repo"/} ;;
    esac
    export TIDEMARK_BIN
    [ -z "${MAKELEVEL:-}" ] || death=(--pdeathsig TERM)   # make was killed: stop too
    cd /
    if [ "$(id -u)" -eq 0 ]; then
        exec setpriv --reuid "$user" --regid "$(id -g "$user")" --init-groups --no-new-privs \
            "${death[@]}" "$REPO_PATH/deploy/run" --as-user "$@"
    fi
    exec setpriv "${death[@]}" "$REPO_PATH/deploy/run" --as-user "$@"
}
