//! Tables of the cyber-observables of STIX 2.0, which stand in containers and refer to each other by key.

use super::{DICTIONARY, HASHES, INTEGER, KEY, WHOLE, may, must, table};
use crate::{
    schema::{Kind, Type, Vocabulary},
    syntax::{self, Form as _},
    validate::rules,
    vocabulary::{self, Vocab as _},
};

static PROTOCOL_FAMILY: Vocabulary = Vocabulary {
    name: "the protocol families of STIX 2.0",
    section: "",
    closed: true,
    members: &["PF_INET", "PF_IPX", "PF_APPLETALK", "PF_INET6", "PF_AX25", "PF_NETROM"],
};
const LIST_REGISTRY_VALUE: Kind = Kind::List(&Kind::Record(&REGISTRY_VALUE));

static DATA_STREAM: Type =
    table("AlternateDataStream", &[], &[must("name", Kind::Text), may("hashes", HASHES), may("size", INTEGER)], &[]);

static EMAIL_PART: Type = table(
    "EmailMIMEComponent",
    &[],
    &[
        may("body", Kind::Text),
        may("body_raw_ref", KEY),
        may("content_type", Kind::Text),
        may("content_disposition", Kind::Text),
    ],
    &[],
);

static PE_HEADER: Type = table(
    "WindowsPEOptionalHeaderType",
    &[],
    &[
        may("magic_hex", Kind::Token(syntax::Hex::TABLE)),
        may("major_linker_version", INTEGER),
        may("minor_linker_version", INTEGER),
        may("size_of_code", WHOLE),
        may("size_of_initialized_data", WHOLE),
        may("size_of_uninitialized_data", WHOLE),
        may("address_of_entry_point", INTEGER),
        may("base_of_code", INTEGER),
        may("base_of_data", INTEGER),
        may("image_base", INTEGER),
        may("section_alignment", INTEGER),
        may("file_alignment", INTEGER),
        may("major_os_version", INTEGER),
        may("minor_os_version", INTEGER),
        may("major_image_version", INTEGER),
        may("minor_image_version", INTEGER),
        may("major_subsystem_version", INTEGER),
        may("minor_subsystem_version", INTEGER),
        may("win32_version_value_hex", Kind::Token(syntax::Hex::TABLE)),
        may("size_of_image", WHOLE),
        may("size_of_headers", WHOLE),
        may("checksum_hex", Kind::Token(syntax::Hex::TABLE)),
        may("subsystem_hex", Kind::Token(syntax::Hex::TABLE)),
        may("dll_characteristics_hex", Kind::Token(syntax::Hex::TABLE)),
        may("size_of_stack_reserve", WHOLE),
        may("size_of_stack_commit", WHOLE),
        may("size_of_heap_reserve", WHOLE),
        may("size_of_heap_commit", WHOLE),
        may("loader_flags_hex", Kind::Token(syntax::Hex::TABLE)),
        may("number_of_rva_and_sizes", INTEGER),
        may("hashes", HASHES),
    ],
    &[],
);

static PE_SECTION: Type = table(
    "WindowsPESection",
    &[],
    &[must("name", Kind::Text), may("size", INTEGER), may("entropy", Kind::Float), may("hashes", HASHES)],
    &[],
);

static REGISTRY_VALUE: Type = table(
    "windows-registry-value-type",
    &[],
    &[
        must("name", Kind::Text),
        may("data", Kind::Text),
        may("data_type", Kind::Vocabulary(vocabulary::WindowsRegistryDatatype::TABLE)),
    ],
    &[],
);

static X509_EXTENSIONS: Type = table(
    "x509-v3-extensions-type",
    &[],
    &[
        may("basic_constraints", Kind::Text),
        may("name_constraints", Kind::Text),
        may("policy_constraints", Kind::Text),
        may("key_usage", Kind::Text),
        may("extended_key_usage", Kind::Text),
        may("subject_key_identifier", Kind::Text),
        may("authority_key_identifier", Kind::Text),
        may("subject_alternative_name", Kind::Text),
        may("issuer_alternative_name", Kind::Text),
        may("subject_directory_attributes", Kind::Text),
        may("crl_distribution_points", Kind::Text),
        may("inhibit_any_policy", Kind::Text),
        may("private_key_usage_period_not_before", Kind::Timestamp),
        may("private_key_usage_period_not_after", Kind::Timestamp),
        may("certificate_policies", Kind::Text),
        may("policy_mappings", Kind::Text),
    ],
    &[],
);

