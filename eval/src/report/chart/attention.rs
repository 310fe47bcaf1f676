//! Attention as pictures: a heat map of one head, and the lines between two columns of words of
//! Figures 3 to 5 of Vaswani et al. ("Attention is all you need", 2017).

use super::svg::{Canvas, coordinate};
use super::{Caption, Size, shortened, text_width};

/// The side of a cell of a heat map.
const CELL: f64 = 14.0;
/// Room for the labels of a heat map, at most.
const LONGEST: f64 = 82.0;
/// Labels are set a little smaller than ticks.
const SMALL: f64 = 11.0 / 12.0;
/// Words of the columns are set a little larger.
const LARGE: f64 = 13.0 / 12.0;
/// The height of a word in the columns.
const LINE: f64 = 20.0;
/// The width of the columns with the room between them.
const COLUMNS: u16 = 340;
/// Room for the words of a column.
const WORD: f64 = 104.0;
/// Lines below this weight are left out, in hundredths: they would only make the page heavy.
const FAINTEST: u8 = 8;
/// Steps of opacity and width of the lines.
const STEPS: u8 = 5;

/// The weights of a head, a row for each token that looks, in hundredths.
pub type Weights = [Vec<u8>];

/// The tokens beside and above the heat maps of one text: many heads share them.
#[derive(Clone, Debug)]
pub struct HeatLabels<'a> {
    /// Unique within a page.
    pub id: String,
    /// The tokens that look, from top to bottom.
    pub rows: &'a [String],
    /// The tokens that are looked at, from left to right.
    pub columns: &'a [String],
}

/// One head as a square for each pair of tokens.
#[derive(Clone, Debug)]
pub struct HeatMap<'a> {
    /// What it is called.
    pub caption: Caption,
    /// Its tokens, which must be on the page too.
    pub labels: &'a HeatLabels<'a>,
    /// The weights.
    pub weights: &'a Weights,
}

/// Some heads as lines between two columns of words.
#[derive(Clone, Debug)]
pub struct Lines<'a> {
    /// What it is called.
    pub caption: Caption,
    /// The tokens that look, on the left.
    pub rows: &'a [String],
    /// The tokens that are looked at, on the right.
    pub columns: &'a [String],
    /// The weights of every head.
    pub heads: Vec<&'a Weights>,
}

impl HeatLabels<'_> {
    /// The labels, for the maps to reuse.
    pub fn draw(&self) -> String {
        let (left, top) = self.corner();
        Canvas::definition(&self.id, |canvas| {
            for (i, label) in self.rows.iter().enumerate() {
                let at = (left - 4.0, top + CELL * i as f64 + 10.5);
                canvas.text(at, "end", "", &shortened(label, LONGEST / SMALL));
            }
            for (j, label) in self.columns.iter().enumerate() {
                let at = (left + CELL * j as f64 + 10.5, top - 4.0);
                canvas.turned_text(at, -90.0, &shortened(label, LONGEST / SMALL));
            }
        })
    }

    /// Where the squares begin.
    fn corner(&self) -> (f64, f64) {
        let widest = |labels: &[String]| {
            labels.iter().map(|label| SMALL * text_width(label)).fold(0.0, f64::max).min(LONGEST) + 6.0
        };
        (widest(self.rows), widest(self.columns))
    }
}

impl HeatMap<'_> {
    /// The picture as SVG.
    pub fn draw(&self) -> String {
        let (left, top) = self.labels.corner();
        let width = CELL * self.labels.columns.len() as f64;
        let height = CELL * self.labels.rows.len() as f64;
        let size = Size::Own((left + width + 2.0).ceil() as u16);
        let mut canvas = Canvas::new(&self.caption, size, top + height + 2.0, "heat", &[]);
        canvas.rect((left, top), width, height, "ground", "");
        canvas.reuse(&self.labels.id);
        for heat in 1..=9_u8 {
            let cells = self.weights.iter().enumerate().flat_map(|(i, row)| {
                let hot = row.iter().enumerate().filter(move |(_, weight)| heat_of(**weight) == heat);
                hot.map(move |(j, _)| (left + CELL * j as f64 + 0.5, top + CELL * i as f64 + 0.5))
            });
            let side = coordinate(CELL - 1.0);
            let square = |(x, y)| format!("M{} {}h{side}v{side}h-{side}z", coordinate(x), coordinate(y));
            let d: String = cells.map(square).collect();
            if !d.is_empty() {
                canvas.path(&d, &format!("cell h{heat}"), &[]);
            }
        }
        canvas.finish()
    }
}

