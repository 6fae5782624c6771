#!/usr/bin/env bash
# Merges N letters (default 1,000), a PDF each, into one: kuori beside other programs.
#
#   benches/peers/compose.sh [N]
#
# `cat` is the floor: it reads and writes the same bytes and makes no PDF. kuori does more than the
# others: it draws a mark on every sheet and checks page counts. Medians of three runs that take
# turns, so that a busy machine is unfair to nobody; compare CPU seconds rather than wall. Installs
# nothing. PYTHON names an interpreter that has pikepdf or pypdfium2.
set -euo pipefail

letters=${1:-1000}
rounds=3
python=${PYTHON:-python3}
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for tool in /usr/bin/time unzip; do
    command -v "$tool" >/dev/null || { echo "missing: $tool (apt install time unzip)" >&2; exit 1; }
done

cargo build --release --quiet
built=$(cargo bench --bench compose_folder --no-run 2>&1)
ours=$(sed -n 's/.*Executable.*(\(.*\))/\1/p' <<<"$built")
[ -x "$ours" ] || { echo "$built" >&2; exit 1; }

target/release/kuori sample "$work/batch.zip" --letters "$letters" --pages 2..2 --shape many-pairs >/dev/null
mkdir "$work/letters"
unzip -q "$work/batch.zip" '*.pdf' -d "$work/letters"
mapfile -t pdfs < <(find "$work/letters" -name '*.pdf' | sort)
in_bytes=$(cat "${pdfs[@]}" | wc -c)

cat >"$work/with_pikepdf.py" <<'PY'
import sys, pikepdf
out = pikepdf.Pdf.new()
sources = [pikepdf.open(path) for path in sys.argv[2:]]
for source in sources:
    out.pages.extend(source.pages)
out.save(sys.argv[1])
PY
cat >"$work/with_pypdfium2.py" <<'PY'
import sys, pypdfium2
out = pypdfium2.PdfDocument.new()
for path in sys.argv[2:]:
    out.import_pages(pypdfium2.PdfDocument(path))
out.save(sys.argv[1])
PY

# Each writes $work/out.
run() {
    case $1 in
        kuori) "${timed[@]}" "$ours" "$work/letters" "$work/out" ;;
        cat) "${timed[@]}" cat "${pdfs[@]}" >"$work/out" ;;
        qpdf) "${timed[@]}" qpdf --empty --pages "${pdfs[@]}" -- "$work/out" ;;
        mutool) "${timed[@]}" mutool merge -o "$work/out" "${pdfs[@]}" ;;
        pdfunite) "${timed[@]}" pdfunite "${pdfs[@]}" "$work/out" ;;
        pikepdf | pypdfium2) "${timed[@]}" "$python" "$work/with_$1.py" "$work/out" "${pdfs[@]}" ;;
    esac
}

is_here() {
    case $1 in
        kuori) true ;;
        pikepdf | pypdfium2) "$python" -c "import $1" 2>/dev/null ;;
        *) command -v "$1" >/dev/null ;;
    esac
}

programs=()
for program in kuori cat qpdf mutool pdfunite pikepdf pypdfium2; do
    if is_here "$program"; then programs+=("$program"); else echo "missing: $program" >&2; fi
done

for _ in $(seq $rounds); do
    for program in "${programs[@]}"; do
        timed=(/usr/bin/time -o "$work/time" -f '%U %S %e %M')
        if run "$program" >"$work/said" 2>&1 || [ -s "$work/out" ]; then
            echo "$(tail -1 "$work/time") $(stat -c %s "$work/out")" >>"$work/$program.runs"
        else
            echo "$program failed: $(tail -1 "$work/said")" >&2
        fi
        rm -f "$work/out"
    done
done

# Median of column $2 of a program's runs.
median() { awk -v c="$2" 'c == 0 { print $1 + $2; next } { print $c }' "$work/$1.runs" | sort -g | sed -n "$(((rounds + 1) / 2))p"; }

kuori_cpu=$(median kuori 0)
printf '%s letters of two pages, %s MiB of PDF; medians of %s\n\n' "$letters" "$((in_bytes >> 20))" "$rounds"
printf '| program | CPU s | wall s | letters/s (CPU) | MB/s in (CPU) | peak MiB | output MB | CPU ÷ kuori |\n'
printf '|---|--:|--:|--:|--:|--:|--:|--:|\n'
for program in "${programs[@]}"; do
    [ -s "$work/$program.runs" ] || continue
    awk -v name="$program" -v cpu="$(median "$program" 0)" -v wall="$(median "$program" 3)" \
        -v peak="$(median "$program" 4)" -v out="$(median "$program" 5)" \
        -v letters="$letters" -v bytes="$in_bytes" -v ours="$kuori_cpu" 'BEGIN {
            c = cpu > 0.005 ? cpu : 0.01; o = ours > 0.005 ? ours : 0.01
            printf "| %s | %.2f | %.2f | %d | %.0f | %d | %.1f | %.1f |\n",
                name, cpu, wall, letters / c, bytes / c / 1e6, peak / 1024, out / 1e6, c / o
        }'
done
