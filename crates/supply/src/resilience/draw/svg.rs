//! A picture as SVG text.

use super::layout::layout;
use std::fmt::Write as _;

/// Characters of a line in a box; longer ones end in `…`, the whole stands in the tooltip.
const LINE_CHARS_MAX: usize = 30;
/// Width of a character, pixels: generous for a sans-serif of 13 pixels.
const CHAR_WIDTH: f64 = 7.2;
const LINE_HEIGHT: f64 = 16.0;
const PADDING: f64 = 9.0;
/// Between columns, where links run.
const COLUMN_GAP: f64 = 70.0;
const ROW_GAP: f64 = 14.0;
const MARGIN: f64 = 12.0;

/// What a box stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// The service whose loss is studied.
    Service,
    /// A gate.
    Gate,
    /// A basic event.
    Event,
    /// A house event.
    House,
}

/// How a box stands out. Never by colour alone: each has a border of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mark {
    /// Not at all.
    #[default]
    None,
    /// Its failure alone stops the service.
    Critical,
    /// Failed in the case shown.
    Failed,
    /// Something that this reader may not know.
    Hidden,
}

/// One box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PictureNode {
    /// First line.
    pub name: String,
    /// Second line; may be empty.
    pub detail: String,
    /// Owner and nation; may be empty.
    pub place: String,
    /// What it stands for.
    pub shape: Shape,
    /// How it stands out.
    pub mark: Mark,
}

/// Boxes and links, ready to be drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// The boxes.
    pub nodes: Vec<PictureNode>,
    /// Links by the boxes' numbers, from what needs to what is needed.
    pub links: Vec<(u32, u32)>,
    /// Nodes that were left out, to be told beside the picture.
    pub left_out: usize,
}

impl Picture {
    /// Draws it. `title` and `description` are for those who do not see it; `id` makes the ids of a page with several pictures differ.
    pub fn svg(&self, id: &str, title: &str, description: &str) -> String {
        let lines: Vec<Vec<String>> = self.nodes.iter().map(PictureNode::lines).collect();
        let heights: Vec<f64> = lines.iter().map(|l| to_f64(l.len()) * LINE_HEIGHT + 2.0 * PADDING - 4.0).collect();
        let layout = layout(&heights, &self.links, ROW_GAP);
        let mut widths = vec![0.0_f64; layout.columns];
        for (i, lines) in lines.iter().enumerate() {
            let chars = lines.iter().map(|l| l.chars().count()).max().unwrap_or(0);
            let column = layout.column[i];
            widths[column] = widths[column].max(to_f64(chars) * CHAR_WIDTH + 2.0 * PADDING);
        }
        let mut left = Vec::with_capacity(widths.len());
        let mut x = MARGIN;
        for width in &widths {
            left.push(x);
            x += width + COLUMN_GAP;
        }
        let (width, height) = ((x - COLUMN_GAP + MARGIN).max(2.0 * MARGIN), layout.height + 2.0 * MARGIN);
        let mut out = String::new();
        let _ = writeln!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" aria-labelledby=\"{id}-title {id}-text\" font-family=\"system-ui, sans-serif\" font-size=\"13\">"
        );
        let _ = writeln!(
            out,
            "<title id=\"{id}-title\">{}</title>\n<desc id=\"{id}-text\">{}</desc>",
            escaped(title),
            escaped(description)
        );
        let _ = writeln!(
            out,
            "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n<g fill=\"none\" stroke=\"#5b6675\" stroke-width=\"1.3\">"
        );
        for (route, link) in layout.routes.iter().zip(&self.links) {
            out.push_str(&path(route, *link, &layout.column, &left, &widths));
        }
        out.push_str("</g>\n");
        for (i, node) in self.nodes.iter().enumerate() {
            let column = layout.column[i];
            node.draw(&lines[i], left[column], MARGIN + layout.y[i], widths[column], heights[i], &mut out);
        }
        out.push_str("</svg>");
        out
    }
}

