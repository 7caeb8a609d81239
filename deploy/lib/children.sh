# The processes that deploy/run starts: each in a session of its own, so that Ctrl-C reaches
# only the script; told to end when the script dies, however it dies; started again when it
# ends by itself. Sourced by deploy/run.
# shellcheck shell=bash

child_names=() child_signals=() child_commands=() child_pids=() child_starts=()

MAX_RESTARTS=8    # of one child within RESTART_WINDOW seconds; then the whole stops
RESTART_WINDOW=60

# child_start NAME SIGNAL COMMAND…: SIGNAL is what ends it in an orderly way.
child_start() {
    child_names+=("$1")
    child_signals+=("$2")
    shift 2
    child_commands+=("$(printf '%q ' "$@")")
    child_starts+=('')
    child_pids+=('')
    child_launch $((${#child_names[@]} - 1))
}

child_launch() {
    local i=$1 command
    eval "command=(${child_commands[i]})"
    setsid setpriv --pdeathsig "${child_signals[i]}" "${command[@]}" 7>&- \
        >>"$HOME_PATH/log/${child_names[i]}.log" 2>&1 &
    child_pids[i]=$!
    child_starts[i]+="$SECONDS "
}

# True when the child may be started again: not too often within the window.
child_may_restart() {
    local start recent=0
    for start in ${child_starts[$1]}; do
        [ $((SECONDS - start)) -gt "$RESTART_WINDOW" ] || recent=$((recent + 1))
    done
    [ "$recent" -lt "$MAX_RESTARTS" ]
}

# Starts children again when they end; returns 1 when one ends too often. A child may have been
# waited for already by the time we look (bash forgets it then), so the pids tell, not `wait`.
children_watch() {
    local i
    while :; do
        wait -n "${child_pids[@]}" 2>/dev/null || true
        for i in "${!child_pids[@]}"; do
            ! kill -0 "${child_pids[i]}" 2>/dev/null || continue
            say "${child_names[i]} ended"
            if ! child_may_restart "$i"; then
                child_show_log "${child_names[i]}"
                return 1
            fi
            sleep 0.5    # a database needs its old backends gone; do not spin
            # what it left behind: nginx's workers outlive a killed master and keep the port
            kill -s KILL -- "-${child_pids[i]}" 2>/dev/null || true
            child_launch "$i"
        done
    done
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

children_stopped=
# Ends all in the reverse order of their start: the devices' door first, the database last.
children_stop() {
    local i
    [ -z "$children_stopped" ] || return 0
    children_stopped=1
    trap '' INT TERM
    for ((i = ${#child_pids[@]} - 1; i >= 0; i--)); do
        kill -s "${child_signals[i]}" "${child_pids[i]}" 2>/dev/null || continue
        wait "${child_pids[i]}" 2>/dev/null || true
    done
}
