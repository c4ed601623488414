//! `location` (section 4.10).

use crate::{
    json::{Map, Node, Path},
    model::{Open, stix_type},
    validate::{Check, Code},
    vocabulary,
};

stix_type! {
    /// A place, from a region down to coordinates.
    Location = "location", section "4.10", requirement "S-062", common Common, rules [somewhere, coordinates, country];
    required {}
    optional {
        name: String,
        description: String,
        latitude: f64,
        longitude: f64,
        precision: f64,
        region: Open<vocabulary::Region>,
        country: String,
        administrative_area: String,
        city: String,
        street_address: String,
        postal_code: String,
    }
}

/// S-071: a region, a country, or coordinates.
fn somewhere(check: &mut Check<'_>, object: &Map<'_>, path: &Path<'_>) {
    let has = |name: &str| object.get(name).is_some();
    if !(has("region") || has("country") || has("latitude") && has("longitude")) {
        check.error(path, Code::Combination, "S-071", "give `region`, `country`, or both `latitude` and `longitude`");
    }
}

/// S-072: coordinates come in pairs and lie on the globe; a precision belongs to coordinates.
fn coordinates(check: &mut Check<'_>, object: &Map<'_>, path: &Path<'_>) {
    let number = |name: &str| match object.get(name) {
        Some(Node::Number(number)) => Some(*number),
        _ => None,
    };
    for (name, other, bound) in [("latitude", "longitude", 90.0), ("longitude", "latitude", 180.0)] {
        if let Some(degrees) = number(name) {
            if degrees.abs() > bound {
                let message = format!("it must be between -{bound} and {bound} degrees");
                check.error(&Path::Name(path, name), Code::ValueRange, "S-072", message);
            }
            if object.get(other).is_none() {
                check.error(&Path::Name(path, name), Code::Combination, "S-072", format!("give `{other}` too"));
            }
        }
    }
    if object.get("precision").is_some() && (object.get("latitude").is_none() || object.get("longitude").is_none()) {
        let message = "a precision needs `latitude` and `longitude`";
        check.error(&Path::Name(path, "precision"), Code::Combination, "S-072", message);
    }
}

/// S-073: the country is a code of ISO 3166-1.
fn country(check: &mut Check<'_>, object: &Map<'_>, path: &Path<'_>) {
    if let Some(Node::Text(country)) = object.get("country")
        && !(country.len() == 2 && country.bytes().all(|b| b.is_ascii_alphabetic()))
    {
        let message = "use the two letters of ISO 3166-1, e.g. `JP`";
        check.warning(&Path::Name(path, "country"), Code::ValueForm, "S-073", message);
    }
    if let Some(Node::Text(area)) = object.get("administrative_area")
        && !is_subdivision(area)
    {
        let message = "use the code of ISO 3166-2, e.g. `JP-13`";
        check.warning(&Path::Name(path, "administrative_area"), Code::ValueForm, "S-073", message);
    }
}

/// The form of ISO 3166-2: two letters, a hyphen, one to three letters or digits.
fn is_subdivision(area: &str) -> bool {
    area.split_once('-').is_some_and(|(country, part)| {
        country.len() == 2
            && country.bytes().all(|b| b.is_ascii_alphabetic())
            && (1..=3).contains(&part.len())
            && part.bytes().all(|b| b.is_ascii_alphanumeric())
    })
}
