//! The validator, row by row of the requirements: what a row allows passes, and what breaks it is found under its id.
//!
//! `accept`, `warn`, `advise` and `reject` name the row first, so that `docs/reference/conformance.md` can be made of them.

mod markings;
mod objects;
mod observables;
mod types;

use serde_json::{Value, json};
use stix::{
    Limits,
    validate::{self, Finding, Level, Options},
};

const OPTIONS: Options<'static> = Options { advice: true, schemas: None };

fn findings(text: &str) -> Vec<Finding> {
    validate::object(text, &Limits::default(), &OPTIONS)
}

/// Findings about a whole document.
fn of_document(document: &Value) -> Vec<Finding> {
    let mut found = Vec::new();
    validate::document(document.to_string().as_bytes(), &Limits::default(), &OPTIONS, &mut |c| found.push(c.finding));
    found
}

/// The object without a property, its identifier as it is.
fn less(mut object: Value, name: &str) -> Value {
    object.as_object_mut().unwrap().remove(name).expect("the property is there");
    object
}

#[track_caller]
fn clean(requirement: &str, findings: &[Finding], what: &str) {
    let wrong: Vec<_> =
        findings.iter().filter(|f| f.is_error() || f.level == Level::Warning && f.requirement == requirement).collect();
    assert!(wrong.is_empty(), "{requirement}: {what}: {wrong:?}");
}

/// Found under this id at this level; nothing worse is found unless it is an error that was asked for.
#[track_caller]
fn found(requirement: &str, level: Level, findings: &[Finding], what: &str) {
    let found = findings.iter().any(|f| f.level == level && f.requirement == requirement);
    assert!(found, "{requirement}: {what}: {findings:?}");
    assert!(level == Level::Error || !findings.iter().any(Finding::is_error), "{requirement}: {what}: {findings:?}");
}

#[track_caller]
fn accept(requirement: &str, object: &Value) {
    accept_text(requirement, &object.to_string());
}

#[track_caller]
fn accept_text(requirement: &str, text: &str) {
    clean(requirement, &findings(text), text);
}

#[track_caller]
fn accept_document(requirement: &str, document: &Value) {
    clean(requirement, &of_document(document), &document.to_string());
}

#[track_caller]
fn accept_together(requirement: &str, objects: &[Value]) {
    accept_document(requirement, &json!(objects));
}

#[track_caller]
fn reject(requirement: &str, object: &Value) {
    reject_text(requirement, &object.to_string());
}

/// The finding bears the id of the rule for all types, of which the row is a case.
#[track_caller]
fn reject_as(_row: &str, requirement: &str, object: &Value) {
    reject(requirement, object);
}

#[track_caller]
fn reject_text(requirement: &str, text: &str) {
    found(requirement, Level::Error, &findings(text), text);
}

#[track_caller]
fn reject_document(requirement: &str, document: &Value) {
    found(requirement, Level::Error, &of_document(document), &document.to_string());
}

#[track_caller]
fn reject_together(requirement: &str, objects: &[Value]) {
    reject_document(requirement, &json!(objects));
}

#[track_caller]
fn warn(requirement: &str, object: &Value) {
    found(requirement, Level::Warning, &findings(&object.to_string()), &object.to_string());
}

/// The finding bears the id of the rule for all types, of which the row is a case.
#[track_caller]
fn warn_as(_row: &str, requirement: &str, object: &Value) {
    warn(requirement, object);
}

#[track_caller]
fn warn_document(requirement: &str, document: &Value) {
    found(requirement, Level::Warning, &of_document(document), &document.to_string());
}

#[track_caller]
fn warn_together(requirement: &str, objects: &[Value]) {
    warn_document(requirement, &json!(objects));
}

#[track_caller]
fn advise(requirement: &str, object: &Value) {
    found(requirement, Level::Advice, &findings(&object.to_string()), &object.to_string());
}
