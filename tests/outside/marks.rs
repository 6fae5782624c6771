//! libdmtx reads every mark, and finds none where none should be.

use std::collections::BTreeMap;

use kuori::print::Mark;

use super::{
    print_run::{Bundle, PrintRun, cases},
    tools,
};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs pdftoppm and pylibdmtx"]
async fn every_front_bears_the_mark_that_the_plan_says_and_no_back_bears_one() {
    for case in cases() {
        let run = PrintRun::of(&case).await;
        for bundle in run.bundles() {
            let marks = decoded(&bundle);
            println!("{}: {}, {} marks", run.name, bundle.id, marks.len());
            assert_eq!(marks, planned(&bundle), "{}", run.name);
        }
    }
}

/// The marks by page, as the piece list has them.
fn planned(bundle: &Bundle) -> BTreeMap<u32, Mark> {
    let mut marks = BTreeMap::new();
    for piece in &bundle.pieces {
        for page in 0..piece.pages {
            let mark = piece.sheet_in_front_of(page).map(|sheet| Mark {
                bundle: bundle.id,
                sequence: piece.sequence,
                sheet,
                sheets: piece.sheets,
            });
            marks.extend(mark.map(|mark| (piece.first_page + page, mark)));
        }
    }
    marks
}

/// The marks by page, as somebody else's decoder reads the upper left corners of all pages.
fn decoded(bundle: &Bundle) -> BTreeMap<u32, Mark> {
    let folder = tempfile::tempdir().unwrap();
    let corner = [
        "-r", "200", "-gray", "-x", "0", "-y", "60", "-W", "200", "-H", "140",
    ];
    let mut arguments = corner.map(str::to_owned).to_vec();
    arguments.push(bundle.pdf().to_str().unwrap().to_owned());
    arguments.push(folder.path().join("p").to_str().unwrap().to_owned());
    tools::run("pdftoppm", arguments);
    let mut marks = BTreeMap::new();
    for line in tools::python("decode_marks.py", [folder.path()]).lines() {
        let (file, payload) = line.split_once('\t').unwrap();
        let page = file.trim_start_matches("p-").trim_end_matches(".pgm");
        let mark = Mark::parse(payload).unwrap();
        let earlier = marks.insert(page.parse().unwrap(), mark);
        assert_eq!(earlier, None, "two marks on {file}");
    }
    marks
}
