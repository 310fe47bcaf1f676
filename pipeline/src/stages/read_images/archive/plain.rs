//! Archives of folders: what is known of an image is where it lies.

use tessera_datasets::Result;

use super::super::names::{Place, base_name, is_image};
use super::super::sink::{Picture, Said, Sink};
use super::Stretches;
use crate::inputs::lines::TOO_LONG;

pub(super) fn read<'f>(
    stretches: &'f Stretches,
    part: usize,
    advance: &dyn Fn(u64),
    sink: &mut Sink<'f, '_, '_>,
) -> Result<()> {
    let (mut bytes, mut id) = (Vec::new(), String::new());
    stretches.walk(part, advance, &mut |file, member| {
        let (src, loc) = (file.name.as_str(), member.name);
        if member.is_folder || !is_image(loc) {
            return Ok(());
        }
        if !member.read(&mut bytes)? {
            sink.reject(TOO_LONG, src, loc, "");
            return Ok(());
        }
        stretches.identify(&mut id, src, member)?;
        let place = Place::of(loc);
        sink.push(&Picture {
            file,
            bytes: &bytes,
            id: &id,
            src,
            loc,
            name: base_name(loc),
            split: place.split,
            said: place.class.map_or(Said::Nothing, Said::Class),
        })
    })
}