static ARTIFACT: Type = table(
    "artifact",
    super::CONTAINED,
    &[
        may("mime_type", Kind::Text),
        may("payload_bin", Kind::Token(syntax::Base64::TABLE)),
        may("url", Kind::Token(syntax::Url::TABLE)),
        may("hashes", HASHES),
        may("extensions", Kind::Extensions),
    ],
    &[],
);

static AUTONOMOUS_SYSTEM: Type = table(
    "autonomous-system",
    super::CONTAINED,
    &[must("number", INTEGER), may("name", Kind::Text), may("rir", Kind::Text), may("extensions", Kind::Extensions)],
    &[],
);

static DIRECTORY: Type = table(
    "directory",
    super::CONTAINED,
    &[
        must("path", Kind::Text),
        may("path_enc", Kind::Token(syntax::CharacterSet::TABLE)),
        may("created", Kind::Timestamp),
        may("modified", Kind::Timestamp),
        may("accessed", Kind::Timestamp),
        may("contains_refs", Kind::List(&KEY)),
        may("extensions", Kind::Extensions),
    ],
    &[],
);

static DOMAIN_NAME: Type = table(
    "domain-name",
    super::CONTAINED,
    &[
        must("value", Kind::Token(syntax::DomainName::TABLE)),
        may("resolves_to_refs", Kind::List(&KEY)),
        may("extensions", Kind::Extensions),
    ],
    &[],
);

static EMAIL_ADDR: Type = table(
    "email-addr",
    super::CONTAINED,
    &[
        must("value", Kind::Token(syntax::EmailAddress::TABLE)),
        may("display_name", Kind::Text),
        may("belongs_to_ref", KEY),
        may("extensions", Kind::Extensions),
    ],
    &[],
);

static EMAIL_MESSAGE: Type = table(
    "email-message",
    super::CONTAINED,
    &[
        must("is_multipart", Kind::Boolean),
        may("date", Kind::Timestamp),
        may("content_type", Kind::Text),
        may("from_ref", KEY),
        may("sender_ref", KEY),
        may("to_refs", Kind::List(&KEY)),
        may("cc_refs", Kind::List(&KEY)),
        may("bcc_refs", Kind::List(&KEY)),
        may("subject", Kind::Text),
        may("received_lines", Kind::List(&Kind::Text)),
        may("additional_header_fields", DICTIONARY),
        may("body", Kind::Text),
        may("body_multipart", Kind::List(&Kind::Record(&EMAIL_PART))),
        may("raw_email_ref", KEY),
        may("extensions", Kind::Extensions),
    ],
    &[],
);

static FILE: Type = table(
    "file",
    super::CONTAINED,
    &[
        may("hashes", HASHES),
        may("size", INTEGER),
        may("name", Kind::Text),
        may("name_enc", Kind::Token(syntax::CharacterSet::TABLE)),
        may("magic_number_hex", Kind::Token(syntax::Hex::TABLE)),
        may("mime_type", Kind::Text),
        may("created", Kind::Timestamp),
        may("modified", Kind::Timestamp),
        may("accessed", Kind::Timestamp),
        may("parent_directory_ref", KEY),
        may("is_encrypted", Kind::Boolean),
        may("encryption_algorithm", Kind::Text),
        may("decryption_key", Kind::Text),
        may("contains_refs", Kind::List(&KEY)),
        may("content_ref", KEY),
        may("extensions", Kind::Extensions),
    ],
    &[],
);

static IPV4_ADDR: Type = table(
    "ipv4-addr",
    super::CONTAINED,
    &[
        must("value", Kind::Token(syntax::Ipv4::TABLE)),
        may("resolves_to_refs", Kind::List(&KEY)),
        may("belongs_to_refs", Kind::List(&KEY)),
        may("extensions", Kind::Extensions),
    ],
    &[],
);