/// A link as one smooth curve through its bends, with an arrow's head at what is needed.
fn path(route: &[(usize, f64)], link: (u32, u32), column: &[usize], left: &[f64], widths: &[f64]) -> String {
    let (Some(first), Some(last)) = (route.first(), route.last()) else { return String::new() };
    // A link that was turned runs from the right to the left.
    let forward = column[link.0 as usize] <= column[link.1 as usize];
    let right_of = |c: usize| left[c] + widths[c];
    let mut d = String::new();
    let (mut x, mut y) =
        if forward { (right_of(first.0), first.1 + MARGIN) } else { (left[first.0], first.1 + MARGIN) };
    let _ = write!(d, "M{x:.1} {y:.1}");
    for (c, height) in &route[1..] {
        let next_y = height + MARGIN;
        let next_x = if forward { left[*c] } else { right_of(*c) };
        let half = (next_x - x) / 2.0;
        let _ = write!(d, "C{:.1} {y:.1} {:.1} {next_y:.1} {next_x:.1} {next_y:.1}", x + half, next_x - half);
        (x, y) = (next_x, next_y);
        // A bend passes its column straight.
        if (*c, *height) != *last {
            x = if forward { right_of(*c) } else { left[*c] };
            let _ = write!(d, "L{x:.1} {y:.1}");
        }
    }
    let back = if forward { -6.0 } else { 6.0 };
    format!(
        "<path d=\"{d}\"/><path d=\"M{:.1} {:.1}L{x:.1} {y:.1}L{:.1} {:.1}\"/>\n",
        x + back,
        y - 3.5,
        x + back,
        y + 3.5
    )
}

impl PictureNode {
    fn lines(&self) -> Vec<String> {
        [&self.name, &self.detail, &self.place].into_iter().filter(|l| !l.is_empty()).map(|l| shortened(l)).collect()
    }

    fn draw(&self, lines: &[String], x: f64, middle: f64, width: f64, height: f64, out: &mut String) {
        let (fill, stroke, border) = match (self.mark, self.shape) {
            (Mark::Critical, _) => ("#fde7e4", "#a3180b", "stroke-width=\"3\""),
            (Mark::Failed, _) => ("#3d0d08", "#3d0d08", "stroke-width=\"2\""),
            (Mark::Hidden, _) => ("#ececec", "#4a4a4a", "stroke-width=\"1.5\" stroke-dasharray=\"2 4\""),
            (Mark::None, Shape::Service) => ("#e4edf8", "#1d4a7d", "stroke-width=\"3\""),
            (Mark::None, Shape::Gate) => ("#f5f7fa", "#3c4753", "stroke-width=\"1.3\""),
            (Mark::None, Shape::Event) => ("#eef6ec", "#2f5d27", "stroke-width=\"1.3\""),
            (Mark::None, Shape::House) => ("#fff8e0", "#6b5300", "stroke-width=\"1.3\" stroke-dasharray=\"6 3\""),
        };
        let ink = if self.mark == Mark::Failed { "#ffffff" } else { "#10151b" };
        let round = if self.shape == Shape::Event { height / 2.0 } else { 4.0 };
        let y = middle - height / 2.0;
        let whole: Vec<&str> =
            [&self.name, &self.detail, &self.place].into_iter().map(String::as_str).filter(|l| !l.is_empty()).collect();
        let said = match self.mark {
            Mark::None => "",
            Mark::Critical => " (its failure alone stops the service)",
            Mark::Failed => " (failed)",
            Mark::Hidden => " (hidden)",
        };
        let _ = writeln!(out, "<g><title>{}{said}</title>", escaped(&whole.join(" · ")));
        let _ = writeln!(
            out,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"{round:.1}\" fill=\"{fill}\" stroke=\"{stroke}\" {border}/>"
        );
        for (i, line) in lines.iter().enumerate() {
            let weight = if i == 0 { " font-weight=\"600\"" } else { " font-size=\"12\"" };
            let baseline = y + PADDING + 10.0 + to_f64(i) * LINE_HEIGHT;
            let _ = writeln!(
                out,
                "<text x=\"{:.1}\" y=\"{baseline:.1}\" fill=\"{ink}\"{weight}>{}</text>",
                x + PADDING,
                escaped(line)
            );
        }
        out.push_str("</g>\n");
    }
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= LINE_CHARS_MAX {
        return text.to_owned();
    }
    text.chars().take(LINE_CHARS_MAX - 1).chain(['…']).collect()
}

/// Text for XML and HTML, attributes included. Control characters, which XML 1.0 forbids, become blanks.
pub fn escaped(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    plain.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Counts of things drawn are small.
#[allow(clippy::cast_precision_loss)]
fn to_f64(n: usize) -> f64 {
    n as f64
}
