//! What kind of value a property of a cyber-observable object holds, for STIX 2.0 and 2.1 together (P-030, PD-11).
//!
//! The matcher needs it for timestamps, which JSON writes as strings; the linter for names and constants that cannot fit.

use super::Step;
use PropertyKind::{
    Any, Binary, Boolean, Dictionary, Extensions, Float, Hashes, Hex, Integer, Object, Reference, References, String,
    Strings, Timestamp,
};

/// The kind of a property's value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum PropertyKind {
    Boolean,
    Integer,
    Float,
    String,
    Timestamp,
    Hex,
    Binary,
    /// An id, or in 2.0 a key of `objects`.
    Reference,
    References,
    Strings,
    /// Names of algorithms to hex strings.
    Hashes,
    /// Free keys, free values.
    Dictionary,
    Extensions,
    /// Known members.
    Object(&'static [Property]),
    /// Of objects with known members.
    Objects(&'static [Property]),
    /// Not one kind: strings or lists of them.
    Any,
}

type Property = (&'static str, PropertyKind);

/// What every object has.
const COMMON: &[Property] = &[
    ("type", String),
    ("id", String),
    ("spec_version", String),
    ("object_marking_refs", Strings),
    ("granular_markings", Any),
    ("defanged", Boolean),
    ("extensions", Extensions),
];

const MIME_PART: &[Property] =
    &[("body", String), ("body_raw_ref", Reference), ("content_type", String), ("content_disposition", String)];
const REGISTRY_VALUE: &[Property] = &[("name", String), ("data", String), ("data_type", String)];
const X509_V3: &[Property] = &[
    ("basic_constraints", String),
    ("name_constraints", String),
    ("policy_constraints", String),
    ("key_usage", String),
    ("extended_key_usage", String),
    ("subject_key_identifier", String),
    ("authority_key_identifier", String),
    ("subject_alternative_name", String),
    ("issuer_alternative_name", String),
    ("subject_directory_attributes", String),
    ("crl_distribution_points", String),
    ("inhibit_any_policy", String),
    ("private_key_usage_period_not_before", Timestamp),
    ("private_key_usage_period_not_after", Timestamp),
    ("certificate_policies", String),
    ("policy_mappings", String),
];

/// The types of STIX 2.0 and 2.1 with their properties beside [`COMMON`].
const TYPES: &[(&str, &[Property])] = &[
    (
        "artifact",
        &[
            ("mime_type", String),
            ("payload_bin", Binary),
            ("url", String),
            ("hashes", Hashes),
            ("encryption_algorithm", String),
            ("decryption_key", String),
        ],
    ),
    ("autonomous-system", &[("number", Integer), ("name", String), ("rir", String)]),
    (
        "directory",
        &[
            ("path", String),
            ("path_enc", String),
            ("ctime", Timestamp),
            ("mtime", Timestamp),
            ("atime", Timestamp),
            ("created", Timestamp),
            ("modified", Timestamp),
            ("accessed", Timestamp),
            ("contains_refs", References),
        ],
    ),
    ("domain-name", &[("value", String), ("resolves_to_refs", References)]),
    ("email-addr", &[("value", String), ("display_name", String), ("belongs_to_ref", Reference)]),
    (
        "email-message",
        &[
            ("is_multipart", Boolean),
            ("date", Timestamp),
            ("content_type", String),
            ("from_ref", Reference),
            ("sender_ref", Reference),
            ("to_refs", References),
            ("cc_refs", References),
            ("bcc_refs", References),
            ("message_id", String),
            ("subject", String),
            ("received_lines", Strings),
            ("additional_header_fields", Dictionary),
            ("body", String),
            ("body_multipart", PropertyKind::Objects(MIME_PART)),
            ("raw_email_ref", Reference),
        ],
    ),
    (
        "file",
        &[
            ("hashes", Hashes),
            ("size", Integer),
            ("name", String),
            ("name_enc", String),
            ("magic_number_hex", Hex),
            ("mime_type", String),
            ("ctime", Timestamp),
            ("mtime", Timestamp),
            ("atime", Timestamp),
            ("created", Timestamp),
            ("modified", Timestamp),
            ("accessed", Timestamp),
            ("parent_directory_ref", Reference),
            ("contains_refs", References),
            ("content_ref", Reference),
            ("is_encrypted", Boolean),
            ("encryption_algorithm", String),
            ("decryption_key", String),
        ],
    ),
    ("ipv4-addr", &[("value", String), ("resolves_to_refs", References), ("belongs_to_refs", References)]),
    ("ipv6-addr", &[("value", String), ("resolves_to_refs", References), ("belongs_to_refs", References)]),
    ("mac-addr", &[("value", String)]),
    ("mutex", &[("name", String)]),
    (
        "network-traffic",
        &[
            ("start", Timestamp),
            ("end", Timestamp),
            ("is_active", Boolean),
            ("src_ref", Reference),
            ("dst_ref", Reference),
            ("src_port", Integer),
            ("dst_port", Integer),
            ("protocols", Strings),
            ("src_byte_count", Integer),
            ("dst_byte_count", Integer),
            ("src_packets", Integer),
            ("dst_packets", Integer),
            ("ipfix", Dictionary),
            ("src_payload_ref", Reference),
            ("dst_payload_ref", Reference),
            ("encapsulates_refs", References),
            ("encapsulated_by_ref", Reference),
        ],
    ),
    (
        "process",
        &[
            ("is_hidden", Boolean),
            ("pid", Integer),
            ("name", String),
            ("created", Timestamp),
            ("created_time", Timestamp),
            ("cwd", String),
            ("arguments", Strings),
            ("command_line", String),
            ("environment_variables", Dictionary),
            ("opened_connection_refs", References),
            ("creator_user_ref", Reference),
            ("binary_ref", Reference),
            ("image_ref", Reference),
            ("parent_ref", Reference),
            ("child_refs", References),
        ],
    ),
    (
        "software",
        &[
            ("name", String),
            ("cpe", String),
            ("swid", String),
            ("languages", Strings),
            ("vendor", String),
            ("version", String),
        ],
    ),
    ("url", &[("value", String)]),
    (
        "user-account",
        &[
            ("user_id", String),
            ("credential", String),
            ("account_login", String),
            ("account_type", String),
            ("display_name", String),
            ("is_service_account", Boolean),
            ("is_privileged", Boolean),
            ("can_escalate_privs", Boolean),
            ("is_disabled", Boolean),
            ("account_created", Timestamp),
            ("account_expires", Timestamp),
            ("credential_last_changed", Timestamp),
            ("password_last_changed", Timestamp),
            ("account_first_login", Timestamp),
            ("account_last_login", Timestamp),
        ],
    ),
    (
        "windows-registry-key",
        &[
            ("key", String),
            ("values", PropertyKind::Objects(REGISTRY_VALUE)),
            ("modified", Timestamp),
            ("modified_time", Timestamp),
            ("creator_user_ref", Reference),
            ("number_of_subkeys", Integer),
        ],
    ),
    (
        "x509-certificate",
        &[
            ("is_self_signed", Boolean),
            ("hashes", Hashes),
            ("version", String),
            ("serial_number", String),
            ("signature_algorithm", String),
            ("issuer", String),
            ("validity_not_before", Timestamp),
            ("validity_not_after", Timestamp),
            ("subject", String),
            ("subject_public_key_algorithm", String),
            ("subject_public_key_modulus", String),
            ("subject_public_key_exponent", Integer),
            ("x509_v3_extensions", Object(X509_V3)),
        ],
    ),
];

/// The extensions of the standard that a path may enter.
const EXTENSIONS: &[(&str, &[Property])] = &[
    ("archive-ext", &[("contains_refs", References), ("version", String), ("comment", String)]),
    (
        "ntfs-ext",
        &[
            ("sid", String),
            (
                "alternate_data_streams",
                PropertyKind::Objects(&[("name", String), ("hashes", Hashes), ("size", Integer)]),
            ),
        ],
    ),
    (
        "pdf-ext",
        &[
            ("version", String),
            ("is_optimized", Boolean),
            ("document_info_dict", Dictionary),
            ("pdfid0", String),
            ("pdfid1", String),
        ],
    ),
    (
        "raster-image-ext",
        &[
            ("image_height", Integer),
            ("image_width", Integer),
            ("bits_per_pixel", Integer),
            ("image_compression_algorithm", String),
            ("exif_tags", Dictionary),
        ],
    ),
    (
        "windows-pebinary-ext",
        &[
            ("pe_type", String),
            ("imphash", String),
            ("machine_hex", Hex),
            ("number_of_sections", Integer),
            ("time_date_stamp", Timestamp),
            ("pointer_to_symbol_table_hex", Hex),
            ("number_of_symbols", Integer),
            ("size_of_optional_header", Integer),
            ("characteristics_hex", Hex),
            ("file_header_hashes", Hashes),
            ("optional_header", Any),
            (
                "sections",
                PropertyKind::Objects(&[("name", String), ("size", Integer), ("entropy", Float), ("hashes", Hashes)]),
            ),
        ],
    ),
    (
        "http-request-ext",
        &[
            ("request_method", String),
            ("request_value", String),
            ("request_version", String),
            ("request_header", Dictionary),
            ("message_body_length", Integer),
            ("message_body_data_ref", Reference),
        ],
    ),
    ("icmp-ext", &[("icmp_type_hex", Hex), ("icmp_code_hex", Hex)]),
    (
        "socket-ext",
        &[
            ("address_family", String),
            ("is_blocking", Boolean),
            ("is_listening", Boolean),
            ("protocol_family", String),
            ("options", Dictionary),
            ("socket_type", String),
            ("socket_descriptor", Integer),
            ("socket_handle", Integer),
        ],
    ),
    ("tcp-ext", &[("src_flags_hex", Hex), ("dst_flags_hex", Hex)]),
    (
        "windows-process-ext",
        &[
            ("aslr_enabled", Boolean),
            ("dep_enabled", Boolean),
            ("priority", String),
            ("owner_sid", String),
            ("window_title", String),
            ("startup_info", Dictionary),
            ("integrity_level", String),
        ],
    ),
    (
        "windows-service-ext",
        &[
            ("service_name", String),
            ("descriptions", Strings),
            ("display_name", String),
            ("group_name", String),
            ("start_type", String),
            ("service_dll_refs", References),
            ("service_type", String),
            ("service_status", String),
        ],
    ),
    ("unix-account-ext", &[("gid", Integer), ("groups", Strings), ("home_dir", String), ("shell", String)]),
];

/// What the standard says about the end of a path.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Known {
    /// A value of this kind.
    As(PropertyKind),
    /// The standard leaves it open: a custom type, a dictionary, an extension of others.
    Open,
    /// The type is the standard's and has no such property there.
    Absent,
}

/// Whether the standard defines `object_type`.
pub(super) fn is_standard(object_type: &str) -> bool {
    TYPES.iter().any(|(name, _)| *name == object_type)
}

/// What `steps` lead to on an object of `object_type`, as far as they do not follow a reference.
pub(super) fn known(object_type: &str, steps: &[Step]) -> Known {
    let Some((_, own)) = TYPES.iter().find(|(name, _)| *name == object_type) else { return Known::Open };
    let member = |name: &str, list: &'static [Property]| list.iter().find(|(n, _)| *n == name).map(|(_, kind)| *kind);
    let mut steps = steps.iter();
    let Some(Step::Property(first)) = steps.next() else { return Known::Absent };
    let Some(mut kind) = member(first, own).or_else(|| member(first, COMMON)) else { return Known::Absent };
    for step in steps {
        kind = match (kind, step) {
            (Object(members) | PropertyKind::Objects(members), Step::Property(name)) => match member(name, members) {
                // An object in a list has no members before an index is given.
                Some(_) if matches!(kind, PropertyKind::Objects(_)) => return Known::Absent,
                Some(kind) => kind,
                None => return Known::Absent,
            },
            (PropertyKind::Objects(members), _) => Object(members),
            (Strings, Step::Index(_) | Step::Any) | (Hashes, Step::Property(_)) => String,
            (References, Step::Index(_) | Step::Any) => Reference,
            (Extensions, Step::Property(name)) => match EXTENSIONS.iter().find(|(n, _)| *n == name.as_ref()) {
                Some((_, members)) => Object(members),
                None => return Known::Open,
            },
            (Dictionary | Any, _) => return Known::Open,
            _ => return Known::Absent,
        };
    }
    Known::As(kind)
}
