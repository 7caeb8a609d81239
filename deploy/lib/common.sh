# Shared by the scripts of deploy/: messages. Sourced, never run.
# shellcheck shell=bash

# say TEXT: a line for the person at the terminal.
say() { printf '%s\n' "$*"; }

# die TEXT: a line on standard error, then exit status 1.
die() {
    printf 'tidemark: %s\n' "$*" >&2
    exit 1
}
