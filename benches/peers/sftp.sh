#!/usr/bin/env bash
# Sets our SFTP client and the embedded server beside OpenSSH's, on loopback.
#
#   benches/peers/sftp.sh
#
# MB (500) of noise in one file, over a line of 20 ms LINE_MB (100), and FILES (5000) files of 20 kB. ROUNDS (3)
# runs of each pair take turns, so that a busy machine is unfair to nobody; the table has medians, the goals stand
# below it. ONLY=get,put,line,many,disk runs a part. All speak aes256-gcm@openssh.com, our client's first choice;
# `sftp` (with -c) has ChaCha20 for its own. A whole process is measured, with its connecting and logging in.
# Ours does more: it digests every byte, a put reads back the size and renames, the embedded server syncs before
# it says that it has a file.
#
# Everything lies in memory (/dev/shm) but for the last part, puts to the disk of target/, where `sftp -f` asks
# OpenSSH for the sync that our server makes anyway. CPU of OpenSSH's server is that of its listener's children. A
# peak is that of the largest process: `sftp` and its `ssh` are two. Every transfer is compared with its source.
set -euo pipefail

mb=${MB:-500}
line_mb=${LINE_MB:-100}
files=${FILES:-5000}
rounds=${ROUNDS:-3}
only=${ONLY:-get,put,line,many,disk}
cipher=aes256-gcm@openssh.com
rtt_ms=20
cd "$(dirname "$0")/../.."

for program in /usr/sbin/sshd sftp /usr/bin/time; do
    command -v "$program" >/dev/null || { echo "$program is missing: openssh-server, openssh-client, time" >&2; exit 1; }
done
said=$(cargo bench --bench sftp --no-run 2>&1) || { echo "$said" >&2; exit 1; }
kuori=$(sed -n 's/.*Executable.*(\(.*\))/\1/p' <<<"$said")

mkdir -p target/tmp
tmp=$(mktemp -d /dev/shm/kuori-sftp.XXXXXX)
disk=$(realpath "$(mktemp -d target/tmp/sftp.XXXXXX)")
started=()
end() {
    kill "${started[@]}" 2>/dev/null || true
    rm -rf "$tmp" "$disk"
}
trap end EXIT
runs=$tmp/runs
out=$tmp/out
mkdir "$runs" "$out"

# What is sent: noise, for nothing on the way may find it easy.
noise() { head -c "$1" /dev/urandom; }
make_sources() {
    mkdir -p "$tmp/in/many"
    noise "$((mb * 1000000))" >"$tmp/in/big"
    noise "$((line_mb * 1000000))" >"$tmp/in/middling"
    noise "$((files * 20000))" | split -b 20000 -a 5 - "$tmp/in/many/f"
}

# A server's folder is $tmp/NAME or $disk/NAME, its port ${port[NAME]}, its process ${pid[NAME]}, and its paths begin
# with ${root[NAME]}.
declare -A port pid root folder fingerprint
start_openssh() {
    ssh-keygen -q -t ed25519 -N '' -f "$tmp/host"
    mkdir -p /run/sshd
    # Free a moment ago; good enough here.
    port[openssh]=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    cat >"$tmp/sshd_config" <<END
ListenAddress 127.0.0.1:${port[openssh]}
HostKey $tmp/host
AuthorizedKeysFile $tmp/user.pub
PidFile none
StrictModes no
UsePAM no
PermitRootLogin yes
Subsystem sftp internal-sftp
END
    /usr/sbin/sshd -D -e -f "$tmp/sshd_config" 2>"$tmp/sshd.log" &
    pid[openssh]=$!
    started+=($!)
    fingerprint[openssh]=$(ssh-keygen -lf "$tmp/host.pub" | cut -d' ' -f2)
    folder[openssh]=$tmp/openssh root[openssh]=$tmp/openssh
    until (: <"/dev/tcp/127.0.0.1/${port[openssh]}") 2>/dev/null; do sleep 0.1; done
}
# $1: name. $2: its folder.
start_kuori() {
    mkdir -p "$2"
    "$kuori" serve "$2" --public-key "$tmp/user.pub" >"$tmp/$1.said" &
    pid[$1]=$!
    started+=($!)
    until [ -s "$tmp/$1.said" ]; do sleep 0.1; done
    read -r "port[$1]" "fingerprint[$1]" <"$tmp/$1.said"
    folder[$1]=$2/bench root[$1]=''
}
# $1: name of the server behind a long line; it is also known as $1-far.
start_line() {
    "$kuori" proxy "127.0.0.1:${port[$1]}" --delay-ms "$((rtt_ms / 2))" >"$tmp/$1-far.said" &
    started+=($!)
    until [ -s "$tmp/$1-far.said" ]; do sleep 0.1; done
    port[$1-far]=$(<"$tmp/$1-far.said")
    local of
    for of in pid root folder fingerprint; do
        local -n table=$of
        table[$1-far]=${table[$1]}
    done
}
# OpenSSH's server again, with its folder on the disk.
name_disk() {
    local of
    for of in pid port fingerprint; do
        local -n table=$of
        table[openssh-disk]=${table[openssh]}
    done
    folder[openssh-disk]=$disk/openssh root[openssh-disk]=$disk/openssh
}
make_folders() {
    local name
    for name in "${!folder[@]}"; do mkdir -p "${folder[$name]}/inbox" "${folder[$name]}/receipts"; done
    for name in openssh kuori; do cp -r "$tmp/in/." "${folder[$name]}/receipts/"; done
}

