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
    setsid setpriv --pdeathsig "${child_signals[i]}" "${command[@]}" 7>&- \
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
    say "${child_names[$1]} ended"
    [ "$recent" -ne "$RESTARTS_AT_ONCE" ] || child_show_log "${child_names[$1]}"
    [ "$recent" -lt "$RESTARTS_AT_ONCE" ] || pause_us=$RESTART_SLOW_US
    child_dues[$1]=$(($(now_us) + pause_us))
}

# Starts again what has ended and is due; sets next_us to when the next one is, or to nothing. A
# child may have been waited for already by the time we look (bash forgets it then), so the pids
# tell, not `wait`.
children_look() {
    local i
    next_us=
    for i in "${!child_pids[@]}"; do
        ! kill -0 "${child_pids[i]}" 2>/dev/null || continue
        [ "${child_dues[i]}" != 0 ] || child_note_end "$i"
        if [ "${child_dues[i]}" -le "$(now_us)" ]; then
            # what it left behind: nginx's workers outlive a killed master and keep the port
            kill -s KILL -- "-${child_pids[i]}" 2>/dev/null || true
            child_launch "$i"
        elif [ -z "$next_us" ] || [ "${child_dues[i]}" -lt "$next_us" ]; then
            next_us=${child_dues[i]}
        fi
    done
}

# Starts children again when they end, as long as it runs.
children_watch() {
    local next_us left_us i pids
    while :; do
        children_look
        pids=()
        for i in "${!child_pids[@]}"; do
            [ "${child_dues[i]}" != 0 ] || pids+=("${child_pids[i]}")
        done
        if [ -n "$next_us" ]; then
            left_us=$((next_us - $(now_us)))
            [ "$left_us" -gt 0 ] || continue
            sleep "$(printf '%d.%06d' $((left_us / 1000000)) $((left_us % 1000000)))" &
            children_timer=$!
            pids+=("$children_timer")
        fi
        wait -n "${pids[@]}" 2>/dev/null || true
        children_stop_timer
    done
}

children_timer=
children_stop_timer() {
    [ -z "$children_timer" ] || kill "$children_timer" 2>/dev/null || true
    children_timer=
}

child_show_log() {
    say "the end of $1.log:"
    tail -n 15 "$HOME_PATH/log/$1.log" >&2 || true
}

# child_await WHAT CONDITION…: until the condition (a command) holds; fails when the child
# started last ends first, or after a minute.
child_await() {
    local what=$1 deadline=$((SECONDS + 60)) last=$((${#child_names[@]} - 1))
    shift
    until "$@"; do
        if ! kill -0 "${child_pids[last]}" 2>/dev/null || [ "$SECONDS" -ge "$deadline" ]; then
            say "$what failed"
            child_show_log "${child_names[last]}"
            return 1
        fi
        sleep 0.05
    done
}

CHILD_PATIENCE=30    # seconds that a child has to end; serve and the worker need 20 at most

# child_end I: ends a child in an orderly way, or after its time by force. PostgreSQL, which may
# have much to write, has four times as long, and loses nothing then.
child_end() {
    local pid=${child_pids[$1]} patience=$CHILD_PATIENCE timer
    [ "${child_names[$1]}" != postgres ] || patience=$((4 * CHILD_PATIENCE))
    kill -s "${child_signals[$1]}" "$pid" 2>/dev/null || return 0
    sleep "$patience" 7>&- >/dev/null 2>&1 &
    timer=$!
    wait -n "$pid" "$timer" 2>/dev/null || true
    kill -s KILL "$timer" 2>/dev/null || {
        say "${child_names[$1]} does not end"
        kill -s KILL -- "-$pid" 2>/dev/null || true
    }
    wait "$pid" "$timer" 2>/dev/null || true
}

children_stopped=
# Ends all in the reverse order of their start: the devices' door first, the database last.
children_stop() {
    local i
    [ -z "$children_stopped" ] || return 0
    children_stopped=1
    trap '' INT TERM
    children_stop_timer
    for ((i = ${#child_pids[@]} - 1; i >= 0; i--)); do
        child_end "$i"
    done
}
