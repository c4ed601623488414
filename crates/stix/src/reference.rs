//! References between objects: they decide release (L-127).
//!
//! A reference is the value of a property whose name ends in `_ref`, or a list item of one that ends in `_refs`, at any depth, custom properties and
//! extensions included (S-027). The standard's own reference properties must hold identifiers (S-038); elsewhere a value that is no identifier is text
//! (ATT&CK writes `"x_mitre_data_source_ref": ""`): no object that this crate accepts can bear it, so it names none.
//!
//! Not references:
//! - the keys of `extensions`: an `extension-definition--…` there names a public format, and holding its definition is not expected (S-145);
//! - local keys inside `objects` of observed data (`"src_ref": "0"`), which end at that container (S-020);
//! - identifiers in texts: `description`, `external_references`, patterns.

use crate::{
    AnyId, Limits, ObjectError,
    error::{TOKEN_CHARS_MAX, cut},
    json::{Map, Node, Path},
};

/// Whether the object makes sense without the target (L-127).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// `source_ref`, `target_ref`, `sighting_of_ref`, `object_ref` of language content.
    Required,
    /// Everything else, `created_by_ref`, `object_refs`, custom `*_ref(s)` included.
    Optional,
    /// `object_marking_refs` and `granular_markings[].marking_ref`.
    Marking,
}

impl Need {
    /// Of two needs of one target the one that counts: `Required` over `Marking` over `Optional`.
    #[must_use]
    pub fn stronger(self, other: Self) -> Self {
        match (self, other) {
            (Self::Required, _) | (_, Self::Required) => Self::Required,
            (Self::Marking, _) | (_, Self::Marking) => Self::Marking,
            _ => Self::Optional,
        }
    }
}

/// One identifier an object refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// JSON pointer of its first appearance (beyond some 500 bytes cut, with `…` at its end).
    pub path: String,
    /// The identifier.
    pub target: AnyId,
    /// The strongest need among its appearances (`Required` over `Marking` over `Optional`).
    pub need: Need,
}

/// Reference properties of the standard at the top of an object (section 3.2, 4 to 7).
const STANDARD: &[&str] = &[
    "analysis_sco_refs",
    "bcc_refs",
    "belongs_to_ref",
    "belongs_to_refs",
    "cc_refs",
    "child_refs",
    "contains_refs",
    "content_ref",
    "created_by_ref",
    "creator_user_ref",
    "dst_payload_ref",
    "dst_ref",
    "encapsulated_by_ref",
    "encapsulates_refs",
    "from_ref",
    "host_vm_ref",
    "image_ref",
    "installed_software_refs",
    "object_marking_refs",
    "object_ref",
    "object_refs",
    "observed_data_refs",
    "opened_connection_refs",
    "operating_system_ref",
    "operating_system_refs",
    "parent_directory_ref",
    "parent_ref",
    "raw_email_ref",
    "resolves_to_refs",
    "sample_ref",
    "sample_refs",
    "sender_ref",
    "sighting_of_ref",
    "source_ref",
    "src_payload_ref",
    "src_ref",
    "target_ref",
    "to_refs",
    "where_sighted_refs",
];

/// Reference properties of the standard inside `extensions`, `body_multipart` and `granular_markings`, by the name above them.
const STANDARD_NESTED: &[(&str, &str)] = &[
    ("archive-ext", "contains_refs"),
    ("body_multipart", "body_raw_ref"),
    ("granular_markings", "marking_ref"),
    ("http-request-ext", "message_body_data_ref"),
    ("windows-service-ext", "service_dll_refs"),
];

/// All references of an object, in order of first appearance, no duplicates.
pub(crate) fn collect(type_name: &str, object: &Map<'_>, limits: &Limits) -> Result<Vec<Reference>, ObjectError> {
    let mut collector = Collector { found: Vec::new(), references_max: limits.references_max };
    for (name, node) in object.iter() {
        let container = type_name == "observed-data" && name == "objects";
        collector.member(name, node, &Path::Name(&Path::Root, name), container)?;
    }
    Ok(collector.finish())
}

struct Collector {
    found: Vec<Reference>,
    references_max: usize,
}

impl Collector {
    fn node(&mut self, node: &Node<'_>, path: &Path<'_>, container: bool) -> Result<(), ObjectError> {
        match node {
            Node::Map(map) => {
                map.iter().try_for_each(|(name, node)| self.member(name, node, &Path::Name(path, name), container))
            }
            Node::List(list) => {
                list.iter().enumerate().try_for_each(|(i, item)| self.node(item, &Path::Index(path, i), container))
            }
            Node::Null | Node::Bool(_) | Node::Number(_) | Node::Text(_) => Ok(()),
        }
    }

