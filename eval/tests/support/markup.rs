//! A strict look at markup: balanced tags, quoted attributes, no stray angle brackets.

use std::collections::HashMap;

/// A start tag.
#[derive(Debug)]
pub struct Tag {
    pub name: String,
    pub attributes: HashMap<String, String>,
    /// The text up to the next tag, with entities replaced.
    pub text: String,
}

const VOID: [&str; 6] = ["br", "meta", "hr", "wbr", "input", "img"];
/// Elements whose text is not markup.
const RAW: [&str; 2] = ["script", "style"];

/// All start tags of a page, in order; an error where it is not well formed.
pub fn tags(page: &str) -> Result<Vec<Tag>, String> {
    let mut tags: Vec<Tag> = Vec::new();
    let mut open: Vec<String> = Vec::new();
    let mut rest = page.strip_prefix("<!doctype html>").unwrap_or(page);
    while let Some(start) = rest.find('<') {
        let (text, tag) = rest.split_at(start);
        if text.contains('>') {
            return Err(format!("a stray `>` in `{text}`"));
        }
        if let Some(last) = tags.last_mut() {
            last.text.push_str(&decoded(text)?);
        }
        let end = end_of_tag(tag)?;
        let inside = &tag[1..end];
        rest = &tag[end + 1..];
        if let Some(name) = inside.strip_prefix('/') {
            match open.pop() {
                Some(expected) if expected == name => {}
                other => return Err(format!("`</{name}>` closes {other:?}")),
            }
            continue;
        }
        let name = inside.split([' ', '/', '\n']).next().unwrap_or_default().to_owned();
        let attributes = attributes(inside[name.len()..].trim_end_matches('/'))?;
        if !VOID.contains(&name.as_str()) && !inside.ends_with('/') {
            open.push(name.clone());
        }
        if RAW.contains(&name.as_str()) {
            let close = format!("</{name}>");
            rest = &rest[rest.find(&close).ok_or(format!("no `{close}`"))?..];
        }
        tags.push(Tag { name, attributes, text: String::new() });
    }
    match open.pop() {
        None => Ok(tags),
        Some(name) => Err(format!("`{name}` is not closed")),
    }
}

fn end_of_tag(tag: &str) -> Result<usize, String> {
    let mut quoted = false;
    for (i, c) in tag.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '>' if !quoted => return Ok(i),
            '<' if i > 0 => return Err(format!("a `<` in the tag `{}`", &tag[..i.min(60)])),
            _ => {}
        }
    }
    Err("a tag does not end".to_owned())
}

fn attributes(mut text: &str) -> Result<HashMap<String, String>, String> {
    let mut found = HashMap::new();
    loop {
        text = text.trim_start();
        if text.is_empty() {
            return Ok(found);
        }
        let name = text.split(['=', ' ']).next().unwrap_or_default();
        text = &text[name.len()..];
        let value = match text.strip_prefix("=\"") {
            None => String::new(),
            Some(quoted) => {
                let end = quoted.find('"').ok_or("an attribute does not end")?;
                text = &quoted[end + 1..];
                decoded(&quoted[..end])?
            }
        };
        if found.insert(name.to_owned(), value).is_some() {
            return Err(format!("`{name}` twice in one tag"));
        }
    }
}

fn decoded(text: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        out.push_str(&rest[..start]);
        let end = rest[start..].find(';').ok_or(format!("a stray `&` in `{text}`"))? + start;
        out.push(match &rest[start..=end] {
            "&amp;" => '&',
            "&lt;" => '<',
            "&gt;" => '>',
            "&quot;" => '"',
            "&#39;" | "&#x27;" => '\'',
            "&#x2f;" | "&#x2F;" => '/',
            other => return Err(format!("unknown entity `{other}`")),
        });
        rest = &rest[end + 1..];
    }
    out.push_str(rest);
    Ok(out)
}
