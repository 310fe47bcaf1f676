//! Drawing the rows of one part.

use std::ops::Range;

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use tessera_datasets::world::animal::Track;
use tessera_datasets::world::{Picture, Scene, Sentence, caption, class_names, render, sentence, story};
use tessera_datasets::{Error, Result};

use super::{CARD, DrawWorld, Language, Record};
use crate::rows::{CaptionRows, ImageRows, Origin, Pose, PoseRows, TRAIN, TextRows, TranslationRows, content_hash};
use crate::stage::Outlet;

pub(super) fn draw(world: &DrawWorld, license: &str, scenes: Range<u64>, out: &mut Outlet<'_>) -> Result<()> {
    let place = Place { source: format!("seed {}", world.seed), license };
    match world.record {
        Record::Text => draw_text(world, &place, scenes, out),
        Record::Translation => draw_translations(world, &place, scenes, out),
        Record::Image => draw_images(world, &place, scenes, out),
        Record::Caption => draw_captions(world, &place, scenes, out),
        Record::Pose => draw_poses(world, &place, scenes, out),
    }
}

/// Where all rows come from.
struct Place<'a> {
    source: String,
    license: &'a str,
}

impl Place<'_> {
    fn origin<'a>(&'a self, id: &'a str, loc: &'a str, split_key: &'a str, content_hash: &'a str) -> Origin<'a> {
        Origin {
            split: TRAIN,
            id,
            source: CARD,
            src: &self.source,
            loc,
            license: self.license,
            split_key,
            content_hash,
        }
    }
}

/// Hands the rows on where there are enough of them, or at the end.
macro_rules! hand_on {
    ($rows:ident, $out:ident) => {
        if $rows.is_full() {
            $out.emit($rows.finish()?)?;
        }
        ($out.advance)(1);
    };
    ($rows:ident, $out:ident, rest) => {
        match $rows.is_empty() {
            true => Ok(()),
            false => $out.emit($rows.finish()?),
        }
    };
}

fn draw_text(world: &DrawWorld, place: &Place<'_>, scenes: Range<u64>, out: &mut Outlet<'_>) -> Result<()> {
    let mut rows = TextRows::default();
    for i in scenes {
        let text = in_language(story(&Scene::draw(world.seed, i, &world.options), 0), world.language);
        let hash = content_hash(text.as_bytes());
        rows.push(&text, &place.origin(&scene_id(i), &format!("scene {i}"), &hash, &hash));
        hand_on!(rows, out);
    }
    hand_on!(rows, out, rest)
}

fn draw_translations(world: &DrawWorld, place: &Place<'_>, scenes: Range<u64>, out: &mut Outlet<'_>) -> Result<()> {
    let mut rows = TranslationRows::new(&["de", "en"]);
    for i in scenes {
        let Sentence { english, german, .. } = sentence(&Scene::draw(world.seed, i, &world.options), 0);
        let hash = content_hash(format!("{german}\n{english}").as_bytes());
        // one English sentence has several translations: all of them go to one split
        let key = content_hash(english.as_bytes());
        rows.push(&[&german, &english], &place.origin(&scene_id(i), &format!("scene {i}"), &key, &hash));
        hand_on!(rows, out);
    }
    hand_on!(rows, out, rest)
}

fn draw_images(world: &DrawWorld, place: &Place<'_>, scenes: Range<u64>, out: &mut Outlet<'_>) -> Result<()> {
    let mut rows = ImageRows::new(Some(&class_names()));
    for i in scenes {
        let scene = Scene::draw(world.seed, i, &world.options);
        let label = scene.label().ok_or_else(|| Error::internal("a scene without objects"))?;
        let png = png(&render(&scene))?;
        let id = scene_id(i);
        let origin_hash = content_hash(&png);
        let origin = place.origin(&id, "", &id, &origin_hash);
        rows.push(&png, &format!("{id}.png"), label as i64, &Origin { loc: &format!("scene {i}"), ..origin });
        hand_on!(rows, out);
    }
    hand_on!(rows, out, rest)
}

fn draw_captions(world: &DrawWorld, place: &Place<'_>, scenes: Range<u64>, out: &mut Outlet<'_>) -> Result<()> {
    let mut rows = CaptionRows::default();
    for i in scenes {
        let scene = Scene::draw(world.seed, i, &world.options);
        let words = in_language(caption(&scene, 0), world.language);
        let png = png(&render(&scene))?;
        let id = scene_id(i);
        let hash = content_hash(&[png.as_slice(), words.as_bytes()].concat());
        rows.push(&png, &format!("{id}.png"), &words, &place.origin(&id, &format!("scene {i}"), &id, &hash));
        hand_on!(rows, out);
    }
    hand_on!(rows, out, rest)
}

fn draw_poses(world: &DrawWorld, place: &Place<'_>, tracks: Range<u64>, out: &mut Outlet<'_>) -> Result<()> {
    let mut rows: Option<PoseRows> = None;
    for i in tracks {
        let track = Track::draw(world.seed, i, world.frames, &world.faults);
        let keypoints = track.keypoints();
        let rows = rows.get_or_insert_with(|| PoseRows::new(keypoints, true));
        let subject = format!("animal-{i:06}");
        let marks = track.visible_tk.chunks(keypoints);
        let frames = track.observed_tkc.chunks(3 * keypoints).zip(track.truth_tkc.chunks(3 * keypoints)).zip(marks);
        for (frame, ((positions, truth), mask)) in frames.enumerate() {
            let bytes: Vec<u8> = positions.iter().flat_map(|v| v.to_le_bytes()).collect();
            let id = format!("{subject}-{frame:07}");
            let loc = format!("track {i}, frame {frame}");
            rows.push(
                &Pose { positions, mask, truth: Some(truth) },
                &subject,
                frame as i64,
                &place.origin(&id, &loc, &subject, &content_hash(&bytes)),
            );
            if rows.is_full() {
                out.emit(rows.finish()?)?;
            }
        }
        (out.advance)(1);
    }
    match rows {
        Some(mut rows) if !rows.is_empty() => out.emit(rows.finish()?),
        _ => Ok(()),
    }
}

fn scene_id(i: u64) -> String {
    format!("scene-{i:08}")
}

fn in_language(words: Sentence, language: Language) -> String {
    match language {
        Language::En => words.english,
        Language::De => words.german,
    }
}

fn png(picture: &Picture) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let encoder = PngEncoder::new(&mut bytes);
    let written = encoder.write_image(&picture.rgb, picture.width, picture.height, ExtendedColorType::Rgb8);
    written.map_err(|e| Error::internal(format!("png: {e}")))?;
    Ok(bytes)
}
