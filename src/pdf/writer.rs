//! The new file: senders' pages and blank ones, with what is laid over them.

use std::io::{self, Write};

use super::annotations::{Flattened, Lost};
use super::copier::Copier;
use super::fragment::{Attached, Body, FragmentPage, Wrapped};
use super::layers::LayerState;
use super::loose_ends::LooseEnds;
use super::output::Output;
use super::overlay::{SAVE_STATE, annotations_placed};
use super::parts::Parts;
use super::tree_writer::TreeWriter;
use super::{Fragment, Overlay, PageGeometry, PartValue, PdfVersion, metadata};

/// What the new file says about itself. The same settings and input give the same bytes.
#[derive(Debug, Clone)]
pub struct WriterSettings {
    pub title: String,
    pub producer: String,
    pub created: jiff::Timestamp,
    /// The file identifier in the trailer.
    pub id: [u8; 16],
    /// Whether pages are grouped into document parts (ISO 16612-2). Each page must then stand
    /// in a part.
    pub document_parts: bool,
    pub version: PdfVersion,
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finished {
    pub pages: u32,
    pub bytes: u64,
}

/// Streams a PDF: objects are written as soon as they are numbered, in blocks of 64 KiB or
/// more. Memory is the offsets, the page numbers and the digests of what may be shared.
pub struct Writer<W: Write> {
    output: Output<W>,
    settings: WriterSettings,
    copier: Copier,
    tree: TreeWriter,
    parts: Option<Parts>,
    /// Object number of the stream before content that is laid over, once there is one.
    save_state: Option<u32>,
    /// Object number of the stream that draws a form which leaves nothing open, once there is one.
    draw_form: Option<u32>,
}

impl<W: Write> Writer<W> {
    pub fn new(out: W, settings: &WriterSettings) -> io::Result<Self> {
        let mut output = Output::new(out);
        output.put(settings.version.header());
        let parts = settings.document_parts.then(|| Parts::new(&mut output));
        Ok(Self {
            parts: parts.transpose()?,
            output,
            settings: settings.clone(),
            copier: Copier::default(),
            tree: TreeWriter::default(),
            save_state: None,
            draw_form: None,
        })
    }