    fn member(&mut self, name: &str, node: &Node<'_>, path: &Path<'_>, container: bool) -> Result<(), ObjectError> {
        let many = name.ends_with("_refs");
        if !many && !name.ends_with("_ref") {
            return self.node(node, path, container);
        }
        let strict = !container && is_standard(name, path);
        match node {
            Node::Text(text) if !strict || !many => self.value(text, path, strict),
            Node::List(list) if !strict || many => list.iter().enumerate().try_for_each(|(i, item)| {
                let path = Path::Index(path, i);
                match item {
                    Node::Text(text) => self.value(text, &path, strict),
                    _ if strict => Err(ObjectError::new(path.pointer(), "it must be an identifier", "S-038")),
                    _ => self.node(item, &path, container),
                }
            }),
            _ if strict && many => Err(ObjectError::new(path.pointer(), "it must be a list of identifiers", "S-038")),
            _ if strict => Err(ObjectError::new(path.pointer(), "it must be one identifier", "S-038")),
            _ => self.node(node, path, container),
        }
    }

    fn value(&mut self, text: &str, path: &Path<'_>, strict: bool) -> Result<(), ObjectError> {
        match text.parse::<AnyId>() {
            Ok(target) => {
                if self.found.len() >= self.references_max {
                    let cause = format!("the object has more than {} references", self.references_max);
                    return Err(ObjectError::new(path.pointer(), cause, ""));
                }
                self.found.push(Reference { path: path.pointer(), target, need: need(path) });
                Ok(())
            }
            Err(_) if strict => {
                let cause = format!("the reference `{}` is no identifier", cut(text, TOKEN_CHARS_MAX));
                Err(ObjectError::new(path.pointer(), cause, "S-013"))
            }
            Err(_) => Ok(()),
        }
    }

    /// Keeps the first appearance of each target, with the strongest need of all.
    fn finish(self) -> Vec<Reference> {
        let mut sorted: Vec<(usize, Reference)> = self.found.into_iter().enumerate().collect();
        sorted.sort_unstable_by(|(i, a), (j, b)| a.target.cmp(&b.target).then(i.cmp(j)));
        sorted.dedup_by(|(_, later), (_, first)| {
            let same = later.target == first.target;
            if same {
                first.need = first.need.stronger(later.need);
            }
            same
        });
        sorted.sort_unstable_by_key(|(i, _)| *i);
        sorted.into_iter().map(|(_, reference)| reference).collect()
    }
}

/// Whether the standard defines this reference property in this place.
fn is_standard(name: &str, path: &Path<'_>) -> bool {
    match path.parent() {
        Some(Path::Root) => STANDARD.binary_search(&name).is_ok(),
        Some(Path::Name(_, above) | Path::Index(Path::Name(_, above), _)) => STANDARD_NESTED.contains(&(above, name)),
        _ => false,
    }
}

