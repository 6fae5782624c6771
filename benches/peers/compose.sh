#!/usr/bin/env bash
# Puts letters, a PDF each, into one PDF: kuori beside other programs, on two corpora.
#
#   benches/peers/compose.sh [ONE_SENDER [MIXED]]     default: 10,000 and 2,000 letters
#
# The letters are made by letters.py: mixed ones by six producers, and those of one sender, which
# share fonts and logo. The others merge, and nothing more; kuori composes: a mark on every sheet,
# document parts, page counts checked, what letters share stored once. `cat` is the floor: it reads
# and writes the same bytes and makes no PDF.
#
# ROUNDS (3) runs of each program take turns, so that a busy machine is unfair to nobody; the table has
# medians. Compare CPU seconds; wall seconds only on a quiet machine. CORPORA=DIR keeps the letters for the
# next time. Installs what is missing on Debian 12, and a Python environment in target/peers-venv.
set -euo pipefail

one_sender=${1:-10000}
mixed=${2:-2000}
rounds=${ROUNDS:-3}
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
corpora=${CORPORA:-$work}

packages=(
    time qpdf mupdf-tools poppler-utils                        # programs to compare with
    chromium libreoffice-writer-nogui libpango-1.0-0 libpangoft2-1.0-0 libcairo2 # makers of letters
    fonts-liberation python3-venv
)
if command -v apt-get >/dev/null && ! dpkg -s "${packages[@]}" >/dev/null 2>&1; then
    as_root=$([ "$(id -u)" = 0 ] || echo sudo)
    $as_root apt-get update -qq
    $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
fi
python3 -m venv target/peers-venv
python=target/peers-venv/bin/python
$python -m pip install --quiet --disable-pip-version-check -r benches/peers/requirements.txt

# The path of a bench's program.
bench() {
    local said
    said=$(cargo bench --bench "$1" --no-run 2>&1) || { echo "$said" >&2; exit 1; }
    sed -n 's/.*Executable.*(\(.*\))/\1/p' <<<"$said"
}
kuori=$(bench compose_folder)
lopdf=$(bench merge_with_lopdf)

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

# Makes $work/out of the PDFs of $folder.
run() {
    case $1 in
        kuori) "${timed[@]}" "$kuori" "$folder" "$work/out" ;;
        cat) "${timed[@]}" cat "${pdfs[@]}" >"$work/out" ;;
        qpdf) "${timed[@]}" qpdf --empty --pages "${pdfs[@]}" -- "$work/out" ;;
        mutool) "${timed[@]}" mutool merge -o "$work/out" "${pdfs[@]}" ;;
        pdfunite) "${timed[@]}" pdfunite "${pdfs[@]}" "$work/out" ;;
        lopdf) "${timed[@]}" "$lopdf" "$folder" "$work/out" ;;
        pikepdf | pypdfium2) "${timed[@]}" "$python" "$work/with_$1.py" "$work/out" "${pdfs[@]}" ;;
    esac
}
programs=(kuori cat qpdf pikepdf mutool pdfunite pypdfium2 lopdf)

# Median of column $2 of a program's runs: user and system seconds, wall seconds, peak KiB, bytes written;
# 0 is CPU seconds.
median() { awk -v c="$2" 'c == 0 { print $1 + $2; next } { print $c }' "$runs/$1" | sort -g | sed -n "$(((rounds + 1) / 2))p"; }

measure() {
    for _ in $(seq "$rounds"); do
        for program in "${programs[@]}"; do
            timed=(/usr/bin/time -o "$work/time" -f '%U %S %e %M')
            if run "$program" >"$work/said" 2>&1 || [ -s "$work/out" ]; then
                echo "$(tail -1 "$work/time") $(stat -c %s "$work/out")" >>"$runs/$program"
            else
                echo "$program failed: $(tail -1 "$work/said")" >&2
            fi
            rm -f "$work/out"
        done
    done
}

table() {
    printf '| program | CPU s | wall s | letters/s | MB/s in | peak MB | output MB | CPU ÷ kuori | wall ÷ kuori | output ÷ kuori |\n'
    printf '|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n'
    for program in "${programs[@]}"; do
        [ -s "$runs/$program" ] || continue
        awk -v name="$program" -v letters="${#pdfs[@]}" -v bytes="$bytes" \
            -v cpu="$(median "$program" 0)" -v wall="$(median "$program" 3)" -v peak="$(median "$program" 4)" \
            -v out="$(median "$program" 5)" -v our_cpu="$(median kuori 0)" -v our_wall="$(median kuori 3)" \
            -v our_out="$(median kuori 5)" 'function some(x) { return x > 0.01 ? x : 0.01 }
            BEGIN {
                printf "| %s | %.2f | %.2f | %d | %.0f | %.0f | %.1f | %.1f | %.1f | %.1f |\n", name, cpu, wall,
                    letters / some(wall), bytes / some(wall) / 1e6, peak * 1024 / 1e6, out / 1e6,
                    cpu / some(our_cpu), wall / some(our_wall), out / our_out
            }'
    done
}

for corpus in "one-sender $one_sender" "mixed $mixed"; do
    read -r kind letters <<<"$corpus"
    folder=$corpora/$kind-$letters
    [ -d "$folder" ] || $python benches/peers/letters.py "$kind" "$folder" "$letters"
    mapfile -t pdfs < <(find "$folder" -name '*.pdf' | sort)
    bytes=$(cat "${pdfs[@]}" | wc -c)
    runs=$work/$kind.runs
    mkdir "$runs"
    measure
    printf '\n%s letters, %s, %.1f MB of PDF; medians of %s; letters/s and MB/s by wall\n\n' \
        "$letters" "$kind" "$(awk -v b="$bytes" 'BEGIN { print b / 1e6 }')" "$rounds"
    table
done