# The client $1 does $2 (get, put, get-many, put-many) with file $3 at server $4.
client() {
    local at=$4 what=$3 from="${root[$4]:+${root[$4]}/}receipts" to="${root[$4]:+${root[$4]}/}inbox"
    case $1-$2 in
        sftp*-get) echo "get $from/$what $out/" ;;
        sftp*-put) echo "put $tmp/in/$what $to/" ;;
        sftp*-get-many) echo "get -r $from/$what $out/" ;;
        # The embedded server's inboxes have no folders in them.
        sftp*-put-many) case $at in openssh*) echo "put -r $tmp/in/$what $to/" ;; *) echo "put $tmp/in/$what/* $to/" ;; esac ;;
    esac >"$tmp/batch"
    local login=(-P "${port[$at]}" -o "IdentityFile=$tmp/user" -o IdentitiesOnly=yes -o StrictHostKeyChecking=no
        -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR)
    local ours=("$2" --port "${port[$at]}" --key "$tmp/user" --fingerprint "${fingerprint[$at]}" --root "${root[$at]}")
    case $at in openssh*) ours+=(--user "$(id -un)") login+=(-o "User=$(id -un)") ;; *) login+=(-o User=bench) ;; esac
    case $1-$2 in
        sftp-*) "${timed[@]}" sftp -q -F none -c $cipher "${login[@]}" -b "$tmp/batch" 127.0.0.1 ;;
        sftp-f-*) "${timed[@]}" sftp -q -f -F none -c $cipher "${login[@]}" -b "$tmp/batch" 127.0.0.1 ;;
        kuori-get) "${timed[@]}" "$kuori" "${ours[@]}" "receipts/$what" "$out/$what" ;;
        kuori-put) "${timed[@]}" "$kuori" "${ours[@]}" "$tmp/in/$what" "inbox/$what" ;;
        kuori-get-many) mkdir "$out/$what" && "${timed[@]}" "$kuori" "${ours[@]}" "receipts/$what" "$out/$what" ;;
        kuori-put-many) "${timed[@]}" "$kuori" "${ours[@]}" "$tmp/in/$what" "inbox$(in_inbox "$at" "$what")" ;;
    esac
}
in_inbox() { case $1 in openssh*) echo "/$2" ;; esac; }

# Hundredths of a second that a server has used. OpenSSH's are its listener's children, once they have ended.
used() {
    local stat
    case $1 in
        openssh*)
            while [ -n "$(<"/proc/${pid[$1]}/task/${pid[$1]}/children")" ]; do sleep 0.02; done
            stat=$(<"/proc/${pid[$1]}/stat") && set -- ${stat##*) } && echo "$((${14} + ${15}))"
            ;;
        *) stat=$(<"/proc/${pid[$1]}/stat") && set -- ${stat##*) } && echo "$((${12} + ${13}))" ;;
    esac
}

# Largest VmHWM (KiB) of process $1 and those below it.
peak_of() {
    local name value below=() peak=0 child
    while read -r name value _; do [ "$name" = VmHWM: ] && peak=$value; done 2>/dev/null <"/proc/$1/status" || true
    read -ra below 2>/dev/null <"/proc/$1/task/$1/children" || true
    for child in "${below[@]}"; do
        value=$(peak_of "$child")
        [ "$value" -gt "$peak" ] && peak=$value
    done
    echo "$peak"
}
# Writes the peak of OpenSSH's processes down while they run; the embedded server keeps its own.
watch_peak() {
    while sleep 0.1; do peak_of "${pid[$1]}" 2>/dev/null >>"$tmp/peaks" || true; done
}

