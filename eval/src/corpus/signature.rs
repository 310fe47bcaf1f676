//! Signatures as sacrebleu writes them.

use crate::score::Signature;

/// The parts that have a short name.
const SHORT: [(&str, &str); 10] = [
    ("nrefs", "#"),
    ("seed", "rs"),
    ("case", "c"),
    ("eff", "e"),
    ("smooth", "s"),
    ("space", "s"),
    ("norm", "nr"),
    ("punct", "pn"),
    ("asian", "as"),
    ("version", "v"),
];

/// `nrefs:1|case:mixed|…`, or `#:1|c:mixed|…`. TER's `tok` is shortened to `t`.
pub(super) fn joined(signature: &Signature, short: bool) -> String {
    let is_ter = signature.parts().any(|(key, _)| key == "norm");
    let name = |key: &'static str| match SHORT.iter().find(|(long, _)| *long == key) {
        _ if !short => key,
        _ if is_ter && key == "tok" => "t",
        Some((_, short)) => short,
        None => key,
    };
    let parts: Vec<String> = signature.parts().map(|(key, value)| format!("{}:{value}", name(key))).collect();
    parts.join("|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_and_short() {
        let signature = Signature::new().with("nrefs", 1).with("bs", 1000).with("seed", 7).with("tok", "13a");
        assert_eq!(joined(&signature, false), "nrefs:1|bs:1000|seed:7|tok:13a");
        assert_eq!(joined(&signature, true), "#:1|bs:1000|rs:7|tok:13a");
        assert_eq!(joined(&signature.with("norm", "no"), true), "#:1|bs:1000|rs:7|t:13a|nr:no");
    }
}
