//! A picture of throughput against sample size, as SVG.

use std::iter;

use crate::Means;
use crate::turns::Timed;

/// Draws a panel for each group of cases, with a line for each means. Both axes are logarithmic.
#[must_use]
pub fn svg(timed: &[Timed]) -> String {
    let series = series();
    let mut lines = vec![
        format!(r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}""#),
        format!(r#"     font-family="sans-serif" font-size="13" fill="{INK}">"#),
        format!(r#"<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>"#),
    ];
    for (at, cases) in timed.chunk_by(|a, b| a.case.group == b.case.group).enumerate() {
        let panel = Panel { left: MARGIN + at as f64 * (PANEL_WIDTH + MARGIN), cases };
        panel.draw_axes(&mut lines);
        series.iter().for_each(|series| panel.draw_line(series, &mut lines));
    }
    draw_legend(&series, &mut lines);
    lines.push("</svg>\n".to_owned());
    lines.join("\n")
}

/// How some means are drawn.
struct Series {
    name: String,
    color: &'static str,
    /// Of `stroke-dasharray`. Lines of peers are broken.
    dashes: &'static str,
}

fn series() -> Vec<Series> {
    let mut ours = OURS.iter().cycle();
    let mut peers = PEERS.iter().cycle();
    let draw = |means: Means| {
        let is_ours = matches!(means, Means::Batch(_));
        let (colors, dashes) = if is_ours { (&mut ours, "none") } else { (&mut peers, "6 3") };
        let color = colors.next().map_or("black", |color| color);
        Series { name: means.to_string(), color, dashes }
    };
    let means = Means::all().filter(|means| !matches!(means, Means::OneByOne(_)));
    let bound = Series { name: Timed::BOUND.to_owned(), color: "black", dashes: "1.5 3" };
    means.map(draw).chain(iter::once(bound)).collect()
}

/// The cases of a group, by size.
struct Panel<'a> {
    left: f64,
    cases: &'a [Timed],
}

impl Panel<'_> {
    fn draw_axes(&self, lines: &mut Vec<String>) {
        let (left, right) = (self.left, self.left + PANEL_WIDTH);
        let title = self.cases.first().map_or("", |timed| &timed.case.group);
        lines.push(text(
            (left, TOP - 14.0),
            "start",
            &format!("<tspan font-weight=\"bold\">{title}</tspan>, GB/s"),
        ));
        for rate in (0..=5).map(|power| f64::from(1 << power)) {
            let y = y(rate);
            lines.push(line((left, y), (right, y), "#ddd"));
            lines.push(text((left - 8.0, y + 4.5), "end", &rate.to_string()));
        }
        for (at, timed) in self.cases.iter().enumerate() {
            let x = self.x(at);
            lines.push(line((x, BOTTOM), (x, BOTTOM + 5.0), INK));
            lines.push(text((x, BOTTOM + 20.0), "middle", &timed.case.name));
        }
        lines.push(line((left, BOTTOM), (right, BOTTOM), INK));
        lines.push(text(((left + right) / 2.0, BOTTOM + 40.0), "middle", "size of the sample"));
    }

    fn draw_line(&self, series: &Series, lines: &mut Vec<String>) {
        let Series { name, color, dashes } = series;
        let points = self
            .cases
            .iter()
            .enumerate()
            .filter_map(|(at, timed)| Some((self.x(at), y(timed.rate(name)? / 1e9))));
        let points: Vec<_> = points.collect();
        let list: Vec<_> = points.iter().map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
        lines.push(stroke(&format!("M{}", list.join("L")), color, dashes));
        if name != Timed::BOUND {
            lines.extend(points.into_iter().map(|point| dot(point, color)));
        }
    }

    fn x(&self, at: usize) -> f64 {
        self.left + (at as f64 + 0.5) / self.cases.len() as f64 * PANEL_WIDTH
    }
}

fn draw_legend(series: &[Series], lines: &mut Vec<String>) {
    let step = (WIDTH - 2.0 * MARGIN) / series.len() as f64;
    for (at, Series { name, color, dashes }) in series.iter().enumerate() {
        let (x, y) = (MARGIN + at as f64 * step, HEIGHT - 20.0);
        lines.push(stroke(&format!("M{x:.1} {y:.1}h26"), color, dashes));
        if name != Timed::BOUND {
            lines.push(dot((x + 13.0, y), color));
        }
        lines.push(text((x + 32.0, y + 4.5), "start", name));
    }
}

/// The height of a rate in GB/s. Doubling it is the same step everywhere.
fn y(rate: f64) -> f64 {
    BOTTOM - rate.max(LEAST).log2() * (BOTTOM - TOP) / MOST.log2()
}

/// The line of some means.
fn stroke(path: &str, color: &str, dashes: &str) -> String {
    let style = format!(r#"stroke-width="2" stroke-dasharray="{dashes}""#);
    format!(r#"<path d="{path}" fill="none" stroke="{color}" {style}/>"#)
}

fn line((x1, y1): (f64, f64), (x2, y2): (f64, f64), color: &str) -> String {
    format!(r#"<path d="M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}" stroke="{color}"/>"#)
}

fn dot((x, y): (f64, f64), color: &str) -> String {
    format!(r#"<circle cx="{x:.1}" cy="{y:.1}" r="3.5" fill="{color}"/>"#)
}

fn text((x, y): (f64, f64), anchor: &str, text: &str) -> String {
    format!(r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{text}</text>"#)
}

/// Colors of kernels, fastest first.
const OURS: &[&str] = &["#0b4f8a", "#1f8fd6", "#1a936f", "#7a7a7a"];
/// Colors of peers.
const PEERS: &[&str] = &["#d1495b", "#e58a00", "#8e44ad"];
const INK: &str = "#222";
const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 460.0;
/// Left of a panel, and right of the last one.
const MARGIN: f64 = 40.0;
const PANEL_WIDTH: f64 = (WIDTH - 3.0 * MARGIN) / 2.0;
const TOP: f64 = 45.0;
const BOTTOM: f64 = 370.0;
/// GB/s at the bottom of a panel.
const LEAST: f64 = 1.0;
/// GB/s at its top.
const MOST: f64 = 32.0;
