//! Requests to originators (design: originator control): the release of an object to somebody else, or a version of it for lower readers (a tear line). They are states for
//! the operator's eyes and the audit log. A request tells nobody anything and opens nothing: what follows from an answer is an act of its own, a relabel, an override
//! or a new object. How a request travels between nodes is not built.
use crate::{
    Node, NodeError,
    overrides::{check_text, refused},
    world::OPERATOR,
};
use label::Origin;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use stix::{AnyId, Limits, Object, Timestamp};
use store::{Act, HeldRequest, RequestState};
use uuid::Uuid;

/// Requests that nobody has answered yet: a bound on what one person could ever look through.
pub const REQUESTS_OPEN_MAX: usize = 1_000;
/// Characters of a reason, of an answer, and of whom it is for.
pub const REQUEST_TEXT_CHARS_MAX: usize = 4_000;
/// Rows of one list.
const LIST_MAX: usize = 1_000;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RequestKind {
    /// To let somebody else have the object.
    Release,
    /// A version of it for readers who may have less.
    TearLine,
}

/// A request as an operator writes it down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewRequest {
    /// What is asked for.
    pub kind: RequestKind,
    /// The object.
    pub object: String,
    /// Its realm; `live` if absent.
    pub realm: Option<String>,
    /// Who asks: `own`, or the name of a partner.
    pub by: String,
    /// For whom.
    pub recipient: String,
    /// Why.
    pub reason: String,
}

/// What the store keeps.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Body {
    asked: NewRequest,
    /// Whose the object is: `own`, or its creator.
    originator: String,
    /// Parties by which it came here.
    from: BTreeSet<String>,
    made: String,
    answer: Option<Answer>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Answer {
    by: String,
    text: String,
    at: String,
}

impl Node {
    /// Writes a request down.
    pub(crate) fn open_request(&self, asked: NewRequest) -> Result<Value, NodeError> {
        check_text("reason", &asked.reason, REQUEST_TEXT_CHARS_MAX)?;
        check_text("recipient", &asked.recipient, REQUEST_TEXT_CHARS_MAX)?;
        let _guard = self.act_guard();
        let (now, world) = (self.now(), self.world());
        if asked.by != "own" && !world.config.agreements.contains_key(&asked.by) {
            return Err(refused(format!("`{}` asks: it is neither `own` nor a partner with an agreement", asked.by)));
        }
        let id: AnyId = asked.object.parse().map_err(|e: stix::IdError| refused(e.to_string()))?;
        let realm = asked.realm.as_deref().unwrap_or("live");
        let infos = self.store.instances(realm, &id, None)?;
        let Some(info) = infos.last() else {
            return Err(refused(format!("`{id}` is not held in realm `{realm}`")));
        };
        let object =
            Object::parse(&info.raw, &Limits::default()).map_err(|e| store::StoreError::Damaged(e.to_string()))?;
        let party = |origin: &Origin| match origin {
            Origin::Own { .. } => "own".to_owned(),
            Origin::Partner { partner: party, .. } | Origin::Peer { peer: party } => party.clone(),
        };
        let from = infos.iter().flat_map(|info| info.state.chains()).map(|chain| party(&chain.origin)).collect();
        let originator = match &object.view().created_by {
            Some(creator) if world.config.node.speaks_for(creator) => "own".to_owned(),
            Some(creator) => creator.to_string(),
            None => "unknown".to_owned(),
        };
        if self.store.requests(Some(RequestState::Open), None, REQUESTS_OPEN_MAX)?.len() >= REQUESTS_OPEN_MAX {
            return Err(refused(format!("{REQUESTS_OPEN_MAX} requests are open: answer or withdraw some first")));
        }
        let made = Timestamp::from_micros(now).as_str().to_owned();
        let id = self.environment.random.uuid();
        self.put_request(id, RequestState::Open, None, &Body { asked, originator, from, made, answer: None }, OPERATOR)
    }

