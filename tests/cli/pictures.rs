//! Pictures of pages: `kuori bundle preview`, `kuori check --overlay`, and the process that draws.

use std::io::Cursor;

use super::*;

/// A PNG: its width in pixels, and its pixels row by row.
struct Png {
    width: usize,
    pixels: Vec<[u8; 3]>,
}

impl Png {
    fn read(bytes: &[u8]) -> Self {
        let mut reader = png::Decoder::new(Cursor::new(bytes)).read_info().unwrap();
        let mut samples = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut samples).unwrap();
        assert_eq!(info.color_type, png::ColorType::Rgb);
        Self {
            width: info.width.try_into().unwrap(),
            pixels: samples.as_chunks().0.to_vec(),
        }
    }

    fn height(&self) -> usize {
        self.pixels.len() / self.width
    }

    /// Black pixels within an area, in millimetres: left, top, right, bottom.
    fn black_in(&self, [left, top, right, bottom]: [f64; 4], dpi: f64) -> usize {
        let at = |pixel: usize| f64::from(u32::try_from(pixel).unwrap()) * 25.4 / dpi;
        let pixels = self.pixels.iter().enumerate();
        let black = pixels.filter(|(_, pixel)| pixel.iter().all(|sample| *sample < 60));
        black
            .map(|(place, _)| (at(place % self.width), at(place / self.width)))
            .filter(|(x, y)| (left..right).contains(x) && (top..bottom).contains(y))
            .count()
    }
}

/// The place of the symbol without its white: 16 modules of 0.5 mm.
const SYMBOL: [f64; 4] = [4.0, 12.0, 12.0, 20.0];

#[test]
fn a_preview_has_the_mark_on_fronts_and_the_size_that_was_asked_for() {
    let site = processed();
    let line = "bundle preview P-0001 --piece 1 --out pictures --dpi 200";
    let told = schema_holds(&site, "bundle-preview", line);
    let pages = told["pages"].as_array().unwrap();
    let is_duplex = site.json("bundle show P-0001")["group"]["duplex"] == true;
    for (index, page) in pages.iter().enumerate() {
        let file = site.path(page["file"].as_str().unwrap());
        let picture = Png::read(&fs::read(&file).unwrap());
        assert_eq!((picture.width, picture.height()), (1654, 2339));
        let is_front = !is_duplex || index.is_multiple_of(2);
        // A symbol is dark in about half of its 63 × 63 pixels.
        let black = picture.black_in(SYMBOL, 200.0);
        assert_eq!(black > 1_000, is_front, "{black} in {}", file.display());
        assert_eq!(page["failed"], Value::Null);
        assert_eq!(
            file.file_name().unwrap().to_str().unwrap(),
            format!("P-0001-1-{}.png", index + 1)
        );
    }
    assert!(!pages.is_empty());
}

#[test]
fn a_preview_writes_one_sheet_or_one_file_and_overwrites_nothing_unasked() {
    let site = processed();
    let piece = "bundle preview P-0001 --piece 2";
    let said = site.kuori(&format!("{piece} --sheet 99"));
    assert_eq!(said.code, Some(1), "{said:?}");
    let said = site.kuori(&format!("{piece} --sheet 1 --out one.png"));
    if said.code == Some(2) {
        // Both sides of a sheet are two pages.
        assert!(said.err.contains("do not fit into `one.png`"), "{said:?}");
    } else {
        assert!(site.path("one.png").exists(), "{said:?}");
    }
    site.done(&format!("{piece} --sheet 1 --out there"));
    let again = site.kuori(&format!("{piece} --sheet 1 --out there"));
    assert_eq!(again.code, Some(1));
    assert!(again.err.contains("is there already"), "{again:?}");
    site.done(&format!("{piece} --sheet 1 --out there --force"));
    site.done(&format!(
        "{piece} --sheet 1 --out exact --config kuori.toml"
    ));
}

/// A page of US letter with that content.
fn wrong_paper(content: &str) -> Vec<u8> {
    format!(
        "%PDF-1.7\n\
         1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n\
         2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n\
         3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<<>>>>endobj\n\
         4 0 obj<</Length {}>>stream\n{content}\nendstream endobj\n\
         trailer<</Root 1 0 R>>\n%%EOF\n",
        content.len()
    )
    .into_bytes()
}

