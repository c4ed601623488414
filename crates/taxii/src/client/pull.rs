//! A run of pages, from where a cursor stands.

use super::{
    Client, ClientError, EMPTY_PAGES_MAX, Method, PAGE_BYTES_MAX, PAGE_LIMIT, PULL_BYTES_MAX, PULL_PAGES_MAX,
    PULL_TIME_MAX_MS, Response, SERVER_CLOCK_AHEAD_MAX, Transport, encoded, is_object, json,
};
use crate::{date_added, encode::LabelAssignment};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::{
    borrow::Cow,
    collections::HashSet,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

/// Where a pull stands; kept by the caller beside what it stored. Unknown properties are refused, so that an older program does not go on from a newer one's cursor wrongly.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cursor {
    /// Everything up to here was stored, in the server's own spelling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub added_after: Option<String>,
    /// The server's `next`, inside a run (T-041).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// `X-TAXII-Date-Added-Last` of the last page with objects of the run that `next` goes on with: `added_after` of the next run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<String>,
    /// `match[type]`; empty: all. With other types, begin with a new cursor.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<String>,
}

impl Cursor {
    /// From the beginning, these types only (empty: all).
    pub fn of_types(types: Vec<String>) -> Self {
        Self { types, ..Self::default() }
    }

    /// As JSON, for storing.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The reverse of [`Self::to_json`]. `None`: not one of ours; begin anew.
    pub fn from_json(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().filter(|_| is_object(text.as_bytes()))
    }

    fn query(&self) -> String {
        let types = (!self.types.is_empty()).then(|| self.types.join(","));
        let mut query = format!("limit={PAGE_LIMIT}&match%5Bversion%5D=all");
        for (name, value) in [("match%5Btype%5D", &types), ("added_after", &self.added_after), ("next", &self.next)] {
            if let Some(value) = value {
                query.extend(["&", name, "="]);
                query.extend(encoded(value));
            }
        }
        query
    }
}

/// One page as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The envelope, byte for byte; JSON, with the standard's properties of the right types. The objects in it are not looked at.
    pub body: Vec<u8>,
    /// How many objects it has.
    pub objects: usize,
    /// Labels that an Entente peer assigned to objects of this page.
    pub assignments: Vec<LabelAssignment>,
    /// What holds once this page is stored.
    pub cursor: Cursor,
    /// Whether the server has more. `true` on the last page of a run: a bound was reached, begin the next run soon.
    pub more: bool,
}

/// Iterator of pages; ends after the last page, after an error, or at a bound of a run.
#[derive(Debug)]
pub struct Pull<'c, T> {
    client: &'c Client<T>,
    objects_url: String,
    cursor: Cursor,
    done: bool,
    may_restart: bool,
    pages: u32,
    empty: u32,
    bytes: u64,
    elapsed_ms: u64,
    /// Digests of the pages with objects and of the `next`s of this run: at most two a page, so at most [`PULL_PAGES_MAX`] of each.
    given: HashSet<u64>,
}

impl<'c, T: Transport> Pull<'c, T> {
    pub(super) fn new(client: &'c Client<T>, objects_url: String, cursor: Cursor) -> Self {
        let may_restart = cursor.next.is_some();
        Self {
            client,
            objects_url,
            cursor,
            done: false,
            may_restart,
            pages: 0,
            empty: 0,
            bytes: 0,
            elapsed_ms: 0,
            given: HashSet::new(),
        }
    }

