#!/usr/bin/env bash
# Checks batches of N letters (default 10,000) of two pages: `kuori check` beside `unzip -t` and
# `qpdf --check` of each PDF.
#
#   benches/peers/check.sh [N]
#
# kuori reads the same bytes and more: it reads the control data, which the others do not know, and
# holds every page to it. qpdf also unpacks and reads what is drawn on each page, which kuori does
# not. A machine without qpdf checks with kuori and unzip only. Each batch is checked once by each;
# compare CPU seconds rather than wall. Installs nothing.
set -euo pipefail

letters=${1:-10000}
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for tool in /usr/bin/time unzip; do
    command -v "$tool" >/dev/null || { echo "missing: $tool (apt install time unzip)" >&2; exit 1; }
done
programs=(kuori unzip)
if command -v qpdf >/dev/null; then programs+=(qpdf); else echo "missing: qpdf" >&2; fi

cargo build --release --quiet
ours=target/release/kuori

# One process for as many PDFs as `qpdf` takes at a time, which is one.
check_each() {
    find "$1" -name '*.pdf' -print0 | xargs -0 -n 1 qpdf --check
}
export -f check_each

# $1 is the program, $2 the batch, unpacked in $2.files.
run() {
    case $1 in
        kuori) "${timed[@]}" "$ours" check "$2" ;;
        unzip) "${timed[@]}" unzip -tq "$2" ;;
        qpdf) "${timed[@]}" bash -c 'check_each "$1"' check "$2.files" ;;
    esac
}

# CPU seconds, wall seconds and peak KiB of a run.
figures() { awk '{ print $1 + $2, $3, $4 }' "$work/$1-$2.time"; }

for shape in many-pairs csv many-in-one; do
    batch=$work/$shape.zip
    "$ours" sample "$batch" --letters "$letters" --pages 2..2 --shape "$shape" --quiet >/dev/null
    unzip -q "$batch" '*.pdf' -d "$batch.files"
    for program in "${programs[@]}"; do
        timed=(/usr/bin/time -o "$work/$program-$shape.time" -f '%U %S %e %M')
        if ! run "$program" "$batch" >"$work/said" 2>&1; then
            echo "$program failed on $shape: $(tail -1 "$work/said")" >&2
            exit 1
        fi
    done
    rm -r "$batch" "$batch.files"
done

printf '%s letters of two pages\n\n' "$letters"
printf '| shape | program | CPU s | wall s | letters/s (wall) | peak MiB | CPU ÷ kuori | wall ÷ kuori |\n'
printf '|---|---|--:|--:|--:|--:|--:|--:|\n'
for shape in many-pairs csv many-in-one; do
    others=("0 0 0")
    for program in "${programs[@]}"; do
        figure=$(figures "$program" "$shape")
        [ "$program" = kuori ] || others+=("$figure")
        printf '%s %s %s\n' "$shape" "$program" "$figure"
    done
    printf '%s %s %s\n' "$shape" 'others-together' \
        "$(printf '%s\n' "${others[@]}" | awk '{ c += $1; w += $2; if ($3 > m) m = $3 } END { print c, w, m }')"
done | while read -r shape program cpu wall peak; do
    read -r our_cpu our_wall _ <<<"$(figures kuori "$shape")"
    awk -v shape="$shape" -v name="$program" -v cpu="$cpu" -v wall="$wall" -v peak="$peak" \
        -v letters="$letters" -v our_cpu="$our_cpu" -v our_wall="$our_wall" 'BEGIN {
            least = 0.01
            if (our_cpu < least) our_cpu = least
            if (our_wall < least) our_wall = least
            printf "| %s | %s | %.2f | %.2f | %d | %d | %.1f | %.1f |\n", shape, name, cpu, wall,
                letters / (wall < least ? least : wall), peak / 1024, cpu / our_cpu, wall / our_wall
        }'
done