static IPV6_ADDR: Type = table(
    "ipv6-addr",
    super::CONTAINED,
    &[
        must("value", Kind::Token(syntax::Ipv6::TABLE)),
        may("resolves_to_refs", Kind::List(&KEY)),
        may("belongs_to_refs", Kind::List(&KEY)),
        may("extensions", Kind::Extensions),
    ],
    &[],
);

static MAC_ADDR: Type = table(
    "mac-addr",
    super::CONTAINED,
    &[must("value", Kind::Token(syntax::MacAddress::TABLE)), may("extensions", Kind::Extensions)],
    &[],
);

static MUTEX: Type =
    table("mutex", super::CONTAINED, &[must("name", Kind::Text), may("extensions", Kind::Extensions)], &[]);

static NETWORK_TRAFFIC: Type = table(
    "network-traffic",
    super::CONTAINED,
    &[
        may("start", Kind::Timestamp),
        may("end", Kind::Timestamp),
        may("is_active", Kind::Boolean),
        may("src_ref", KEY),
        may("dst_ref", KEY),
        may("src_port", Kind::Integer { min: 0, max: 65_535 }),
        may("dst_port", Kind::Integer { min: 0, max: 65_535 }),
        must("protocols", Kind::List(&Kind::Text)),
        may("src_byte_count", INTEGER),
        may("dst_byte_count", INTEGER),
        may("src_packets", INTEGER),
        may("dst_packets", INTEGER),
        may("ipfix", DICTIONARY),
        may("src_payload_ref", KEY),
        may("dst_payload_ref", KEY),
        may("encapsulates_refs", Kind::List(&KEY)),
        may("encapsulated_by_ref", KEY),
        may("extensions", Kind::Extensions),
    ],
    &[],
);

static PROCESS: Type = table(
    "process",
    super::CONTAINED,
    &[
        may("is_hidden", Kind::Boolean),
        may("pid", INTEGER),
        may("name", Kind::Text),
        may("created", Kind::Timestamp),
        may("cwd", Kind::Text),
        may("arguments", Kind::List(&Kind::Text)),
        may("command_line", Kind::Text),
        may("environment_variables", DICTIONARY),
        may("opened_connection_refs", Kind::List(&KEY)),
        may("creator_user_ref", KEY),
        may("binary_ref", KEY),
        may("parent_ref", KEY),
        may("child_refs", Kind::List(&KEY)),
        may("extensions", Kind::Extensions),
    ],
    &[rules::some_property],
);

static SOFTWARE: Type = table(
    "software",
    super::CONTAINED,
    &[
        must("name", Kind::Text),
        may("cpe", Kind::Token(syntax::Cpe::TABLE)),
        may("languages", Kind::List(&Kind::Text)),
        may("vendor", Kind::Text),
        may("version", Kind::Text),
        may("extensions", Kind::Extensions),
    ],
    &[],
);

static URL: Type = table(
    "url",
    super::CONTAINED,
    &[must("value", Kind::Token(syntax::Url::TABLE)), may("extensions", Kind::Extensions)],
    &[],
);

static USER_ACCOUNT: Type = table(
    "user-account",
    super::CONTAINED,
    &[
        must("user_id", Kind::Text),
        may("account_login", Kind::Text),
        may("account_type", Kind::Text),
        may("display_name", Kind::Text),
        may("is_service_account", Kind::Boolean),
        may("is_privileged", Kind::Boolean),
        may("can_escalate_privs", Kind::Boolean),
        may("is_disabled", Kind::Boolean),
        may("account_created", Kind::Timestamp),
        may("account_expires", Kind::Timestamp),
        may("password_last_changed", Kind::Timestamp),
        may("account_first_login", Kind::Timestamp),
        may("account_last_login", Kind::Timestamp),
        may("extensions", Kind::Extensions),
    ],
    &[],
);

static WINDOWS_REGISTRY_KEY: Type = table(
    "windows-registry-key",
    super::CONTAINED,
    &[
        must("key", Kind::Text),
        may("values", LIST_REGISTRY_VALUE),
        may("modified", Kind::Timestamp),
        may("creator_user_ref", KEY),
        may("number_of_subkeys", INTEGER),
        may("extensions", Kind::Extensions),
    ],
    &[],
);

