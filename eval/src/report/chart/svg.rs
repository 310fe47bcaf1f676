//! Writing SVG: every text and attribute is escaped, coordinates are short.

use std::fmt::Write;

use super::{Caption, Size};

/// An SVG picture in the making.
pub struct Canvas {
    out: String,
}

/// The text with what HTML and XML read as markup replaced; characters that XML forbids become
/// `U+FFFD`.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' | '\r' => out.push(c),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// A coordinate with at most one decimal, which is finer than a pixel.
pub(super) fn coordinate(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// The `d` of a path through some points.
pub(super) fn polyline(points: impl IntoIterator<Item = (f64, f64)>) -> String {
    let mut out = String::new();
    for (i, (x, y)) in points.into_iter().enumerate() {
        let _ = write!(out, "{}{} {}", if i == 0 { "M" } else { "L" }, coordinate(x), coordinate(y));
    }
    out
}

impl Canvas {
    /// A picture of a size. `data` are attributes for the page's script.
    pub fn new(caption: &Caption, size: Size, height: f64, kind: &str, data: &[(&str, String)]) -> Self {
        let id = escape(&caption.id);
        let mut out = format!(
            "<svg class=\"chart {kind} {}\" viewBox=\"0 0 {} {}\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\"",
            size.class(),
            coordinate(size.width()),
            coordinate(height)
        );
        if let Size::Own(width) = size {
            let _ = write!(out, " width=\"{width}\"");
        }
        for (name, value) in data {
            let _ = write!(out, " {name}=\"{}\"", escape(value));
        }
        let (title, description) = (escape(&caption.title), escape(&caption.description));
        let _ = write!(out, "><title id=\"{id}-t\">{title}</title><desc id=\"{id}-d\">{description}</desc>");
        Self { out }
    }

    /// A group that is not shown where it stands, for pictures that [`Canvas::reuse`] it.
    pub fn definition(id: &str, draw: impl FnOnce(&mut Self)) -> String {
        let out = "<svg class=\"definition\" width=\"0\" height=\"0\" aria-hidden=\"true\">".to_owned();
        let mut canvas = Self { out };
        canvas.group("", &[("id", id.to_owned())], draw);
        canvas.finish()
    }

    /// What was defined under an id, once more.
    pub fn reuse(&mut self, id: &str) {
        let _ = write!(self.out, "<use href=\"#{}\"/>", escape(id));
    }

    /// The finished picture.
    pub fn finish(mut self) -> String {
        self.out.push_str("</svg>\n");
        self.out
    }

    /// A line.
    pub fn line(&mut self, from: (f64, f64), to: (f64, f64), class: &str) {
        let (x1, y1, x2, y2) = (coordinate(from.0), coordinate(from.1), coordinate(to.0), coordinate(to.1));
        let _ = write!(self.out, "<line class=\"{class}\" x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\"/>");
    }

    /// A path, with attributes for the page's script.
    pub fn path(&mut self, d: &str, class: &str, data: &[(&str, String)]) {
        let _ = write!(self.out, "<path class=\"{class}\" d=\"{d}\"");
        for (name, value) in data {
            let _ = write!(self.out, " {name}=\"{}\"", escape(value));
        }
        self.out.push_str("/>");
    }

    /// A disc. What it stands for shows on hover.
    pub fn circle(&mut self, at: (f64, f64), r: f64, class: &str, title: &str) {
        let (x, y, r) = (coordinate(at.0), coordinate(at.1), coordinate(r));
        let _ = write!(self.out, "<circle class=\"{class}\" cx=\"{x}\" cy=\"{y}\" r=\"{r}\"");
        self.close_with_title("circle", title);
    }

    /// A box from its upper left corner. What it stands for shows on hover.
    pub fn rect(&mut self, at: (f64, f64), width: f64, height: f64, class: &str, title: &str) {
        let (x, y) = (coordinate(at.0), coordinate(at.1));
        let (width, height) = (coordinate(width.max(0.0)), coordinate(height.max(0.0)));
        let _ = write!(self.out, "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"");
        self.close_with_title("rect", title);
    }

    /// A picture of pixels at an address, stretched into a box.
    pub fn image(&mut self, address: &str, at: (f64, f64), width: f64, height: f64, class: &str) {
        let (x, y) = (coordinate(at.0), coordinate(at.1));
        let (width, height, address) = (coordinate(width), coordinate(height), escape(address));
        let _ = write!(
            self.out,
            "<image class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" preserveAspectRatio=\"none\" href=\"{address}\"/>"
        );
    }

    /// A square through which a part of a drawing is seen: from `x`, `y` of its own coordinates on,
    /// so wide and so high.
    pub fn window(&mut self, at: (f64, f64), side: f64, part: [f64; 4], draw: impl FnOnce(&mut Self)) {
        let (x, y, side) = (coordinate(at.0), coordinate(at.1), coordinate(side));
        let [left, top, width, height] = part.map(coordinate);
        let _ = write!(
            self.out,
            "<svg x=\"{x}\" y=\"{y}\" width=\"{side}\" height=\"{side}\" viewBox=\"{left} {top} {width} {height}\">"
        );
        draw(self);
        self.out.push_str("</svg>");
    }

    /// Puts what is drawn inside into a group that says what it is on hover.
    pub fn titled(&mut self, title: &str, draw: impl FnOnce(&mut Self)) {
        let _ = write!(self.out, "<g><title>{}</title>", escape(title));
        draw(self);
        self.out.push_str("</g>");
    }

    /// A text; `anchor` is `start`, `middle` or `end`.
    pub fn text(&mut self, at: (f64, f64), anchor: &str, class: &str, text: &str) {
        let (x, y) = (coordinate(at.0), coordinate(at.1));
        let anchor = if anchor == "start" { String::new() } else { format!(" text-anchor=\"{anchor}\"") };
        let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
        let _ = write!(self.out, "<text x=\"{x}\" y=\"{y}\"{anchor}{class}>{}</text>", escape(text));
    }

    /// A text that starts at a place and goes on in a direction, in degrees clockwise.
    pub fn turned_text(&mut self, at: (f64, f64), degrees: f64, text: &str) {
        let (x, y, degrees) = (coordinate(at.0), coordinate(at.1), coordinate(degrees));
        let _ = write!(self.out, "<text transform=\"translate({x} {y})rotate({degrees})\">{}</text>", escape(text));
    }

    /// Puts what is drawn inside into a group.
    pub fn group(&mut self, class: &str, data: &[(&str, String)], draw: impl FnOnce(&mut Self)) {
        let _ = write!(self.out, "<g class=\"{class}\"");
        for (name, value) in data {
            let _ = write!(self.out, " {name}=\"{}\"", escape(value));
        }
        self.out.push('>');
        draw(self);
        self.out.push_str("</g>");
    }

    fn close_with_title(&mut self, tag: &str, title: &str) {
        match title.is_empty() {
            true => self.out.push_str("/>"),
            false => {
                let _ = write!(self.out, "><title>{}</title></{tag}>", escape(title));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_gets_out_of_a_text() {
        let caption =
            Caption { id: "a".to_owned(), title: "</title><script>".to_owned(), description: "\"&'\u{0}".to_owned() };
        let mut canvas = Canvas::new(&caption, Size::Half, 10.0, "lines", &[("data-x", "\"><script>".to_owned())]);
        canvas.text((1.0, 2.25), "end", "", "<script>");
        canvas.circle((0.0, 0.0), 1.0, "dot", "<b>");
        let svg = canvas.finish();
        assert!(!svg.contains("<script>") && !svg.contains("<b>") && !svg.contains('\0'), "{svg}");
        assert!(svg.contains("&lt;script&gt;"));
    }

    #[test]
    fn coordinates_are_short() {
        assert_eq!(coordinate(10.0), "10");
        assert_eq!(coordinate(10.26), "10.3");
        assert_eq!(polyline([(0.0, 1.0), (2.5, 3.0)]), "M0 1L2.5 3");
    }
}
