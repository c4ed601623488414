//! `pdf-ext` (section 6.7.4).

use crate::{
    model::{Any, Dictionary, stix_extension},
    validate::rules,
};

stix_extension! {
    /// What is specific to PDF files.
    PdfExt = "pdf-ext" of "file", section "6.7.4", requirement "S-105", rules [rules::some_property];
    required {}
    optional { version: String, is_optimized: bool, document_info_dict: Dictionary<Any>, pdfid0: String, pdfid1: String, }
}
