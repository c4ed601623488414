//! `email-message` (section 6.6).

use crate::{
    Timestamp,
    json::{Map, Node, Path},
    model::{Dictionary, EmailMimePart, Ref, stix_type, target},
    validate::{Check, Code},
};

stix_type! {
    /// One e-mail message.
    EmailMessage = "email-message", section "6.6", requirement "S-101", common Observable, rules [body];
    required { is_multipart: bool, }
    optional {
        date: Timestamp,
        content_type: String,
        from_ref: Ref<target::EmailAddr>,
        sender_ref: Ref<target::EmailAddr>,
        to_refs: Vec<Ref<target::EmailAddr>>,
        cc_refs: Vec<Ref<target::EmailAddr>>,
        bcc_refs: Vec<Ref<target::EmailAddr>>,
        message_id: String,
        subject: String,
        received_lines: Vec<String>,
        additional_header_fields: Dictionary<Vec<String>>,
        body: String,
        body_multipart: Vec<EmailMimePart>,
        raw_email_ref: Ref<target::Artifact>,
    }
}

/// S-101: the body is one text or several parts, as `is_multipart` says.
fn body(check: &mut Check<'_>, object: &Map<'_>, path: &Path<'_>) {
    let Some(Node::Bool(is_multipart)) = object.get("is_multipart") else { return };
    let (wrong, instead) = if *is_multipart { ("body", "body_multipart") } else { ("body_multipart", "body") };
    if object.get(wrong).is_some() {
        let message = format!("`is_multipart` is {is_multipart}, so that the text belongs into `{instead}`");
        check.error(&Path::Name(path, wrong), Code::Combination, "S-101", message);
    }
}
