use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use hayro::{
    RenderCache, RenderSettings,
    hayro_interpret::{InterpreterSettings, InterpreterWarning, util::TransformExt},
    hayro_syntax::{Pdf, page::Page},
    kurbo::Affine,
    vello_cpu::{
        Pixmap, RasterizerSettings, RenderContext, Resources, TargetInit,
        color::palette::css::WHITE,
    },
};

use super::{Error, Picture, Size};

/// A page, drawn.
pub struct Rendered {
    pub picture: Picture,
    /// What is on the page and not in the picture.
    pub lacks: Vec<Lack>,
}

/// What the renderer could not draw. A press may be able to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lack {
    Font,
    Image,
}

impl Lack {
    pub const ALL: [Self; 2] = [Self::Font, Self::Image];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Font => "text in a font that the renderer cannot read",
            Self::Image => "a picture that the renderer cannot read",
        }
    }
}

/// Draws the first page of a PDF on white. The annotations are drawn that a reader would print.
///
/// Memory and time are the page's choice, and a bad one may end the process: see the room's head.
///
/// # Errors
///
/// [`Error::Unreadable`] where there is no page.
pub fn render(pdf: Vec<u8>, size: Size) -> Result<Rendered, Error> {
    let pdf = Pdf::new(pdf).map_err(|_| Error::Unreadable)?;
    let page = pdf.pages().first().ok_or(Error::Unreadable)?;
    let warnings = Warnings::default();
    let pixmap = rasterize(page, size, &warnings.settings());
    let pixels = pixmap
        .data()
        .iter()
        .flat_map(|pixel| [pixel.r, pixel.g, pixel.b]);
    Ok(Rendered {
        picture: Picture::of(size, pixels.collect()),
        lacks: warnings.lacks(),
    })
}

fn rasterize<'a>(page: &'a Page<'a>, size: Size, settings: &InterpreterSettings) -> Pixmap {
    let (width, height) = page.render_dimensions();
    let mut context = RenderContext::new(size.width, size.height);
    let scale = Affine::scale_non_uniform(
        f64::from(size.width) / f64::from(width),
        f64::from(size.height) / f64::from(height),
    );
    hayro::render_into(
        page,
        &RenderCache::new(),
        settings,
        &RenderSettings::default(),
        &mut context,
        scale * page.initial_transform(true).to_kurbo(),
    );
    context.flush();
    let mut pixmap = Pixmap::new(size.width, size.height);
    let on_white = RasterizerSettings {
        target_init: TargetInit::Clear(WHITE),
        ..RasterizerSettings::default()
    };
    context.render_with(&mut pixmap, &mut Resources::default(), on_white);
    pixmap
}

/// Hears what the renderer could not draw.
#[derive(Default)]
struct Warnings {
    font: Arc<AtomicBool>,
    image: Arc<AtomicBool>,
}

impl Warnings {
    fn settings(&self) -> InterpreterSettings {
        let (font, image) = (Arc::clone(&self.font), Arc::clone(&self.image));
        let sink = move |warning| match warning {
            InterpreterWarning::UnsupportedFont => font.store(true, Ordering::Relaxed),
            InterpreterWarning::ImageDecodeFailure => image.store(true, Ordering::Relaxed),
            _ => {}
        };
        InterpreterSettings {
            warning_sink: Arc::new(sink),
            ..InterpreterSettings::default()
        }
    }

    fn lacks(&self) -> Vec<Lack> {
        let heard = [(&self.font, Lack::Font), (&self.image, Lack::Image)];
        let heard = heard
            .into_iter()
            .filter(|(is_so, _)| is_so.load(Ordering::Relaxed));
        heard.map(|(_, lack)| lack).collect()
    }
}