# Runs client $1 at server $4 and adds a line to the runs of this pair: wall s, client CPU s, server CPU s, client KiB,
# server KiB.
measure() {
    local key="$2 $3 $1 $4" before after watcher
    timed=(/usr/bin/time -o "$tmp/time" -f '%e %U %S %M')
    : >"$tmp/peaks"
    before=$(used "$4")
    case $4 in openssh*) watch_peak "$4" & watcher=$! ;; *) echo 5 >"/proc/${pid[$4]}/clear_refs" ;; esac
    client "$@" >"$tmp/said" 2>&1 || { echo "$key failed:" >&2; tail -5 "$tmp/said" >&2; }
    [ -z "${watcher:-}" ] || { kill "$watcher" 2>/dev/null; wait "$watcher" 2>/dev/null || true; }
    case $4 in openssh*) ;; *) peak_of "${pid[$4]}" >"$tmp/peaks" ;; esac
    after=$(used "$4")
    awk -v server="$((after - before))" -v peak="$(sort -n "$tmp/peaks" | tail -1)" \
        'END { print $1, $2 + $3, server / 100, $4, peak }' "$tmp/time" >>"$runs/$key"
    compare "$2" "$3" "$4" "$key"
}
# What arrived is what was sent; then it is cleared away.
compare() {
    local arrived
    case $1 in
        get*) arrived=$out/$2 ;;
        put-many) arrived="${folder[$3]}/inbox$(in_inbox "$3" "$2")" ;;
        put) arrived=${folder[$3]}/inbox/$2 ;;
    esac
    diff -rq "$tmp/in/$2" "$arrived" >&2 || echo "$4: something else arrived" >&2
    rm -rf "${out:?}"/* "${folder[$3]:?}"/inbox/*
    case $4 in "put-many "*" kuori openssh"*) mkdir -p "${folder[$3]}/inbox/$2" ;; esac
}

# Median of column $2 of a pair's runs.
median() { awk -v c="$2" '{ print $c }' "$runs/$1" | sort -g | sed -n "$(((rounds + 1) / 2))p"; }

# $1: heading. $2: bytes of one transfer. The other arguments are pairs: "DEED WHAT CLIENT SERVER"; the first is the one
# to beat.
part() {
    local heading=$1 bytes=$2 pair pairs
    shift 2
    pairs=("$@")
    for _ in $(seq "$rounds"); do
        for pair in "${pairs[@]}"; do
            read -r deed what who where <<<"$pair"
            case "$who $deed $where" in "kuori put-many openssh"*) mkdir -p "${folder[$where]}/inbox/$what" ;; esac
            measure "$who" "$deed" "$what" "$where"
        done
    done
    printf '\n%s\n\n| client | server | wall s | MB/s | client CPU s | server CPU s | client MB | server MB | times the first | server CPU to the first |\n' "$heading"
    printf '|---|---|--:|--:|--:|--:|--:|--:|--:|--:|\n'
    for pair in "${pairs[@]}"; do
        read -r _ _ who where <<<"$pair"
        row "$pair" "${pairs[0]}" | awk -v name="| ${who/sftp-f/sftp -f} | ${where%%-*}" -v bytes="$bytes" '{
            printf "%s | %.2f | %.0f | %.2f | %.2f | %.0f | %.0f | %.2f | %.2f |\n", name, $1, bytes / $1 / 1e6, $2, $3,
                $4 * 1024 / 1e6, $5 * 1024 / 1e6, $6 / $1, $3 / $7 }'
    done
}
row() { echo "$(for c in 1 2 3 4 5; do median "$1" $c; done | xargs) $(median "$2" 1) $(median "$2" 3)"; }

# $1: what. $2: pair. $3: pair to beat. $4: column. $5: how it is compared, and $6 with what.
goals=()
goal() { goals+=("$1|$2|$3|$4|$5|$6"); }
tell_goals() {
    local what pair first column how bound
    printf '\n| goal | wanted | is | |\n|---|--:|--:|---|\n'
    for goal in "${goals[@]}"; do
        IFS='|' read -r what pair first column how bound <<<"$goal"
        awk -v what="$what" -v a="$(median "$pair" "$column")" -v b="$(median "$first" "$column")" -v how="$how" -v bound="$bound" \
            'BEGIN { if (a < 0.01) a = 0.01
                is = how == "times faster" ? b / a : a / b
                met = how == "times faster" ? is >= bound : is <= bound
                printf "| %s | %s %s | %.2f | %s |\n", what, how == "times faster" ? ">=" : "<=", bound, is, met ? "met" : "MISSED" }'
    done
    tell_memory
}
tell_memory() {
    local pair column
    for pair in "$runs"/*; do
        pair=${pair##*/}
        case $pair in *" kuori "*) echo "$(median "$pair" 4) client, $pair" ;; esac
        case $pair in *" kuori" | *" kuori-"*) echo "$(median "$pair" 5) server, $pair" ;; esac
    done | sort -g | tail -1 | awk '{ kib = $1; $1 = ""
        printf "| memory of our largest process, MB (%s) | < 40 | %.0f | %s |\n", substr($0, 2), kib * 1024 / 1e6,
            kib * 1024 < 40e6 ? "met" : "MISSED" }'
}

