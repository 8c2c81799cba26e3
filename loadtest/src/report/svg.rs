//! Drawings as text. Colours are classes, so that the page decides them for light and dark.

/// A text that stands for itself in HTML and SVG, in elements and in quoted attributes.
pub(super) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            // No other control character may stand in XML at all.
            c if c.is_control() && !matches!(c, '\t' | '\n') => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

/// A place on the drawing, in its own units; y grows downwards.
pub(super) type Point = (f64, f64);

/// A drawing that grows.
pub(super) struct Svg {
    width: f64,
    height: f64,
    body: String,
}

/// Where a text ends up around its point.
#[derive(Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

impl Svg {
    pub(super) fn new(width: f64, height: f64) -> Self {
        Self { width, height, body: String::new() }
    }

    pub(super) fn line(&mut self, class: &str, from: Point, to: Point) {
        let ((x1, y1), (x2, y2)) = (from, to);
        self.add(&format!(
            "<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>"
        ));
    }

    /// A box from its upper left corner; `tip` is shown to whoever points at it.
    pub(super) fn rect(&mut self, class: &str, at: Point, size: Point, tip: &str) {
        let ((x, y), (width, height), tip) = (at, size, escape(tip));
        self.add(&format!(
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\">\
             <title>{tip}</title></rect>"
        ));
    }

    pub(super) fn dot(&mut self, class: &str, at: Point, tip: &str) {
        let ((x, y), tip) = (at, escape(tip));
        self.add(&format!(
            "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"><title>{tip}</title></circle>"
        ));
    }

    pub(super) fn path(&mut self, class: &str, points: &[Point]) {
        let points: Vec<_> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        self.add(&format!("<polyline class=\"{class}\" points=\"{}\"/>", points.join(" ")));
    }

    pub(super) fn text(&mut self, class: &str, anchor: Anchor, at: Point, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let ((x, y), text) = (at, escape(text));
        self.add(&format!(
            "<text class=\"{class}\" text-anchor=\"{anchor}\" x=\"{x:.1}\" y=\"{y:.1}\">{text}</text>"
        ));
    }

    /// The element; `label` says to those who cannot see it what it shows.
    pub(super) fn finish(self, label: &str) -> String {
        let Self { width, height, body } = self;
        let label = escape(label);
        format!("<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{label}\">\n{body}</svg>\n")
    }

    fn add(&mut self, element: &str) {
        self.body.push_str(element);
        self.body.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_meaning_in_markup_is_escaped() {
        assert_eq!(escape("a<b & \"c\">'d'"), "a&lt;b &amp; &quot;c&quot;&gt;&#39;d&#39;");
        assert_eq!(escape("a\u{0}b\u{1b}[31m\tc\nd"), "a\u{fffd}b\u{fffd}[31m\tc\nd");
    }

    #[test]
    fn texts_cannot_leave_their_element() {
        let mut svg = Svg::new(10.0, 10.0);
        svg.text("axis", Anchor::End, (1.0, 2.0), "</text><script>");
        svg.rect("hub", (0.0, 0.0), (1.0, 1.0), "<b>");
        svg.dot("hub", (0.0, 0.0), "<i>");
        let text = svg.finish("\"><script>");
        assert!(!text.contains("<script>") && !text.contains("<b>") && !text.contains("<i>"), "{text}");
    }
}
