//! DELETE, asked by those who may not know what else is held.

use crate::stage::{CLEAR, Stage, caller};
use serde_json::{Value, json};
use taxii::server::Taxii as _;

/// I1, T-122: content that another party brought, whose label the caller passes and whose target it may not see, answers a DELETE of the caller's own copy as
/// if it were not held.
#[test]
fn a_road_that_is_hidden_by_its_references_keeps_nobody_from_deleting() {
    let address = json!({"type": "ipv4-addr", "spec_version": "2.1", "id": "ipv4-addr--ff26c055-6336-5bc5-b98d-13d6226742dd",
        "value": "198.51.100.3"});
    let traffic = json!({"type": "network-traffic", "spec_version": "2.1", "id": "network-traffic--2568d22a-8998-58eb-99ec-3c8ca74f527d",
        "src_ref": address["id"], "protocols": ["tcp"], "object_marking_refs": [CLEAR]});
    let id = traffic["id"].as_str().unwrap();
    let act = |s: &Stage| -> Vec<String> {
        let mut status: Value = s.post("one", "closed", std::slice::from_ref(&traffic));
        status["id"].take();
        status["request_timestamp"].take();
        status["successes"][0]["version"].take();
        let deleted = s.node.delete(&caller("one"), "live", "closed", id, "");
        vec![status.to_string(), format!("{deleted:?}"), format!("{:?}", s.ids("one", "closed"))]
    };
    let twins = [Stage::new("delete-a"), Stage::new("delete-b")];
    // AMBER by the collection's default: hidden from the caller, and with it what refers to it.
    twins[1].import("closed", &[address.clone(), traffic.clone()]);
    assert!(twins[1].ids("one", "closed").is_empty());
    let [a, b] = [&twins[0], &twins[1]].map(act);
    assert_eq!(a, b);
    assert_eq!(a[1..], ["Ok(())".to_owned(), "[]".to_owned()]);
    // What the caller may have by the other's road stays, and it is told so.
    let s = Stage::new("delete-c");
    s.import("closed", std::slice::from_ref(&traffic));
    let mut clear = address;
    clear["object_marking_refs"] = json!([CLEAR]);
    s.import("closed", &[clear]);
    assert_eq!(act(&s)[1], "Err(Forbidden)");
}
