//! `x509-certificate` (section 6.18).

use crate::{
    Timestamp,
    model::{Hashes, Integer, stix_part, stix_type},
    validate::rules,
};

stix_type! {
    /// An X.509 certificate.
    X509Certificate = "x509-certificate", section "6.18", requirement "S-120", common Observable, rules [rules::some_property];
    required {}
    optional {
        is_self_signed: bool,
        hashes: Hashes,
        version: String,
        serial_number: String,
        signature_algorithm: String,
        issuer: String,
        validity_not_before: Timestamp,
        validity_not_after: Timestamp,
        subject: String,
        subject_public_key_algorithm: String,
        subject_public_key_modulus: String,
        subject_public_key_exponent: Integer,
        x509_v3_extensions: X509V3Extensions,
    }
}

stix_part! {
    /// Version 3 extensions of a certificate.
    X509V3Extensions = "x509-v3-extensions-type", section "6.18.2", requirement "S-120", rules [rules::some_property];
    required {}
    optional {
        basic_constraints: String,
        name_constraints: String,
        policy_constraints: String,
        key_usage: String,
        extended_key_usage: String,
        subject_key_identifier: String,
        authority_key_identifier: String,
        subject_alternative_name: String,
        issuer_alternative_name: String,
        subject_directory_attributes: String,
        crl_distribution_points: String,
        inhibit_any_policy: String,
        private_key_usage_period_not_before: Timestamp,
        private_key_usage_period_not_after: Timestamp,
        certificate_policies: String,
        policy_mappings: String,
    }
}
