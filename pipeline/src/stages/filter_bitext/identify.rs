//! In which language a sentence is, by its letters and triples of letters (the crate `whatlang`).
//!
//! Short sentences are often taken for a neighbouring language, so only a reliable answer counts.

use tessera_datasets::{Error, Result};
use whatlang::Lang;

/// The codes of ISO 639-1 that the crate, which goes by ISO 639-3, knows.
#[rustfmt::skip]
const CODES: [(&str, Lang); 72] = [
    ("af", Lang::Afr), ("ak", Lang::Aka), ("am", Lang::Amh), ("ar", Lang::Ara), ("az", Lang::Aze), ("be", Lang::Bel),
    ("bg", Lang::Bul), ("bn", Lang::Ben), ("ca", Lang::Cat), ("cs", Lang::Ces), ("cy", Lang::Cym), ("da", Lang::Dan),
    ("de", Lang::Deu), ("el", Lang::Ell), ("en", Lang::Eng), ("eo", Lang::Epo), ("es", Lang::Spa), ("et", Lang::Est),
    ("fa", Lang::Pes), ("fi", Lang::Fin), ("fr", Lang::Fra), ("gu", Lang::Guj), ("he", Lang::Heb), ("hi", Lang::Hin),
    ("hr", Lang::Hrv), ("hu", Lang::Hun), ("hy", Lang::Hye), ("id", Lang::Ind), ("it", Lang::Ita), ("ja", Lang::Jpn),
    ("jv", Lang::Jav), ("ka", Lang::Kat), ("km", Lang::Khm), ("kn", Lang::Kan), ("ko", Lang::Kor), ("la", Lang::Lat),
    ("lt", Lang::Lit), ("lv", Lang::Lav), ("mk", Lang::Mkd), ("ml", Lang::Mal), ("mr", Lang::Mar), ("my", Lang::Mya),
    ("nb", Lang::Nob), ("ne", Lang::Nep), ("nl", Lang::Nld), ("no", Lang::Nob), ("or", Lang::Ori), ("pa", Lang::Pan),
    ("pl", Lang::Pol), ("pt", Lang::Por), ("ro", Lang::Ron), ("ru", Lang::Rus), ("si", Lang::Sin), ("sk", Lang::Slk),
    ("sl", Lang::Slv), ("sn", Lang::Sna), ("sr", Lang::Srp), ("sv", Lang::Swe), ("ta", Lang::Tam), ("te", Lang::Tel),
    ("th", Lang::Tha), ("tk", Lang::Tuk), ("tl", Lang::Tgl), ("tr", Lang::Tur), ("uk", Lang::Ukr), ("ur", Lang::Urd),
    ("uz", Lang::Uzb), ("vi", Lang::Vie), ("yi", Lang::Yid), ("zh", Lang::Cmn), ("zu", Lang::Zul), ("fil", Lang::Tgl),
];

/// Knows one language.
#[derive(Clone, Copy, Debug)]
pub(super) struct Identifier(Lang);

impl Identifier {
    /// For a language by its code in ISO 639-1 or 639-3; what follows a `-` or `_` is left out.
    pub(super) fn of(language: &str) -> Result<Self> {
        let code = language.split(['-', '_']).next().unwrap_or_default();
        let short = CODES.iter().find(|(short, _)| *short == code).map(|(_, lang)| *lang);
        short.or_else(|| Lang::from_code(code)).map(Self).ok_or_else(|| {
            Error::input(format!("`{language}` is no language that can be identified"))
                .hint("leave it out of `languages`, or set `identify = false`")
        })
    }

    /// The language that a text is in, where that is reliably another.
    pub(super) fn other_language(self, text: &str) -> Option<&'static str> {
        let found = whatlang::detect(text)?;
        (found.lang() != self.0 && found.is_reliable()).then(|| found.lang().code())
    }
}
