#!/usr/bin/env bash
# redis-cli in the ways that people and scripts use it; with -c if it is to take ringmaster for a cluster.
set -euo pipefail
cli=(redis-cli -p "$1")
[ "$2" != cluster ] || cli+=(-c)
run() { "${cli[@]}" "$@"; }
is() { [ "$1" = "$2" ] || { echo "line ${BASH_LINENO[0]}: got '$2', want '$1'" >&2; exit 1; }; }

is OK "$(run flushall)"
is OK "$(printf 'a value' | run -x set '{t}s')"
is 'a value' "$(run get '{t}s')"
is 2 "$(run hset '{t}h' a 1 b 2)"
is $'1\n2' "$(run hmget '{t}h' a b)"
is '200 OK' "$(for i in $(seq 200); do echo "set k$i $i"; done | run | uniq -c | xargs)"
is 'errors: 0, replies: 200' "$(for i in $(seq 200); do printf 'SET k%d %d\r\n' "$i" $((i + 1)); done | run --pipe | tail -1)"
is 201 "$(run get k200)"

coproc client { run; }
# shellcheck disable=SC2154 # coproc sets client
ask() { echo "$1" >&"${client[1]}" && read -r -t 5 -u "${client[0]}" reply; } # ask COMMAND: one line of reply
for c in multi 'incr {t}n' 'incr {t}n' exec; do ask "$c"; done
is 1 "$reply"
read -r -u "${client[0]}" reply
is 2 "$reply"
ask 'watch {t}n'
is 3 "$(run incr '{t}n')"
for c in multi 'set {t}n 0' exec; do ask "$c"; done
is '' "$reply"
is 3 "$(run get '{t}n')"

exec {sub}< <(exec "${cli[@]}" subscribe news)
subscriber=$!
for want in subscribe news 1; do read -r -t 5 -u "$sub" reply; is "$want" "$reply"; done
is 1 "$(run publish news hello)"
for want in message news hello; do read -r -t 5 -u "$sub" reply; is "$want" "$reply"; done
kill "$subscriber"

is '' "$(run blpop '{t}q' 0.1)"
exec {pop}< <(run blpop '{t}q' 5)
is 1 "$(run rpush '{t}q' x)"
for want in '{t}q' x; do read -r -t 5 -u "$pop" reply; is "$want" "$reply"; done
script="return redis.call('get', KEYS[1]) * ARGV[1]"
is 6 "$(run --eval <(echo "$script") '{t}n' , 2)"
is 6 "$(run evalsha "$(run script load "$script")" 1 '{t}n' 2)"
is "$(run dbsize)" "$(run --scan | sort -u | wc -l)"
run --bigkeys | grep -q 'Sampled 203 keys in the keyspace!'

ask 'client id'
is 1 "$(run client kill id "$reply")"
if ask 'get {t}n'; then is 3 "$reply"; fi # fed by a pipe, redis-cli ends with its connection
is 3 "$(run get '{t}n')"
