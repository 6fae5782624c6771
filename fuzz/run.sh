#!/usr/bin/env bash
# Runs the targets named, or all of them, for so many seconds each: `fuzz/run.sh 20 pdf batch`.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=$1
targets=("${@:2}")
[ $# -gt 1 ] || mapfile -t targets < <(cargo fuzz list)

# Inputs are too small to be worth a second thread, and the house has no unsafe code for a
# sanitizer to watch.
export RAYON_NUM_THREADS=1
cargo fuzz build --sanitizer none
for target in "${targets[@]}"; do
    options=(-max_total_time="$seconds" -max_len=49152 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1)
    dictionary=fuzz/dictionaries/$target.dict
    [ ! -f "$dictionary" ] || options+=("-dict=$dictionary")
    cargo fuzz run --sanitizer none "$target" -- "${options[@]}"
done
