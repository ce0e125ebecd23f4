//! What can be shown: content in one MIME type or several.

mod base64;

/// A value that says how it is shown. As the last expression of a cell it is shown so, and [`display`](crate::display()) shows it anywhere.
///
/// ```
/// struct Traffic { go: bool }
///
/// impl assay::Show for Traffic {
///     fn mime_bundle(&self) -> assay::Bundle {
///         let colour = if self.go { "green" } else { "red" };
///         assay::Bundle::new().text(colour).html(format!("<b style='color: {colour}'>●</b>"))
///     }
/// }
///
/// assay::display(&Traffic { go: true });
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say how it is shown: it does not implement `assay::Show`",
    note = "`assay::display!(value)` shows any value that is `Debug`",
    note = "`assay::Text`, `Html`, `Markdown`, `Svg`, `Png` and others show ready content"
)]
pub trait Show {
    /// The value in every form that a front end may choose from.
    fn mime_bundle(&self) -> Bundle;
}

impl<T: Show + ?Sized> Show for &T {
    fn mime_bundle(&self) -> Bundle {
        (**self).mime_bundle()
    }
}

impl<T: Show + ?Sized> Show for Box<T> {
    fn mime_bundle(&self) -> Bundle {
        (**self).mime_bundle()
    }
}

impl Show for Bundle {
    fn mime_bundle(&self) -> Bundle {
        self.clone()
    }
}

/// One thing in several forms, of which each front end shows the one that it likes best.
///
/// Give it a [`text`](Self::text) as well: that is what a terminal and a screen reader show.
///
/// ```
/// let table = assay::Bundle::new().text("a 1\nb 2").html("<table><tr><td>a</td><td>1</td></tr></table>");
/// assay::display(&table);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bundle {
    data: Vec<(String, String)>,
    width: Option<u32>,
    height: Option<u32>,
    metadata: Vec<(String, String)>,
}

impl Bundle {
    /// A bundle of nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same bundle with content of the type `mime`, which replaces an earlier one of that type. Content of a JSON type is JSON text.
    #[must_use]
    pub fn with(mut self, mime: impl Into<String>, content: impl Into<String>) -> Self {
        replace(&mut self.data, mime.into(), content.into());
        self
    }

    /// The same bundle with bytes as content of the type `mime`, such as an image's.
    #[must_use]
    pub fn with_bytes(self, mime: impl Into<String>, bytes: impl AsRef<[u8]>) -> Self {
        self.with(mime, base64::encode(bytes.as_ref()))
    }

    /// The same bundle with plain text.
    #[must_use]
    pub fn text(self, text: impl Into<String>) -> Self {
        self.with(TEXT, text)
    }

    /// The same bundle with html.
    #[must_use]
    pub fn html(self, html: impl Into<String>) -> Self {
        self.with(HTML, html)
    }

    /// The same bundle with Markdown.
    #[must_use]
    pub fn markdown(self, markdown: impl Into<String>) -> Self {
        self.with(MARKDOWN, markdown)
    }

    /// The same bundle with LaTeX.
    #[must_use]
    pub fn latex(self, latex: impl Into<String>) -> Self {
        self.with(LATEX, latex)
    }

    /// The same bundle with JSON text. A front end that has both prefers it to html.
    #[must_use]
    pub fn json(self, json: impl Into<String>) -> Self {
        self.with(JSON, json)
    }

    /// The same bundle with a drawing in SVG.
    #[must_use]
    pub fn svg(self, svg: impl Into<String>) -> Self {
        self.with(SVG, svg)
    }

    /// The same bundle with the bytes of a PNG file.
    #[must_use]
    pub fn png(self, bytes: impl AsRef<[u8]>) -> Self {
        self.with_bytes(PNG, bytes)
    }

    /// The same bundle with the bytes of a JPEG file.
    #[must_use]
    pub fn jpeg(self, bytes: impl AsRef<[u8]>) -> Self {
        self.with_bytes(JPEG, bytes)
    }

    /// The same bundle with its images this many pixels wide.
    #[must_use]
    pub fn width(mut self, pixels: u32) -> Self {
        self.width = Some(pixels);
        self
    }

    /// The same bundle with its images this many pixels high.
    #[must_use]
    pub fn height(mut self, pixels: u32) -> Self {
        self.height = Some(pixels);
        self
    }

    /// The same bundle with something said about it, as JSON text. Front ends look below a MIME type, extensions below keys of their own.
    #[must_use]
    pub fn metadata(mut self, key: impl Into<String>, json: impl Into<String>) -> Self {
        replace(&mut self.metadata, key.into(), json.into());
        self
    }

