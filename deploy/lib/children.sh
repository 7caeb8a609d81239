# The processes that deploy/run starts: each in a session of its own, so that Ctrl-C reaches
# only the script; told to end when the script dies, however it dies; started again when it
# ends by itself. Sourced by deploy/run.
# shellcheck shell=bash

child_names=() child_signals=() child_commands=() child_pids=() child_starts=()
child_dues=()    # when one that ended is started again, microseconds since 1970; 0: it runs

RESTART_WINDOW=60          # seconds
RESTARTS_AT_ONCE=4         # of one child within the window; further ones wait longer
RESTART_US=500000          # a database needs its old backends gone
RESTART_SLOW_US=3000000    # what keeps ending may yet succeed: once its disk has room, say

exec {nothing}<> <(:)    # a pipe with nothing in it
told=2                   # where the end of a log is shown
is_asked_to_stop=        # set by traps, which do no more: bash runs them within `read`, where no child's end is seen

# tell TEXT: as say, but gives up after a second where nobody reads: a terminal that is held or a full pipe
# keeps nothing from being started again, or from ending.
tell() { timeout --foreground 1 printf '%s\n' "$*" || true; }

# Waits so many seconds without a process for that; does not come back when the script is to stop.
pause() {
    read -rt "$1" -u "$nothing" || true
    [ -z "$is_asked_to_stop" ] || { tell "stopping"; children_stop; exit 0; }
}

# child_start NAME SIGNAL COMMAND…: SIGNAL is what ends it in an orderly way.
child_start() {
    child_names+=("$1")
    child_signals+=("$2")
    shift 2
    child_commands+=("$(printf '%q ' "$@")")
    child_starts+=('')
    child_pids+=('')
    child_dues+=(0)
    child_launch $((${#child_names[@]} - 1))
}

child_launch() {
    local i=$1 command
    eval "command=(${child_commands[i]})"
    # bash starts what is in the background with INT and QUIT ignored, and so deaf to an early end
    env --default-signal=INT,QUIT setsid setpriv --pdeathsig "${child_signals[i]}" "${command[@]}" 7>&- {nothing}>&- \
        >>"$HOME_PATH/log/${child_names[i]}.log" 2>&1 &
    child_pids[i]=$!
    child_dues[i]=0
    child_starts[i]+="$SECONDS "
}

now_us() { echo "${EPOCHREALTIME/[.,]/}"; }

# Notes that a child has ended and when it is started again.
child_note_end() {
    local start kept='' recent=0 pause_us=$RESTART_US
    for start in ${child_starts[$1]}; do
        [ $((SECONDS - start)) -le "$RESTART_WINDOW" ] || continue
        kept+="$start "
        recent=$((recent + 1))
    done
    child_starts[$1]=$kept
    tell "${child_names[$1]} ended"
    [ "$recent" -ne "$RESTARTS_AT_ONCE" ] || child_show_log "${child_names[$1]}"
    [ "$recent" -lt "$RESTARTS_AT_ONCE" ] || pause_us=$RESTART_SLOW_US
    child_dues[$1]=$(($(now_us) + pause_us))
}

# Starts again what has ended and is due. The pids tell what has, not `wait`: of a child that ends
# just before it is called, `wait` knows nothing and waits for the next one.
children_look() {
    local i
    for i in "${!child_pids[@]}"; do
        [ "${child_dues[i]}" != 0 ] || ! kill -0 "${child_pids[i]}" 2>/dev/null || continue
        [ "${child_dues[i]}" != 0 ] || child_note_end "$i"
        [ "${child_dues[i]}" -le "$(now_us)" ] || continue
        # what it left behind: nginx's workers outlive a killed master and keep the port
        kill -s KILL -- "-${child_pids[i]}" 2>/dev/null || true
        child_launch "$i"
    done
}

# Starts children again when they end, as long as it runs. What bash says of those that were killed goes
# to a file: it would wait for somebody who reads it.
children_watch() {
    exec {told}>&2 2>>"$HOME_PATH/log/run.log"
    while :; do
        children_look
        pause 0.2
    done
}

child_show_log() {
    tell "the end of $1.log:"
    timeout --foreground 1 tail -n 15 "$HOME_PATH/log/$1.log" >&"$told" || true
}

# child_await WHAT CONDITION…: until the condition (a command) holds; fails when the child
# started last ends first, or after a minute.
child_await() {
    local what=$1 deadline=$((SECONDS + 60)) last=$((${#child_names[@]} - 1))
    shift
    until "$@"; do
        if ! kill -0 "${child_pids[last]}" 2>/dev/null || [ "$SECONDS" -ge "$deadline" ]; then
            tell "$what failed"
            child_show_log "${child_names[last]}"
            return 1
        fi
        pause 0.05
    done
}

CHILD_PATIENCE=30    # seconds that a child has to end; serve and the worker need 20 at most

# child_end I: ends a child in an orderly way, or after its time by force. PostgreSQL, which may
# have much to write, has four times as long, and loses nothing then.
child_end() {
    local pid=${child_pids[$1]} patience=$CHILD_PATIENCE until
    [ "${child_names[$1]}" != postgres ] || patience=$((4 * CHILD_PATIENCE))
    # of one that has ended, what it left behind
    kill -s "${child_signals[$1]}" "$pid" 2>/dev/null || { kill -s KILL -- "-$pid" 2>/dev/null || true; return 0; }
    until=$((SECONDS + patience))
    while kill -0 "$pid" 2>/dev/null; do
        if [ "$SECONDS" -ge "$until" ]; then
            tell "${child_names[$1]} does not end"
            kill -s KILL -- "-$pid" 2>/dev/null || true
            break
        fi
        pause 0.02
    done
    wait "$pid" 2>/dev/null || true
}

children_stopped=
# Ends all in the reverse order of their start: the devices' door first, the database last.
children_stop() {
    local i
    [ -z "$children_stopped" ] || return 0
    children_stopped=1
    trap '' INT TERM
    is_asked_to_stop=
    for ((i = ${#child_pids[@]} - 1; i >= 0; i--)); do
        child_end "$i"
    done
}