/// A page in a colour whose function is braces within braces: whoever reads them by recursion has no
/// stack left.
fn hostile() -> Vec<u8> {
    let braces = ["{".repeat(100_000), "}".repeat(100_000)].concat();
    let page = String::from_utf8(wrong_paper("/C cs 1 scn 0 0 99 99 re f")).unwrap();
    let colour = "<</ColorSpace<</C[/Separation/X/DeviceGray 5 0 R]>>>>";
    let page = page.replace("<<>>", colour);
    let function = format!(
        "5 0 obj<</FunctionType 4/Domain[0 1]/Range[0 1]/Length {}>>stream\n{braces}\n\
         endstream endobj\n",
        braces.len()
    );
    page.replace("trailer", &format!("{function}trailer"))
        .into_bytes()
}

/// A page whose ten forms draw the next one ten times each.
fn endless() -> Vec<u8> {
    let form = |number: u32| {
        let content = "/X Do ".repeat(10);
        let next = number + 1;
        format!(
            "{number} 0 obj<</Type/XObject/Subtype/Form/BBox[0 0 600 800]\
             /Resources<</XObject<</X {next} 0 R>>>>/Length {}>>stream\n{content}\nendstream endobj\n",
            content.len()
        )
    };
    let last = "15 0 obj<</Type/XObject/Subtype/Form/BBox[0 0 600 800]/Length 15>>stream\n\
                0 0 600 800 re f\nendstream endobj\n";
    let page = "%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n\
         2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n\
         3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R\
         /Resources<</XObject<</X 5 0 R>>>>>>endobj\n\
         4 0 obj<</Length 5>>stream\n/X Do\nendstream endobj\n";
    let forms: String = (5..15).map(form).collect();
    format!("{page}{forms}{last}trailer<</Root 1 0 R>>\n%%EOF\n").into_bytes()
}

/// A batch of letters, each with a PDF of its own: `a.pdf`, `b.pdf` and so on.
fn batch(letters: &[Vec<u8>]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    let mut table = "letter_id,name,address,postal_code,city,file\n".to_owned();
    for (letter, pdf) in ('a'..).zip(letters) {
        let row = format!("{letter},Maija Mallikas,Mallikatu 1,00100,Helsinki,{letter}.pdf\n");
        table.push_str(&row);
        zip.start_file(format!("{letter}.pdf"), options).unwrap();
        zip.write_all(pdf).unwrap();
    }
    zip.start_file("batch.csv", options).unwrap();
    zip.write_all(table.as_bytes()).unwrap();
    zip.finish().unwrap().into_inner()
}

#[test]
fn a_preview_has_all_letters_of_a_shared_envelope() {
    let site = Site::new();
    let mut settings = fs::read_to_string(site.path("kuori.toml")).unwrap();
    settings = settings.replace("hold_first_batch", "household = true\nhold_first_batch");
    fs::write(site.path("kuori.toml"), settings).unwrap();
    let page = String::from_utf8(wrong_paper("200 300 14 14 re f")).unwrap();
    let page = page.replace("612 792", "595.276 841.89").into_bytes();
    fs::write(site.path("letters.zip"), batch(&[page.clone(), page])).unwrap();
    let said = site.kuori("process letters.zip --config kuori.toml --sender example-city");
    assert!(matches!(said.code, Some(0 | 3)), "{said:?}");
    let piece = &site.json("bundle show P-0001")["pieces"][0];
    assert_eq!(piece["messages"].as_array().unwrap().len(), 2);
    let told = schema_holds(&site, "bundle-preview", "bundle preview P-0001 --piece 1");
    // An address page and two letters, with a blank back each.
    assert_eq!(told["pages"].as_array().unwrap().len(), 6);
    site.done("bundle preview P-0001 --piece 1 --sheet 3 --out third");
    assert!(site.path("third/P-0001-1-5.png").exists());
}

#[test]
fn a_page_that_is_not_drawn_is_told_and_the_others_are_drawn() {
    let site = Site::new();
    let ordinary = wrong_paper("100 100 200 200 re f");
    let huge = String::from_utf8(wrong_paper("")).unwrap();
    let huge = huge.replace("612 792", "14400 14400").into_bytes();
    let letters = batch(&[huge, hostile(), ordinary]);
    fs::write(site.path("letters.zip"), letters).unwrap();
    let line = "check letters.zip --overlay pictures";
    let told = schema_holds(&site, "check", line);
    let pages = told["batches"][0]["overlay"]["pages"].as_array().unwrap();
    let failed = |entry: &str| {
        let page = pages.iter().find(|page| page["entry"] == entry);
        page.unwrap()["failed"].as_str().unwrap_or_default()
    };
    assert!(
        failed("a.pdf").contains("the page measures 5080 × 5080 mm"),
        "{told}"
    );
    assert!(
        failed("b.pdf").contains("the renderer gave it up"),
        "{told}"
    );
    assert_eq!(failed("c.pdf"), "");
    assert!(site.path("pictures/letters-c-1.png").exists());
}