fn need(path: &Path<'_>) -> Need {
    match path {
        Path::Name(Path::Root, "source_ref" | "target_ref" | "sighting_of_ref" | "object_ref") => Need::Required,
        Path::Index(Path::Name(Path::Root, "object_marking_refs"), _)
        | Path::Name(Path::Index(Path::Name(Path::Root, "granular_markings"), _), "marking_ref") => Need::Marking,
        _ => Need::Optional,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::Object;

    const A: &str = "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f";
    const B: &str = "malware--31b940d4-6f7f-459a-80ea-9c1f17b5891b";
    const M: &str = "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9";
    const UPPER: &str = "malware--31B940D4-6F7F-459A-80EA-9C1F17B5891B";

    fn parse(type_name: &str, more: &str) -> Result<Object, ObjectError> {
        let raw = format!(
            r#"{{"type":"{type_name}","spec_version":"2.1","id":"{type_name}--5d0092c5-5f74-4287-9642-33f4c354e56d","created":"2020-01-01T00:00:00.000Z","modified":"2020-01-01T00:00:00.000Z",{more}}}"#
        );
        Object::parse(&raw, &Limits::default())
    }

    fn references(type_name: &str, more: &str) -> Vec<(String, String, Need)> {
        let object = parse(type_name, more).unwrap();
        object.view().references.iter().map(|r| (r.path.clone(), r.target.to_string(), r.need)).collect()
    }

    fn row(path: &str, target: &str, need: Need) -> (String, String, Need) {
        (path.to_owned(), target.to_owned(), need)
    }

    #[test]
    fn the_table_of_standard_names_is_sorted() {
        assert!(STANDARD.is_sorted());
    }

    #[test]
    fn references_are_found_at_any_depth_in_order_of_appearance() {
        // L-127, S-027
        let more = format!(
            r#""x_any":[{{"deep":{{"x_made_by_ref":"{B}"}}}}],"object_refs":["{A}"],"extensions":{{"extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d":{{"case_refs":["{M}"]}}}}"#
        );
        assert_eq!(
            references("report", &more),
            [
                row("/x_any/0/deep/x_made_by_ref", B, Need::Optional),
                row("/object_refs/0", A, Need::Optional),
                row(
                    "/extensions/extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d/case_refs/0",
                    M,
                    Need::Optional
                )
            ]
        );
    }

    #[test]
    fn ends_and_targets_are_required_and_markings_are_markings() {
        // L-127
        let more = format!(
            r#""relationship_type":"x","source_ref":"{A}","target_ref":"{UPPER}","object_marking_refs":["{M}"],"x_nested":{{"source_ref":"{M}"}}"#
        );
        assert_eq!(
            references("relationship", &more),
            [
                row("/source_ref", A, Need::Required),
                row("/target_ref", B, Need::Required),
                row("/object_marking_refs/0", M, Need::Marking)
            ]
        );
        assert_eq!(
            references("sighting", &format!(r#""sighting_of_ref":"{B}""#)),
            [row("/sighting_of_ref", B, Need::Required)]
        );
        assert_eq!(
            references("language-content", &format!(r#""object_ref":"{B}""#)),
            [row("/object_ref", B, Need::Required)]
        );
        assert_eq!(
            references(
                "report",
                &format!(r#""name":"n","granular_markings":[{{"marking_ref":"{M}","selectors":["name"]}}]"#)
            ),
            [row("/granular_markings/0/marking_ref", M, Need::Marking)]
        );
    }

    #[test]
    fn of_two_needs_the_stronger_counts_at_the_first_place() {
        // L-127
        let more = format!(r#""x_any_ref":"{A}","source_ref":"{A}","target_ref":"{B}","other_refs":["{B}","{B}"]"#);
        assert_eq!(
            references("relationship", &more),
            [row("/x_any_ref", A, Need::Required), row("/target_ref", B, Need::Required)]
        );
        for a in [Need::Required, Need::Marking, Need::Optional] {
            assert_eq!(a.stronger(Need::Required), Need::Required);
            assert_eq!(Need::Optional.stronger(a), a);
            assert_eq!(a.stronger(Need::Optional), a);
            assert_eq!(a.stronger(a), a);
        }
    }

    #[test]
    fn a_standard_reference_must_be_an_identifier() {
        // S-013, S-038
        for (more, path) in [
            (r#""object_refs":["example:ttp-66647c79-5766-4ca7-ab8a-a579ea1bc3a1"]"#.to_owned(), "/object_refs/0"),
            (format!(r#""object_refs":["{A}",""]"#), "/object_refs/1"),
            (format!(r#""object_refs":"{A}""#), "/object_refs"),
            (format!(r#""object_refs":{{"a":"{A}"}}"#), "/object_refs"),
            (format!(r#""object_refs":[["{A}"]]"#), "/object_refs/0"),
            (r#""object_refs":null"#.to_owned(), "/object_refs"),
            (format!(r#""source_ref":["{A}"]"#), "/source_ref"),
            (r#""source_ref":5"#.to_owned(), "/source_ref"),
            (format!(r#""source_ref":" {A}""#), "/source_ref"),
            (r#""created_by_ref":null"#.to_owned(), "/created_by_ref"),
            (
                r#""extensions":{"archive-ext":{"contains_refs":["0"]}}"#.to_owned(),
                "/extensions/archive-ext/contains_refs/0",
            ),
            (r#""body_multipart":[{"body_raw_ref":"0"}]"#.to_owned(), "/body_multipart/0/body_raw_ref"),
        ] {
            assert_eq!(parse("report", &more).unwrap_err().path, path, "{more}");
        }
    }

    #[test]
    fn a_custom_reference_may_be_a_text_or_nested() {
        assert_eq!(
            references(
                "report",
                r#""x_mitre_data_source_ref":"","x_ref":5,"x_refs":"no","environment_variables":{"git_ref":"main"}"#
            ),
            []
        );
        let more = format!(r#""x_ref":["{A}"],"x_refs":[[{{"x_ref":"{B}"}}]],"y_refs":"{M}""#);
        let paths: Vec<_> = references("report", &more).into_iter().map(|(path, ..)| path).collect();
        assert_eq!(paths, ["/x_ref/0", "/x_refs/0/0/x_ref", "/y_refs"]);
    }

    #[test]
    fn local_keys_of_observed_data_are_no_references() {
        // S-020
        let more = format!(
            r#""objects":{{"0":{{"type":"ipv4-addr"}},"1":{{"type":"network-traffic","src_ref":"0","encapsulates_refs":["0"],"x_ref":"{A}"}}}}"#
        );
        assert_eq!(references("observed-data", &more), [row("/objects/1/x_ref", A, Need::Optional)]);
    }

    #[test]
    fn texts_and_extension_keys_are_no_references() {
        // S-145
        let more = format!(
            r#""description":"{A}","external_references":[{{"source_name":"x","external_id":"{A}"}}],"labels":["{A}"],"extensions":{{"extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d":{{"extension_type":"property-extension"}}}}"#
        );
        assert_eq!(references("report", &more), []);
    }

    #[test]
    fn the_number_of_references_is_bounded() {
        let limits = Limits { references_max: 2, ..Limits::default() };
        let with = |count: usize| {
            let refs: Vec<_> = (0..count).map(|i| format!("\"indicator--8e2e2d2b-17d4-4cbf-938f-{i:012x}\"")).collect();
            let raw = format!(
                r#"{{"type":"x-any","id":"x-any--5d0092c5-5f74-4287-9642-33f4c354e56d","object_refs":[{}]}}"#,
                refs.join(",")
            );
            Object::parse(&raw, &limits)
        };
        assert_eq!(with(2).unwrap().view().references.len(), 2);
        assert_eq!(with(3).unwrap_err().to_string(), "/object_refs/2: the object has more than 2 references");
    }
}