    /// Writes the answer down. It opens nothing.
    pub(crate) fn answer_request(&self, id: Uuid, granted: bool, by: &str, text: &str) -> Result<Value, NodeError> {
        check_text("name of who answers", by, REQUEST_TEXT_CHARS_MAX)?;
        check_text("text", text, REQUEST_TEXT_CHARS_MAX)?;
        let state = if granted { RequestState::Granted } else { RequestState::Refused };
        self.close_request(id, state, by, text)
    }

    /// Takes a request back that nobody answered.
    pub(crate) fn withdraw_request(&self, id: Uuid, reason: &str) -> Result<Value, NodeError> {
        check_text("reason", reason, REQUEST_TEXT_CHARS_MAX)?;
        self.close_request(id, RequestState::Withdrawn, OPERATOR, reason)
    }

    fn close_request(&self, id: Uuid, state: RequestState, by: &str, text: &str) -> Result<Value, NodeError> {
        let _guard = self.act_guard();
        let held = self.held_request(id)?;
        if !held.state.may_become(state) {
            return Err(refused(format!("this request is {} already", held.state.name())));
        }
        let mut body = read_body(&held)?;
        let at = Timestamp::from_micros(self.now()).as_str().to_owned();
        body.answer = Some(Answer { by: by.to_owned(), text: text.to_owned(), at });
        self.put_request(id, state, Some(held.state), &body, by)
    }

    fn put_request(
        &self,
        id: Uuid,
        state: RequestState,
        from: Option<RequestState>,
        body: &Body,
        by: &str,
    ) -> Result<Value, NodeError> {
        let now = self.now();
        let text = serde_json::to_string(body).map_err(|e| refused(e.to_string()))?;
        let held = HeldRequest { id, state, changed: now, body: text };
        let leaf = json!({"request": id, "state": state, "asked": body.asked, "originator": body.originator, "answer": body.answer});
        let act = Act { kind: "request".to_owned(), by: by.to_owned(), body: leaf };
        self.store.put_request(&held, from, &act, now)?;
        row(&held)
    }

    fn held_request(&self, id: Uuid) -> Result<HeldRequest, NodeError> {
        let missing = || refused(format!("there is no request `{id}`; `entente request list` shows them"));
        self.store.request_by_id(id)?.ok_or_else(missing)
    }

    /// Requests in order of their making.
    pub(crate) fn list_requests(&self, state: Option<&str>, after: Option<i64>) -> Result<Value, NodeError> {
        let state = match state {
            None => None,
            Some(name) => {
                let known = RequestState::from_name(name);
                let names = RequestState::ALL.map(RequestState::name).join(", ");
                Some(known.ok_or_else(|| refused(format!("`{name}` is no state of a request; these are: {names}")))?)
            }
        };
        let mut rows = Vec::new();
        for (no, held) in self.store.requests(state, after, LIST_MAX)? {
            let mut row = row(&held)?;
            if let Some(members) = row.as_object_mut() {
                members.insert("no".to_owned(), no.into());
            }
            rows.push(row);
        }
        Ok(rows.into())
    }

    /// One request.
    pub(crate) fn show_request(&self, id: Uuid) -> Result<Value, NodeError> {
        row(&self.held_request(id)?)
    }
}

fn read_body(held: &HeldRequest) -> Result<Body, NodeError> {
    Ok(serde_json::from_str(&held.body).map_err(|e| store::StoreError::Damaged(format!("request: {e}")))?)
}

fn row(held: &HeldRequest) -> Result<Value, NodeError> {
    let Body { asked, originator, from, made, answer } = read_body(held)?;
    Ok(
        json!({"request": held.id, "state": held.state, "kind": asked.kind, "object": asked.object, "realm": asked.realm.as_deref().unwrap_or("live"),
        "originator": originator, "came_from": from, "by": asked.by, "for": asked.recipient, "reason": asked.reason, "made": made, "answer": answer}),
    )
}