#[test]
fn what_stands_in_the_place_of_the_mark_is_red_in_the_picture() {
    let site = Site::new();
    let a4 = |content: &str| {
        let page = String::from_utf8(wrong_paper(content)).unwrap();
        page.replace("612 792", "595.276 841.89").into_bytes()
    };
    // Both lack an address, so both are drawn; 14 to 28 points are 5 to 10 mm.
    let letters = batch(&[a4("14 785 14 14 re f"), a4("200 300 14 14 re f")]);
    fs::write(site.path("letters.zip"), letters).unwrap();
    let line = "check letters.zip --overlay pictures --dpi 100";
    let told = schema_holds(&site, "check", line);
    let reds = |file: &str| {
        let picture = Png::read(&fs::read(site.path("pictures").join(file)).unwrap());
        let is_red = |[red, green, blue]: &&[u8; 3]| {
            red.saturating_sub(*green) > 60 && green.abs_diff(*blue) < 40
        };
        picture.pixels.iter().filter(is_red).count()
    };
    assert!(reds("letters-a-1.png") > 500, "{told}");
    assert_eq!(reds("letters-b-1.png"), 0, "{told}");
}

#[test]
fn a_preview_of_a_shared_envelope_has_the_pages_of_all_its_letters() {
    let site = Site::new();
    let settings = fs::read_to_string(site.path("kuori.toml")).unwrap();
    let sharing = settings.replace("hold_first", "household = true\nhold_first");
    fs::write(site.path("kuori.toml"), sharing).unwrap();
    let page = String::from_utf8(wrong_paper("100 300 200 200 re f")).unwrap();
    let page = page.replace("612 792", "595.276 841.89").into_bytes();
    fs::write(site.path("letters.zip"), batch(&[page.clone(), page])).unwrap();
    site.kuori("process letters.zip --config kuori.toml");
    let told = schema_holds(&site, "bundle-preview", "bundle preview P-0001 --piece 1");
    assert_eq!(told["messages"].as_array().unwrap().len(), 2, "{told}");
    // A page of ours in front, as no address is shown; all three have a blank back.
    assert_eq!(told["pages"].as_array().unwrap().len(), 6, "{told}");
    site.done("bundle preview P-0001 --piece 1 --sheet 3 --out last");
}

/// What the process that draws makes of a PDF.
fn drawn(site: &Site, options: &str, pdf: &[u8]) -> std::process::Output {
    let mut child = site
        .command(&format!("render-page {options}"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may end before it has read all.
    let _ = child.stdin.take().unwrap().write_all(pdf);
    child.wait_with_output().unwrap()
}

#[test]
fn the_process_that_draws_is_held_to_its_time_and_memory() {
    let site = Site::new();
    let ordinary = wrong_paper("100 100 200 200 re f");
    let done = drawn(&site, "--width 612 --height 792", &ordinary);
    assert_eq!(done.status.code(), Some(0), "{done:?}");
    let picture = Png::read(&done.stdout);
    assert_eq!((picture.width, picture.height()), (612, 792));
    assert!(picture.black_in([36.0, 175.0, 105.0, 243.0], 72.0) > 190 * 190);

    let refused = drawn(&site, "--width 612 --height 792", b"no PDF");
    assert_eq!(refused.status.code(), Some(1));
    assert_eq!(
        String::from_utf8_lossy(&refused.stderr),
        "error: the renderer cannot read the page\n"
    );

    if cfg!(target_os = "linux") {
        let large = "--width 6120 --height 7920";
        let enough = drawn(&site, &format!("{large} --memory-mib 2048"), &ordinary);
        assert_eq!(enough.status.code(), Some(0));
        let too_little = drawn(&site, &format!("{large} --memory-mib 128"), &ordinary);
        assert_ne!(too_little.status.code(), Some(0));
        let endless = drawn(
            &site,
            "--width 61 --height 79 --processor-secs 1",
            &endless(),
        );
        assert_eq!(endless.status.code(), None, "it was not stopped");
    }
}
