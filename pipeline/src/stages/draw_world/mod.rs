//! `draw-world`: rows of the built-in data set, drawn from the seed.
//!
//! Scene number i of a seed is always the same, so a larger dataset begins with the smaller one.
//! Text and translations have their own words as split key, so that what is held out was never
//! seen; a picture has its scene, a frame its track.

mod draw;

use serde::Deserialize;
use serde_json::{Map, Value};
use tessera_datasets::card::Card;
use tessera_datasets::config::Section;
use tessera_datasets::console::Unit;
use tessera_datasets::pose;
use tessera_datasets::schema::{self, Kind, RecordSchema};
use tessera_datasets::world::animal::{Faults, Skeleton};
use tessera_datasets::world::{Combinations, MAX_OBJECTS, SceneOptions, class_names};
use tessera_datasets::{Error, Result};

use super::Entry;
use crate::inputs::InputFile;
use crate::stage::{Outlet, Part, PreparedSource, Source, Stage, StageContext};

pub(super) const ENTRY: Entry = Entry {
    name: "draw-world",
    summary: "draws the built-in world: text, translations, images, captions or 3D poses, as many as asked",
    example: "record = \"text\"\nscenes = 10",
    parse,
};

/// The card that stands for the world.
const CARD: &str = "world";

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// What a row is.
    record: Record,
    /// How many scenes to draw; of poses, how many tracks.
    scenes: u64,
    /// The side of a picture in pixels.
    size: Option<u32>,
    /// The fewest objects in a scene.
    minimum_objects: Option<u8>,
    /// The most objects in a scene.
    maximum_objects: Option<u8>,
    /// Which combinations of shape, colour and place are drawn.
    #[serde(default)]
    combinations: Combinations,
    /// The language of text and captions.
    #[serde(default)]
    language: Language,
    /// How many frames a track of poses has.
    frames: Option<usize>,
    /// Whether poses are observed without noise, jumps and gaps.
    #[serde(default)]
    perfect: bool,
    /// How often and how badly the observation of poses fails, where it is not as usual.
    faults: Option<Faults>,
    /// How many scenes or tracks make a part; each part becomes a shard.
    part_scenes: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Record {
    Text,
    Translation,
    Image,
    Caption,
    Pose,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Language {
    #[default]
    En,
    De,
}

fn parse(section: &Section, context: &StageContext) -> Result<Stage> {
    if context.data.card.as_deref() != Some(CARD) {
        return Err(section.error("", "`draw-world` needs `card = \"world\"` in `[data]`"));
    }
    let config: Config = section.parse()?;
    let pictures = ["size", "minimum_objects", "maximum_objects", "combinations"];
    let keys: Vec<&str> = match config.record {
        Record::Text | Record::Caption => [&pictures[..], &["language"]].concat(),
        Record::Translation | Record::Image => pictures.to_vec(),
        Record::Pose => vec!["frames", "perfect", "faults"],
    };
    section.refuse_unknown(&[&["record", "scenes", "part_scenes"], &keys[..]].concat())?;
    if config.scenes == 0 || config.scenes > u64::from(u32::MAX) {
        return Err(section.error("scenes", format!("`scenes` is `{}`; 1 to {} are possible", config.scenes, u32::MAX)));
    }
    let frames = config.frames.unwrap_or(DEFAULT_FRAMES);
    if frames == 0 || frames > MOST_FRAMES {
        return Err(section.error("frames", format!("`frames` is `{frames}`; 1 to {MOST_FRAMES} are possible")));
    }
    if config.part_scenes == Some(0) {
        return Err(section.error("part_scenes", "`part_scenes` must be 1 or more"));
    }
    if let Some(faults) = &config.faults {
        if config.perfect {
            return Err(section.error("faults", "`faults` are given, and `perfect` wants none"));
        }
        check_faults(faults).map_err(|message| section.error("faults", message))?;
    }
    // a class is said of one object, so pictures with a class have one unless told otherwise
    let most = if config.record == Record::Image { 1 } else { MAX_OBJECTS };
    let fewest = config.minimum_objects.unwrap_or(1);
    let most = config.maximum_objects.unwrap_or(most.max(fewest));
    let size = config.size.unwrap_or(SceneOptions::default().size());
    let options = SceneOptions::new(size, fewest, most, config.combinations);
    let options = options.map_err(|e| section.error("", e.to_string()))?;
    Ok(Stage::source(DrawWorld {
        record: config.record,
        scenes: config.scenes,
        options,
        language: config.language,
        frames,
        faults: if config.perfect { Faults::NONE } else { config.faults.unwrap_or_default() },
        part_scenes: config.part_scenes.unwrap_or_else(|| part_scenes(config.record, size, frames)),
        seed: context.seed,
    }))
}

fn check_faults(faults: &Faults) -> std::result::Result<(), String> {
    let Faults { noise_mm, jump_rate, point_gap_rate, limb_gap_rate, body_gap_rate } = faults;
    if !(noise_mm.is_finite() && *noise_mm >= 0.0) {
        return Err(format!("`noise_mm` is `{noise_mm}`, which is not 0 or more"));
    }
    let rates = [
        ("jump_rate", jump_rate),
        ("point_gap_rate", point_gap_rate),
        ("limb_gap_rate", limb_gap_rate),
        ("body_gap_rate", body_gap_rate),
    ];
    match rates.into_iter().find(|(_, rate)| !(0.0..=1.0).contains(*rate)) {
        Some((name, rate)) => Err(format!("`{name}` is `{rate}`; a chance is between 0 and 1")),
        None => Ok(()),
    }
}

/// Ten seconds.
const DEFAULT_FRAMES: usize = 600;
/// Four and a half hours, all of which are in memory at once.
const MOST_FRAMES: usize = 1_000_000;

/// How many scenes make a part of about 64 MB before compression.
fn part_scenes(record: Record, size: u32, frames: usize) -> u64 {
    let bytes = match record {
        Record::Text | Record::Translation => 1 << 10,
        Record::Image | Record::Caption => 3 * u64::from(size) * u64::from(size),
        Record::Pose => 1 << 8 << frames.ilog2(),
    };
    ((64 << 20) / bytes).clamp(1, 10_000)
}

#[derive(Clone, Debug)]
struct DrawWorld {
    record: Record,
    scenes: u64,
    options: SceneOptions,
    language: Language,
    frames: usize,
    faults: Faults,
    part_scenes: u64,
    seed: u64,
}

impl Source for DrawWorld {
    fn output(&self) -> Kind {
        match self.record {
            Record::Text => Kind::Text,
            Record::Translation => Kind::Translation,
            Record::Image => Kind::Image,
            Record::Caption => Kind::Caption,
            Record::Pose => Kind::Pose,
        }
    }

    fn prepare(&self) -> Result<Box<dyn PreparedSource>> {
        let count = self.scenes.div_ceil(self.part_scenes);
        let part = |i| {
            let first = i * self.part_scenes;
            let size = self.part_scenes.min(self.scenes - first);
            Part { label: format!("scenes {first} to {}", first + size - 1), size }
        };
        Ok(Box::new(Prepared {
            world: self.clone(),
            license: Card::find(CARD)?.license,
            parts: (0..count).map(part).collect(),
        }))
    }
}

struct Prepared {
    world: DrawWorld,
    license: String,
    parts: Vec<Part>,
}

impl PreparedSource for Prepared {
    fn schema(&self) -> RecordSchema {
        match self.world.record {
            Record::Text => schema::text(),
            Record::Translation => schema::translation(&["de", "en"]),
            Record::Image => schema::image(Some(&class_names())),
            Record::Caption => schema::caption(),
            Record::Pose => schema::pose(Skeleton::quadruped().names.len(), true),
        }
    }

    fn inputs(&self) -> &[InputFile] {
        &[]
    }

    fn parts(&self) -> &[Part] {
        &self.parts
    }

    fn unit(&self) -> Unit {
        match self.world.record {
            Record::Pose => Unit::Count("tracks"),
            _ => Unit::Count("scenes"),
        }
    }

    fn details(&self) -> Map<String, Value> {
        let mut details = Map::new();
        let language = match self.world.language {
            Language::En => "en",
            Language::De => "de",
        };
        match self.world.record {
            Record::Text | Record::Caption => {
                details.insert("languages".to_owned(), serde_json::json!([language]));
            }
            Record::Translation => {
                details.insert("languages".to_owned(), serde_json::json!(["de", "en"]));
            }
            Record::Image => {
                details.insert("classes".to_owned(), class_names().into());
            }
            Record::Pose => {
                details.insert(pose::DETAIL.to_owned(), Skeleton::quadruped().card().to_detail());
            }
        }
        details
    }

    fn read(&self, part: usize, out: &mut Outlet<'_>) -> Result<()> {
        let size = self.parts.get(part).ok_or_else(|| Error::internal("no such part"))?.size;
        let first = part as u64 * self.world.part_scenes;
        draw::draw(&self.world, &self.license, first..first + size, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_that_cannot_be_are_refused() {
        check_faults(&Faults::default()).unwrap();
        for (faults, message) in [
            (Faults { noise_mm: f64::NAN, ..Faults::NONE }, "`noise_mm` is `NaN`"),
            (Faults { noise_mm: -1.0, ..Faults::NONE }, "`noise_mm` is `-1`"),
            (Faults { limb_gap_rate: 1.5, ..Faults::NONE }, "`limb_gap_rate` is `1.5`; a chance is between 0 and 1"),
        ] {
            let error = check_faults(&faults).unwrap_err();
            assert!(error.starts_with(message), "{error}");
        }
    }

    #[test]
    fn parts_have_about_64_mebibytes() {
        assert_eq!(part_scenes(Record::Text, 32, 1), 10_000);
        assert_eq!(part_scenes(Record::Image, 32, 1), 10_000);
        assert_eq!(part_scenes(Record::Image, 1024, 1), 21);
        assert_eq!(part_scenes(Record::Pose, 32, 600), 512);
        assert_eq!(part_scenes(Record::Pose, 32, MOST_FRAMES), 1);
    }
}