static X509_CERTIFICATE: Type = table(
    "x509-certificate",
    super::CONTAINED,
    &[
        may("is_self_signed", Kind::Boolean),
        may("hashes", HASHES),
        may("version", Kind::Text),
        may("serial_number", Kind::Text),
        may("signature_algorithm", Kind::Text),
        may("issuer", Kind::Text),
        may("validity_not_before", Kind::Timestamp),
        may("validity_not_after", Kind::Timestamp),
        may("subject", Kind::Text),
        may("subject_public_key_algorithm", Kind::Text),
        may("subject_public_key_modulus", Kind::Text),
        may("subject_public_key_exponent", INTEGER),
        may("x509_v3_extensions", Kind::Record(&X509_EXTENSIONS)),
        may("extensions", Kind::Extensions),
    ],
    &[rules::some_property],
);

static ARCHIVE_EXT: Type = table(
    "archive-ext",
    &[],
    &[must("contains_refs", Kind::List(&KEY)), may("version", Kind::Text), may("comment", Kind::Text)],
    &[],
);

static HTTP_REQUEST_EXT: Type = table(
    "http-request-ext",
    &[],
    &[
        must("request_method", Kind::Text),
        must("request_value", Kind::Text),
        may("request_version", Kind::Text),
        may("request_header", DICTIONARY),
        may("message_body_length", INTEGER),
        may("message_body_data_ref", KEY),
    ],
    &[],
);

static ICMP_EXT: Type = table(
    "icmp-ext",
    &[],
    &[must("icmp_type_hex", Kind::Token(syntax::Hex::TABLE)), must("icmp_code_hex", Kind::Token(syntax::Hex::TABLE))],
    &[],
);

static NTFS_EXT: Type = table(
    "ntfs-ext",
    &[],
    &[may("sid", Kind::Text), may("alternate_data_streams", Kind::List(&Kind::Record(&DATA_STREAM)))],
    &[rules::some_property],
);

static PDF_EXT: Type = table(
    "pdf-ext",
    &[],
    &[
        may("version", Kind::Text),
        may("is_optimized", Kind::Boolean),
        may("document_info_dict", DICTIONARY),
        may("pdfid0", Kind::Text),
        may("pdfid1", Kind::Text),
    ],
    &[rules::some_property],
);

static RASTER_IMAGE_EXT: Type = table(
    "raster-image-ext",
    &[],
    &[
        may("image_height", INTEGER),
        may("image_width", INTEGER),
        may("bits_per_pixel", INTEGER),
        may("image_compression_algorithm", Kind::Text),
        may("exif_tags", DICTIONARY),
    ],
    &[rules::some_property],
);

static SOCKET_EXT: Type = table(
    "socket-ext",
    &[],
    &[
        must("address_family", Kind::Vocabulary(vocabulary::NetworkSocketAddressFamily::TABLE)),
        may("is_blocking", Kind::Boolean),
        may("is_listening", Kind::Boolean),
        may("protocol_family", Kind::Vocabulary(&PROTOCOL_FAMILY)),
        may("options", DICTIONARY),
        may("socket_type", Kind::Vocabulary(vocabulary::NetworkSocketType::TABLE)),
        may("socket_descriptor", INTEGER),
        may("socket_handle", INTEGER),
    ],
    &[],
);

static TCP_EXT: Type = table(
    "tcp-ext",
    &[],
    &[may("src_flags_hex", Kind::Token(syntax::Hex::TABLE)), may("dst_flags_hex", Kind::Token(syntax::Hex::TABLE))],
    &[rules::some_property],
);

static UNIX_ACCOUNT_EXT: Type = table(
    "unix-account-ext",
    &[],
    &[
        may("gid", INTEGER),
        may("groups", Kind::List(&Kind::Text)),
        may("home_dir", Kind::Text),
        may("shell", Kind::Text),
    ],
    &[rules::some_property],
);