    /// Begins a document part, one a piece; does nothing unless the settings ask for parts.
    pub fn begin_part(&mut self, metadata: &[(&str, PartValue<'_>)]) -> io::Result<()> {
        let Some(parts) = &mut self.parts else {
            return Ok(());
        };
        parts.begin(self.output.reserve()?, metadata)
    }

    /// Writes the pages of a fragment. `overlay` is asked for each page, counted from 0.
    pub fn add_fragment(
        &mut self,
        fragment: &Fragment<'_>,
        overlay: &mut dyn FnMut(u32) -> Option<Overlay>,
    ) -> io::Result<()> {
        self.copier.begin_fragment();
        for (index, page) in (0..).zip(&fragment.pages) {
            self.add_page(fragment, page, overlay(index).as_ref())?;
        }
        Ok(())
    }

    /// Writes an empty A4 page.
    pub fn add_blank_page(&mut self, overlay: Option<Overlay>) -> io::Result<()> {
        let contents = match overlay {
            Some(overlay) => self.drawn_over(Vec::new(), &[overlay.placed(&A4)])?,
            None => Vec::new(),
        };
        self.write_page(&A4, &PageResources::None, None, &contents)
    }

    /// Ends the document part that was begun last.
    pub fn end_part(&mut self) -> io::Result<()> {
        match &mut self.parts {
            Some(parts) => parts.end(&mut self.output),
            None => Ok(()),
        }
    }

    /// Pages written so far.
    pub fn pages(&self) -> u32 {
        self.tree.pages()
    }

    /// Writes what stands at the end of the file, flushes, and gives the output back.
    pub fn finish(mut self) -> io::Result<(W, Finished)> {
        let pages = self.pages();
        let parts = match self.parts.take() {
            Some(parts) => Some(parts.finish(&mut self.output)?),
            None => None,
        };
        let tree = self.tree.finish(&mut self.output)?;
        let output = &mut self.output;
        let packet = output.reserve()?;
        let entries = b"/Type/Metadata/Subtype/XML";
        output.stream_object(packet, entries, metadata::packet(&self.settings).as_bytes())?;
        let information = if self.settings.version.has_information() {
            Some(write_information(output, &self.settings)?)
        } else {
            None
        };
        let layers = self.copier.layers();
        let catalog = write_catalog(output, [Some(tree), Some(packet), parts], layers)?;
        let trailer = trailer(catalog, information, self.settings.id);
        let (out, bytes) = self.output.finish(trailer.as_bytes())?;
        Ok((out, Finished { pages, bytes }))
    }

    fn add_page(
        &mut self,
        fragment: &Fragment<'_>,
        page: &FragmentPage,
        overlay: Option<&Overlay>,
    ) -> io::Result<()> {
        let annotations = page.annotations.as_ref();
        let drawn = match &page.body {
            Body::Wrapped(wrapped) => self.drawn_as_form(wrapped, annotations, fragment)?,
            Body::AsItStands {
                resources,
                group,
                contents,
            } => {
                let resources = self.page_resources(resources.as_ref(), annotations, fragment)?;
                self.drawn_as_it_stands(resources, group.as_ref(), contents, fragment)?
            }
        };
        self.copier.write_due(fragment, &mut self.output)?;
        let annotations = annotations
            .map(|annotations| annotations_placed(&annotations.operators, overlay.is_some()));
        let overlay = overlay.map(|overlay| overlay.placed(&page.geometry));
        let over: Vec<_> = annotations.into_iter().chain(overlay).collect();
        let contents = self.drawn_over(drawn.contents, &over)?;
        self.write_page(&page.geometry, &drawn.resources, drawn.group, &contents)
    }

    fn page_resources(
        &mut self,
        resources: Option<&Attached>,
        annotations: Option<&Flattened>,
        fragment: &Fragment<'_>,
    ) -> io::Result<PageResources> {
        let (copier, output) = (&mut self.copier, &mut self.output);
        let resources = match (annotations, resources) {
            (Some(annotations), _) => copier.place_resources(annotations, fragment, output)?,
            (None, Some(resources)) => copier.place_attached(resources, fragment, output)?,
            (None, None) => None,
        };
        Ok(resources.map_or(PageResources::None, PageResources::Object))
    }

    fn drawn_as_it_stands(
        &mut self,
        resources: PageResources,
        group: Option<&Attached>,
        contents: &[u32],
        fragment: &Fragment<'_>,
    ) -> io::Result<PageParts> {
        let (copier, output) = (&mut self.copier, &mut self.output);
        let group = match group {
            Some(group) => copier.place_attached(group, fragment, output)?,
            None => None,
        };
        let mut placed = Vec::with_capacity(contents.len() + 2);
        for number in contents {
            placed.extend(copier.place(*number, fragment, output)?);
        }
        Ok(PageParts {
            resources,
            group,
            contents: placed,
        })
    }

    /// The form brings its resources along.
    fn drawn_as_form(
        &mut self,
        wrapped: &Wrapped,
        annotations: Option<&Flattened>,
        fragment: &Fragment<'_>,
    ) -> io::Result<PageParts> {
        let (copier, output) = (&mut self.copier, &mut self.output);
        let mut names = match annotations {
            Some(annotations) => copier.place_appearances(annotations, fragment, output)?,
            None => Vec::new(),
        };
        let mut parts = PageParts::default();
        if let Some(group) = &wrapped.group {
            parts.group = copier.place_attached(group, fragment, output)?;
        }
        if let Some(form) = &wrapped.form {
            let form = copier.place_form(form, fragment, output)?;
            names.extend_from_slice(&[b"/", FORM, b" "].concat());
            write!(names, "{form} 0 R")?;
            parts.contents.push(self.draw_form(wrapped.loose_ends)?);
        }
        if !names.is_empty() {
            parts.resources = PageResources::Forms(names);
        }
        Ok(parts)
    }

    fn draw_form(&mut self, loose_ends: LooseEnds) -> io::Result<u32> {
        let is_common = loose_ends == LooseEnds::default();
        if let Some(number) = self.draw_form.filter(|_| is_common) {
            return Ok(number);
        }
        let number = self.output.reserve()?;
        let drawing = [b"q /", FORM, b" Do ", &loose_ends.closing(), b"Q\n"].concat();
        self.output.stream_object(number, b"", &drawing)?;
        if is_common {
            self.draw_form = Some(number);
        }
        Ok(number)
    }

    /// The content streams with others after them that undo the sender's changes of state.
    fn drawn_over(&mut self, contents: Vec<u32>, over: &[Vec<u8>]) -> io::Result<Vec<u32>> {
        if over.is_empty() {
            return Ok(contents);
        }
        let mut all = Vec::with_capacity(1 + contents.len() + over.len());
        all.push(self.save_state()?);
        all.extend(contents);
        for content in over {
            let number = self.output.reserve()?;
            self.output.stream_object(number, b"", content)?;
            all.push(number);
        }
        Ok(all)
    }

    fn save_state(&mut self) -> io::Result<u32> {
        if let Some(number) = self.save_state {
            return Ok(number);
        }
        let number = self.output.reserve()?;
        self.output.stream_object(number, b"", SAVE_STATE)?;
        self.save_state = Some(number);
        Ok(number)
    }

    fn write_page(
        &mut self,
        geometry: &PageGeometry,
        resources: &PageResources,
        group: Option<u32>,
        contents: &[u32],
    ) -> io::Result<()> {
        let output = &mut self.output;
        let page = output.reserve()?;
        let parent = self.tree.take_page(page, output)?;
        let part = self.parts.as_mut().map(|parts| parts.take_page(page));
        output.begin(page)?;
        output.put(b"<</Type/Page/Parent ");
        output.reference(parent);
        put_geometry(output.buffer(), geometry)?;
        put_entry(output, b"/Group ", group);
        put_entry(output, b"/DPart ", part.transpose()?);
        resources.put(output);
        output.put(b"/Contents[");
        for content in contents {
            output.reference(*content);
            output.put(b" ");
        }
        output.put(b"]>>");
        output.end();
        Ok(())
    }
}

/// What a page is written with.
#[derive(Default)]
struct PageParts {
    resources: PageResources,
    group: Option<u32>,
    contents: Vec<u32>,
}

/// By their numbers in the new file.
#[derive(Default)]
enum PageResources {
    #[default]
    None,
    Object(u32),
    /// Forms that are all the page draws: names with references.
    Forms(Vec<u8>),
}

/// The name of the form that a page is wrapped in: nothing but it and annotations are on that page.
const FORM: &[u8] = b"Page";

impl PageResources {
    fn put<W: Write>(&self, output: &mut Output<W>) {
        output.put(b"/Resources");
        match self {
            Self::None => output.put(b"<<>>"),
            Self::Object(number) => {
                output.put(b" ");
                output.reference(*number);
            }
            Self::Forms(names) => {
                output.put(b"<</XObject<<");
                output.put(names);
                output.put(b">>>>");
            }
        }
    }
}

/// A blank page.
const A4: PageGeometry = PageGeometry {
    visible: [0.0, 0.0, 595.276, 841.89],
    rotate: 0,
    user_unit: 1.0,
    lost: Lost::NONE,
};

/// What is seen is all there is: the crop box is left out, and the media box made as small.
fn put_geometry(out: &mut Vec<u8>, geometry: &PageGeometry) -> io::Result<()> {
    let [left, bottom, right, top] = geometry.visible;
    for name in ["MediaBox", "TrimBox"] {
        write!(out, "/{name}[{left} {bottom} {right} {top}]")?;
    }
    if geometry.rotate != 0 {
        write!(out, "/Rotate {}", geometry.rotate)?;
    }
    #[expect(clippy::float_cmp, reason = "1 is what is meant when nothing is said")]
    if geometry.user_unit != 1.0 {
        write!(out, "/UserUnit {}", geometry.user_unit)?;
    }
    Ok(())
}

fn put_entry<W: Write>(output: &mut Output<W>, key: &[u8], value: Option<u32>) {
    if let Some(number) = value {
        output.put(key);
        output.reference(number);
    }
}

fn write_information<W: Write>(
    output: &mut Output<W>,
    settings: &WriterSettings,
) -> io::Result<u32> {
    let information = output.reserve()?;
    output.begin(information)?;
    output.put(&metadata::information(settings));
    output.end();
    Ok(information)
}

fn write_catalog<W: Write>(
    output: &mut Output<W>,
    [tree, metadata, parts]: [Option<u32>; 3],
    layers: &[(u32, LayerState)],
) -> io::Result<u32> {
    let catalog = output.reserve()?;
    output.begin(catalog)?;
    output.put(b"<</Type/Catalog");
    put_entry(output, b"/Pages ", tree);
    put_entry(output, b"/Metadata ", metadata);
    put_entry(output, b"/DPartRoot ", parts);
    if !layers.is_empty() {
        put_layers(output, layers);
    }
    output.put(b">>");
    output.end();
    Ok(catalog)
}

/// Each layer of the senders' files in the state that it has in print (ISO 32000-1, 8.11.4).
fn put_layers<W: Write>(output: &mut Output<W>, layers: &[(u32, LayerState)]) {
    output.put(b"/OCProperties<</OCGs[");
    for (number, _) in layers {
        output.reference(*number);
        output.put(b" ");
    }
    output.put(b"]/D<</Name(Print)/BaseState/ON/OFF[");
    let is_hidden = |(_, state): &&(u32, LayerState)| *state == LayerState::Hidden;
    for (number, _) in layers.iter().filter(is_hidden) {
        output.reference(*number);
        output.put(b" ");
    }
    output.put(b"]>>>>");
}

fn trailer(catalog: u32, information: Option<u32>, id: [u8; 16]) -> String {
    let id = u128::from_be_bytes(id);
    let information = information.map(|number| format!("/Info {number} 0 R"));
    let information = information.unwrap_or_default();
    format!("/Root {catalog} 0 R{information}/ID[<{id:032X}><{id:032X}>]")
}