/// The class of a weight: 0 for one that is not drawn, to 9.
fn heat_of(hundredths: u8) -> u8 {
    ((u32::from(hundredths) * 9 + 50) / 100).min(9) as u8
}

impl Lines<'_> {
    /// The picture as SVG: a group `k0`, `k1`, … for each head.
    pub fn draw(&self) -> String {
        let most = self.rows.len().max(self.columns.len());
        let size = Size::Own(COLUMNS);
        let widest =
            |labels: &[String]| labels.iter().map(|label| LARGE * text_width(label)).fold(0.0, f64::max).min(WORD);
        let (left, right) = (widest(self.rows), f64::from(COLUMNS) - widest(self.columns));
        let mut canvas = Canvas::new(&self.caption, size, LINE * most as f64 + 4.0, "words", &[]);
        let y = |i: usize| LINE * (i as f64 + 0.5) + 2.0;
        for (h, weights) in self.heads.iter().enumerate() {
            canvas.group(&format!("k{h} s{}", h % 8), &[], |canvas| {
                for step in 1..=STEPS {
                    let mut d = String::new();
                    for (i, row) in weights.iter().enumerate() {
                        for j in (0..row.len()).filter(|j| step_of(row[*j]) == step) {
                            let (from, to) = (coordinate(y(i)), coordinate(y(j)));
                            d += &format!("M{} {from}L{} {to}", left + 5.0, right - 5.0);
                        }
                    }
                    if !d.is_empty() {
                        canvas.path(&d, &format!("thread w{step}"), &[]);
                    }
                }
            });
        }
        let columns = [(self.rows, left, "end"), (self.columns, right, "start")];
        for (labels, x, anchor) in columns {
            for (i, label) in labels.iter().enumerate() {
                canvas.text((x, y(i) + 4.5), anchor, "row-label", &shortened(label, WORD / LARGE));
            }
        }
        canvas.finish()
    }
}

/// How strong a line is: 0 for one that is left out, to [`STEPS`].
fn step_of(hundredths: u8) -> u8 {
    match hundredths < FAINTEST {
        true => 0,
        false => (u32::from(hundredths) * u32::from(STEPS)).div_ceil(100).min(u32::from(STEPS)) as u8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caption() -> Caption {
        Caption { id: "a".to_owned(), title: "t".to_owned(), description: "d".to_owned() }
    }

    #[test]
    fn every_weight_that_can_be_seen_is_drawn_once() {
        let tokens = ["a", "b"].map(String::from);
        let weights = vec![vec![100, 0], vec![45, 55]];
        let labels = HeatLabels { id: "l".to_owned(), rows: &tokens, columns: &tokens };
        let map = HeatMap { caption: caption(), labels: &labels, weights: &weights }.draw();
        assert_eq!(map.matches('z').count(), 3);
        assert!(map.contains("href=\"#l\"") && labels.draw().contains("id=\"l\""));
        assert_eq!(labels.draw().matches("<text").count(), 4);
        assert!(map.contains("cell h9") && map.contains("cell h4") && map.contains("cell h5"));
        let lines =
            Lines { caption: caption(), rows: &tokens, columns: &tokens, heads: vec![&weights, &weights] }.draw();
        assert_eq!(lines.matches('L').count(), 6);
        assert!(lines.contains("class=\"k1 s1\""));
    }

    #[test]
    fn weights_have_steps() {
        assert_eq!([0, 7, 8, 20, 21, 99, 100].map(step_of), [0, 0, 1, 1, 2, 5, 5]);
        assert_eq!([0, 5, 6, 50, 100].map(heat_of), [0, 0, 1, 5, 9]);
    }
}