static WINDOWS_PEBINARY_EXT: Type = table(
    "windows-pebinary-ext",
    &[],
    &[
        must("pe_type", Kind::Text),
        may("imphash", Kind::Text),
        may("machine_hex", Kind::Token(syntax::Hex::TABLE)),
        may("number_of_sections", INTEGER),
        may("time_date_stamp", Kind::Timestamp),
        may("pointer_to_symbol_table_hex", Kind::Token(syntax::Hex::TABLE)),
        may("number_of_symbols", INTEGER),
        may("size_of_optional_header", INTEGER),
        may("characteristics_hex", Kind::Token(syntax::Hex::TABLE)),
        may("file_header_hashes", HASHES),
        may("optional_header", Kind::Record(&PE_HEADER)),
        may("sections", Kind::List(&Kind::Record(&PE_SECTION))),
    ],
    &[],
);

static WINDOWS_PROCESS_EXT: Type = table(
    "windows-process-ext",
    &[],
    &[
        may("aslr_enabled", Kind::Boolean),
        may("dep_enabled", Kind::Boolean),
        may("priority", Kind::Text),
        may("owner_sid", Kind::Text),
        may("window_title", Kind::Text),
        may("startup_info", DICTIONARY),
    ],
    &[rules::some_property],
);

static WINDOWS_SERVICE_EXT: Type = table(
    "windows-service-ext",
    &[],
    &[
        must("service_name", Kind::Text),
        may("descriptions", Kind::List(&Kind::Text)),
        may("display_name", Kind::Text),
        may("group_name", Kind::Text),
        may("start_type", Kind::Vocabulary(vocabulary::WindowsServiceStartType::TABLE)),
        may("service_dll_refs", Kind::List(&KEY)),
        may("service_type", Kind::Vocabulary(vocabulary::WindowsServiceType::TABLE)),
        may("service_status", Kind::Vocabulary(vocabulary::WindowsServiceStatus::TABLE)),
    ],
    &[],
);

/// The table of a cyber-observable.
pub(super) fn type_named(name: &str) -> Option<&'static Type> {
    Some(match name {
        "artifact" => &ARTIFACT,
        "autonomous-system" => &AUTONOMOUS_SYSTEM,
        "directory" => &DIRECTORY,
        "domain-name" => &DOMAIN_NAME,
        "email-addr" => &EMAIL_ADDR,
        "email-message" => &EMAIL_MESSAGE,
        "file" => &FILE,
        "ipv4-addr" => &IPV4_ADDR,
        "ipv6-addr" => &IPV6_ADDR,
        "mac-addr" => &MAC_ADDR,
        "mutex" => &MUTEX,
        "network-traffic" => &NETWORK_TRAFFIC,
        "process" => &PROCESS,
        "software" => &SOFTWARE,
        "url" => &URL,
        "user-account" => &USER_ACCOUNT,
        "windows-registry-key" => &WINDOWS_REGISTRY_KEY,
        "x509-certificate" => &X509_CERTIFICATE,
        _ => return None,
    })
}

/// The table of a predefined extension, and the type that it extends.
pub(super) fn extension_named(name: &str) -> Option<(&'static Type, &'static str)> {
    Some(match name {
        "archive-ext" => (&ARCHIVE_EXT, "file"),
        "http-request-ext" => (&HTTP_REQUEST_EXT, "network-traffic"),
        "icmp-ext" => (&ICMP_EXT, "network-traffic"),
        "ntfs-ext" => (&NTFS_EXT, "file"),
        "pdf-ext" => (&PDF_EXT, "file"),
        "raster-image-ext" => (&RASTER_IMAGE_EXT, "file"),
        "socket-ext" => (&SOCKET_EXT, "network-traffic"),
        "tcp-ext" => (&TCP_EXT, "network-traffic"),
        "unix-account-ext" => (&UNIX_ACCOUNT_EXT, "user-account"),
        "windows-pebinary-ext" => (&WINDOWS_PEBINARY_EXT, "file"),
        "windows-process-ext" => (&WINDOWS_PROCESS_EXT, "process"),
        "windows-service-ext" => (&WINDOWS_SERVICE_EXT, "process"),
        _ => return None,
    })
}
