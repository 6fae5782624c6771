//! Merges the PDFs of a folder with lopdf, nothing more, as `peers/compose.sh` has other programs do:
//! `cargo bench --bench merge_with_lopdf -- FOLDER OUT.pdf`.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench that cannot read its input ends here, and it says what it wants"
)]

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use lopdf::{Document, Object, ObjectId, dictionary};

fn main() {
    let arguments = env::args().skip(1).filter(|argument| argument != "--bench");
    let arguments: Vec<_> = arguments.map(PathBuf::from).collect();
    match arguments.as_slice() {
        [folder, out] => merge(folder, out),
        _ => println!("merge_with_lopdf: name a folder of PDFs and a file: -- FOLDER OUT.pdf"),
    }
}

fn merge(folder: &Path, out: &Path) {
    let mut merged = Document::with_version("1.7");
    let tree = merged.new_object_id();
    let mut pages = Vec::new();
    for path in pdfs(folder) {
        let mut letter = Document::load(path).unwrap();
        letter.renumber_objects_with(merged.max_id + 1);
        merged.max_id = letter.max_id;
        pages.extend(letter.get_pages().into_values());
        merged.objects.extend(letter.objects);
    }
    write(merged, tree, &pages, out);
}

fn pdfs(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).unwrap();
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    paths
}

/// One flat page tree over all pages; what a page inherits from its old tree is set on it.
fn write(mut merged: Document, tree: ObjectId, pages: &[ObjectId], out: &Path) {
    for page in pages {
        for key in [&b"MediaBox"[..], b"CropBox", b"Resources", b"Rotate"] {
            if let Some(value) = inherited(&merged, *page, key) {
                merged.get_dictionary_mut(*page).unwrap().set(key, value);
            }
        }
    }
    for page in pages {
        let page = merged.get_dictionary_mut(*page).unwrap();
        page.set("Parent", Object::Reference(tree));
    }
    let kids: Vec<Object> = pages.iter().map(|page| Object::Reference(*page)).collect();
    let count = i64::try_from(kids.len()).unwrap();
    let pages = dictionary! { "Type" => "Pages", "Kids" => kids, "Count" => count };
    merged.objects.insert(tree, pages.into());
    let catalog = merged.add_object(dictionary! { "Type" => "Catalog", "Pages" => tree });
    merged.trailer.set("Root", catalog);
    merged.save(out).unwrap();
}

fn inherited(document: &Document, page: ObjectId, key: &[u8]) -> Option<Object> {
    let mut node = document.get_dictionary(page).ok()?;
    loop {
        if let Ok(value) = node.get(key) {
            return Some(value.clone());
        }
        let parent = node.get(b"Parent").ok()?.as_reference().ok()?;
        node = document.get_dictionary(parent).ok()?;
    }
}