wants() { case ",$only," in *",$1,"*) ;; *) false ;; esac; }

ssh-keygen -q -t ed25519 -N '' -f "$tmp/user"
make_sources
start_openssh
start_kuori kuori "$tmp/kuori"
start_kuori kuori-disk "$disk/kuori"
start_line openssh
start_line kuori
name_disk
make_folders

if wants get; then
    part "Get one file of $mb MB" "$((mb * 1000000))" "get big sftp openssh" "get big kuori openssh" "get big sftp kuori" "get big kuori kuori"
    goal "get $mb MB with our client, by wall" 'get big kuori openssh' 'get big sftp openssh' 1 'times faster' 1.5
fi
if wants put; then
    part "Put one file of $mb MB" "$((mb * 1000000))" "put big sftp openssh" "put big kuori openssh" "put big sftp kuori" "put big kuori kuori"
    for who in sftp kuori; do
        goal "put $mb MB with $who into our server, by wall" "put big $who kuori" "put big $who openssh" 1 'times faster' 1.5
        goal "put $mb MB with $who into our server, CPU of the server" "put big $who kuori" "put big $who openssh" 3 'part of' 0.67
    done
fi
if wants line; then
    part "Get one file of $line_mb MB over a line of $rtt_ms ms" "$((line_mb * 1000000))" "get middling sftp openssh-far" \
        "get middling kuori openssh-far" "get middling sftp kuori-far" "get middling kuori kuori-far"
    part "Put one file of $line_mb MB over a line of $rtt_ms ms" "$((line_mb * 1000000))" "put middling sftp openssh-far" \
        "put middling kuori openssh-far" "put middling sftp kuori-far" "put middling kuori kuori-far"
    goal "get over $rtt_ms ms with our client, by wall" 'get middling kuori openssh-far' 'get middling sftp openssh-far' 1 'times faster' 2
    goal "put over $rtt_ms ms with our client, by wall" 'put middling kuori openssh-far' 'put middling sftp openssh-far' 1 'times faster' 1
fi
if wants many; then
    part "Get $files files of 20 kB" "$((files * 20000))" "get-many many sftp openssh" "get-many many kuori openssh" "get-many many sftp kuori" "get-many many kuori kuori"
    part "Put $files files of 20 kB" "$((files * 20000))" "put-many many sftp openssh" "put-many many kuori openssh" "put-many many sftp kuori" "put-many many kuori kuori"
    for deed in get put; do
        goal "$deed $files files with our client, by wall" "$deed-many many kuori openssh" "$deed-many many sftp openssh" 1 'times faster' 4
    done
fi
if wants disk; then
    part "Put one file of $mb MB to the disk" "$((mb * 1000000))" "put big sftp openssh-disk" "put big sftp-f openssh-disk" \
        "put big kuori openssh-disk" "put big sftp kuori-disk" "put big kuori kuori-disk"
    part "Put $files files of 20 kB to the disk" "$((files * 20000))" "put-many many sftp openssh-disk" "put-many many sftp-f openssh-disk" \
        "put-many many kuori openssh-disk" "put-many many sftp kuori-disk" "put-many many kuori kuori-disk"
fi
tell_goals
