# Shared by the scripts of deploy/: messages. Sourced, never run.
# shellcheck shell=bash

# Where nginx and dpkg's helpers are; an ordinary user's PATH, and root's after `su`, lacks it.
export PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

# say TEXT: a line for the person at the terminal.
say() { printf '%s\n' "$*"; }

# die TEXT: a line on standard error, then exit status 1.
die() {
    printf 'tidemark: %s\n' "$*" >&2
    exit 1
}