    fn page(&mut self) -> Result<Page, ClientError> {
        let response = match self.ask() {
            // A `next` kept from an earlier run may have expired. What came since `added_after` comes again, which loses nothing.
            Err(ClientError::BadRequest | ClientError::NotFound) if self.may_restart => {
                self.cursor.next = None;
                self.cursor.seen = None;
                self.ask()?
            }
            other => other?,
        };
        self.may_restart = false;
        self.elapsed_ms = self.elapsed_ms.saturating_add(response.elapsed_ms);
        self.bytes = self.bytes.saturating_add(u64::try_from(response.body.len()).unwrap_or(u64::MAX));
        self.pages += 1;

        let envelope: Envelope<'_> = json(&response.body, "envelope")?;
        if envelope.kind.is_some() {
            return Err(ClientError::Malformed {
                what: "envelope",
                why: "it has a `type`, as a bundle has (T-067)".to_owned(),
            });
        }
        let objects = envelope.objects.as_ref().map_or(0, Vec::len);
        let latest = response.at.map_or(i64::MAX, |at| at.saturating_add(SERVER_CLOCK_AHEAD_MAX));
        let last = response
            .header("x-taxii-date-added-last")
            .filter(|v| date_added::parse(v).is_some_and(|last| last <= latest));
        let more = envelope.more.unwrap_or(false);
        if more
            && let Some(objects) = &envelope.objects
            && !objects.is_empty()
            && !self.given.insert(digest("page", objects.iter().map(|o| o.get())))
        {
            return Err(ClientError::NoProgress("gives a page that it gave before"));
        }
        let mut cursor = self.cursor.clone();
        if objects > 0 {
            cursor.advance(last);
            self.empty = 0;
        } else {
            self.empty += 1;
        }
        if more {
            self.go_on(&mut cursor, envelope.next.as_deref(), objects)?;
        } else {
            cursor.finish();
        }
        let assignments = envelope.assignments.unwrap_or_default();
        self.cursor = cursor.clone();
        self.done = !more
            || self.pages >= PULL_PAGES_MAX
            || self.bytes >= PULL_BYTES_MAX
            || self.elapsed_ms >= PULL_TIME_MAX_MS;
        Ok(Page { objects, assignments, cursor, more, body: response.body })
    }

    fn ask(&self) -> Result<Response, ClientError> {
        let request = self.client.request(
            Method::Get,
            format!("{}?{}", self.objects_url, self.cursor.query()),
            PAGE_BYTES_MAX,
        )?;
        self.client.exchange(&request, 200)
    }

    /// Moves `cursor` to the page that follows: by `next`, else by header (T-041, T-043).
    fn go_on(&mut self, cursor: &mut Cursor, next: Option<&str>, objects: usize) -> Result<(), ClientError> {
        if self.empty > EMPTY_PAGES_MAX {
            return Err(ClientError::NoProgress("gives nothing but empty pages"));
        }
        match next.filter(|n| !n.is_empty()) {
            Some(next) if self.cursor.next.as_deref() == Some(next) => {
                Err(ClientError::NoProgress("gives the same `next` again"))
            }
            Some(next) if !self.given.insert(digest("next", [next])) => {
                Err(ClientError::NoProgress("gives a `next` that it gave before"))
            }
            Some(next) => {
                cursor.next = Some(next.to_owned());
                Ok(())
            }
            None if objects == 0 => Err(ClientError::NoProgress("gives an empty page without `next`")),
            None if cursor.seen == self.cursor.seen => Err(ClientError::NoProgress(
                "gives neither `next` nor a later X-TAXII-Date-Added-Last that could be true",
            )),
            None => {
                cursor.finish();
                Ok(())
            }
        }
    }
}

impl Cursor {
    /// Takes the header of a page with objects, unless it is not later than what is known: then it says nothing.
    fn advance(&mut self, last: Option<&str>) {
        let known = self.seen.as_deref().or(self.added_after.as_deref()).and_then(date_added::parse);
        if let Some(last) = last.filter(|l| date_added::parse(l) > known) {
            self.seen = Some(last.to_owned());
        }
    }

    /// The run, or the part of it that went by `next`, is over.
    fn finish(&mut self) {
        self.next = None;
        if let Some(seen) = self.seen.take() {
            self.added_after = Some(seen);
        }
    }
}

impl<T: Transport> Iterator for Pull<'_, T> {
    type Item = Result<Page, ClientError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let page = self.page();
        self.done |= page.is_err();
        Some(page)
    }
}

/// Short, and no secret: whoever makes two of them equal ends its own pull.
fn digest<'t>(what: &str, parts: impl IntoIterator<Item = &'t str>) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    for part in parts {
        part.hash(&mut hasher);
    }
    hasher.finish()
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(default)]
    more: Option<bool>,
    #[serde(default, borrow)]
    next: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    objects: Option<Vec<&'a RawValue>>,
    #[serde(default, rename = "x_entente_label_assignments")]
    assignments: Option<Vec<LabelAssignment>>,
    #[serde(default, rename = "type", borrow)]
    kind: Option<&'a RawValue>,
}