    /// Contents by MIME type: bytes in base64, everything else as text.
    pub(crate) fn contents(&self) -> &[(String, String)] {
        &self.data
    }

    /// What is said about it, as JSON by key.
    pub(crate) fn all_metadata(&self) -> Vec<(String, String)> {
        let sizes = [("width", self.width), ("height", self.height)];
        let sizes: Vec<_> =
            sizes.iter().filter_map(|(name, size)| Some(format!("\"{name}\":{}", (*size)?))).collect();
        let images = self.data.iter().filter(|(mime, _)| mime.starts_with("image/") && !sizes.is_empty());
        let mut all: Vec<_> =
            images.map(|(mime, _)| (mime.clone(), format!("{{{}}}", sizes.join(",")))).collect();
        self.metadata.iter().for_each(|(key, json)| replace(&mut all, key.clone(), json.clone()));
        all
    }

    /// What a terminal shows: the plain text, or else what comes nearest to it.
    pub(crate) fn plain(&self) -> String {
        let get = |wanted: &str| self.data.iter().find(|(mime, _)| mime == wanted).map(|(_, text)| text);
        let readable = [TEXT, MARKDOWN, LATEX, JSON].into_iter().find_map(get);
        readable.cloned().unwrap_or_else(|| {
            let types: Vec<_> = self.data.iter().map(|(mime, _)| mime.as_str()).collect();
            format!("<{}>", types.join(", "))
        })
    }
}

fn replace(pairs: &mut Vec<(String, String)>, key: String, value: String) {
    match pairs.iter_mut().find(|(before, _)| *before == key) {
        Some((_, before)) => *before = value,
        None => pairs.push((key, value)),
    }
}

const TEXT: &str = "text/plain";
const HTML: &str = "text/html";
const MARKDOWN: &str = "text/markdown";
const LATEX: &str = "text/latex";
const JSON: &str = "application/json";
const SVG: &str = "image/svg+xml";
const PNG: &str = "image/png";
const JPEG: &str = "image/jpeg";

/// Content that is text: a type for each.
macro_rules! text {
    ($($(#[$documentation:meta])* $name:ident = $first:ident $($other:ident)*;)*) => { $(
        $(#[$documentation])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name<T: AsRef<str>>(pub T);

        impl<T: AsRef<str>> Show for $name<T> {
            fn mime_bundle(&self) -> Bundle {
                Bundle::new().$first(self.0.as_ref()) $(.$other(self.0.as_ref()))*
            }
        }
    )* };
}

text! {
    /// Plain text, shown as it is: `assay::Text("no quotation marks")`.
    Text = text;
    /// Html: `assay::Html("<b>bold</b>")`. An untrusted notebook shows it without scripts and style sheets.
    Html = html;
    /// Markdown: ``assay::Markdown("**bold** and `code`")``.
    Markdown = markdown text;
    /// LaTeX: `assay::Latex(r"$\frac{1}{2}$")`.
    Latex = latex text;
    /// JSON text, shown as a tree that can be folded: `assay::Json(value.to_string())`.
    Json = json text;
    /// A drawing in SVG. It has a [`width`](Svg::width) and a [`height`](Svg::height) if it is given one.
    Svg = svg;
}

/// Content that is bytes.
macro_rules! bytes {
    ($($(#[$documentation:meta])* $name:ident = $kind:ident;)*) => { $(
        $(#[$documentation])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name<T: AsRef<[u8]>>(pub T);

        impl<T: AsRef<[u8]>> Show for $name<T> {
            fn mime_bundle(&self) -> Bundle {
                Bundle::new().$kind(self.0.as_ref())
            }
        }
    )* };
}

bytes! {
    /// The bytes of a PNG file: `assay::Png(std::fs::read("plot.png")?)`. It is as large as its pixels unless it is given a
    /// [`width`](Png::width) or a [`height`](Png::height).
    Png = png;
    /// The bytes of a JPEG file, see [`Png`].
    Jpeg = jpeg;
}

/// Images have a size.
macro_rules! sized {
    ($($name:ident: $content:ty),*) => { $(
        impl<T: AsRef<$content>> $name<T> {
            /// The image this many pixels wide.
            #[must_use]
            pub fn width(&self, pixels: u32) -> Bundle {
                self.mime_bundle().width(pixels)
            }

            /// The image this many pixels high.
            #[must_use]
            pub fn height(&self, pixels: u32) -> Bundle {
                self.mime_bundle().height(pixels)
            }
        }
    )* };
}

sized! { Svg: str, Png: [u8], Jpeg: [u8] }

#[cfg(test)]
mod tests;
