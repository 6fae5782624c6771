#!/usr/bin/env bash
# Delivers messages with a PDF of BYTES (60000) into Maildirs: Kuori's beside dovecot-lda, the delivery program of a
# mail server, and Python's `mailbox`.
#
#   benches/peers/maildir.sh
#
# Kuori delivers LETTERS (10000), the others PEER_LETTERS (2000) of the very same messages; ROUNDS (3) of each take
# turns, so that a busy machine is unfair to nobody, and the table has medians. `first` letters make the mailboxes of
# their recipients, `later` ones find them made. All make each message durable: Kuori by two syncs of the file system
# a page, the others by a sync of each file. dovecot-lda is one process a message, as many at once as there are cores,
# as a mail server starts it; what it costs to start is part of its figure. Everything lies on the disk of target/,
# the messages for the others in memory (/dev/shm). Nothing is deleted before the end: ext4 searches among inodes
# that were deleted in the last minutes, which makes each new file slow. So let the disk rest for five minutes
# before, after another run too. Installs nothing.
set -euo pipefail

letters=${LETTERS:-10000}
peer_letters=${PEER_LETTERS:-2000}
bytes=${BYTES:-60000}
rounds=${ROUNDS:-3}
goal=5000
lda=/usr/lib/dovecot/dovecot-lda
cd "$(dirname "$0")/../.."

[ -x "$lda" ] || { echo "dovecot-lda is missing: apt install dovecot-core" >&2; exit 1; }
said=$(cargo bench --bench maildir --no-run 2>&1) || { echo "$said" >&2; exit 1; }
kuori=$(sed -n 's/.*Executable.*(\(.*\))/\1/p' <<<"$said")

mkdir -p target/tmp
disk=$(realpath "$(mktemp -d target/tmp/maildir.XXXXXX)")
memory=$(mktemp -d /dev/shm/kuori-maildir.XXXXXX)
chmod 711 "$disk" "$memory"
end() { rm -rf "$disk" "$memory"; }
trap end EXIT

# dovecot-lda does not deliver as root: it does so as nobody then.
as_nobody=()
[ "$(id -u)" != 0 ] || as_nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
cat >"$memory/dovecot.conf" <<END
base_dir = $memory/run
log_path = $memory/lda.log
ssl = no
protocols =
postmaster_address = postmaster@localhost
hostname = localhost
END

"$kuori" "$memory/kuori" "$peer_letters" "$bytes" "$peer_letters" 1 >/dev/null
find "$memory/kuori" -name '*.kuori' | awk '{ print $0, "box" NR }' >"$memory/list"
[ "$(id -u)" != 0 ] || chown -R 65534:65534 "$memory"

# $1: who. Delivers the list into $disk/$1.
deliver() {
    case $1 in
        dovecot-lda)
            # Nobody may not look into the folders above.
            cd /
            xargs -P "$(nproc)" -n 2 "${as_nobody[@]}" sh -c 'exec "$1" -c "$2/dovecot.conf" -o mail_location="maildir:$3/$5" \
                -f sender@kuori.invalid -p "$4"' lda "$lda" "$memory" "$(peer_disk "$1")" <"$memory/list"
            ;;
        python) python3 benches/peers/maildir.py "$(peer_disk "$1")" <"$memory/list" ;;
    esac
}
peer_disk() { echo "$disk/$1-$round"; }

measure() {
    local began which
    mkdir -p "$(peer_disk "$1")"
    [ "$1" != dovecot-lda ] || [ "$(id -u)" != 0 ] || chown 65534:65534 "$(peer_disk "$1")"
    for which in first later; do
        sync -f "$disk"
        began=$EPOCHREALTIME
        (deliver "$1")
        awk -v began="$began" -v ended="$EPOCHREALTIME" -v n="$peer_letters" 'BEGIN { print n / (ended - began) }' \
            >>"$memory/$1-$which.runs"
    done
}

for round in $(seq "$rounds"); do
    sync -f "$disk"
    "$kuori" "$disk/kuori-$round" "$letters" "$bytes" "$letters" 2 >"$memory/said"
    awk -v at="$memory/kuori" '{ print $1 >>(at (NR == 1 ? "-first" : "-later") ".runs") }' "$memory/said"
    for peer in dovecot-lda python; do measure "$peer"; done
done

median() { sort -g "$memory/$1-$2.runs" | sed -n "$(((rounds + 1) / 2))p"; }
printf 'Messages a second, with a PDF of %s bytes\n\n' "$bytes"
printf '| | kuori | dovecot-lda | Python | kuori ÷ dovecot-lda | kuori ÷ Python | goal | |\n|---|--:|--:|--:|--:|--:|--:|---|\n'
for which in first later; do
    awk -v which="$which" -v k="$(median kuori $which)" -v d="$(median dovecot-lda $which)" -v p="$(median python $which)" \
        -v goal=$goal 'BEGIN { printf "| %s letter | %d | %d | %d | %.1f | %.1f | %d | %s |\n", which, k, d, p, k / d, k / p,
            goal, (k >= goal ? "met" : "MISSED") }'
done
