//! `windows-pebinary-ext` (section 6.7.6).

use crate::{
    Timestamp,
    json::{Map, Node, Path},
    model::{Hashes, Integer, Open, Token, Whole, stix_extension, stix_part},
    syntax,
    validate::{Check, Code, rules},
    vocabulary,
};

stix_extension! {
    /// What is specific to Windows portable executables.
    WindowsPebinaryExt = "windows-pebinary-ext" of "file", section "6.7.6", requirement "S-105", rules [more_than_its_type];
    required { pe_type: Open<vocabulary::WindowsPebinaryType>, }
    optional {
        imphash: String,
        machine_hex: Token<syntax::Hex>,
        number_of_sections: Whole,
        time_date_stamp: Timestamp,
        pointer_to_symbol_table_hex: Token<syntax::Hex>,
        number_of_symbols: Whole,
        size_of_optional_header: Whole,
        characteristics_hex: Token<syntax::Hex>,
        file_header_hashes: Hashes,
        optional_header: WindowsPeOptionalHeader,
        sections: Vec<WindowsPeSection>,
    }
}

stix_part! {
    /// The optional header of a portable executable.
    WindowsPeOptionalHeader = "windows-pe-optional-header-type", section "6.7.6", requirement "S-105", rules [rules::some_property];
    required {}
    optional {
        magic_hex: Token<syntax::Hex>,
        major_linker_version: Integer,
        minor_linker_version: Integer,
        size_of_code: Integer,
        size_of_initialized_data: Integer,
        size_of_uninitialized_data: Integer,
        address_of_entry_point: Integer,
        base_of_code: Integer,
        base_of_data: Integer,
        image_base: Integer,
        section_alignment: Integer,
        file_alignment: Integer,
        major_os_version: Integer,
        minor_os_version: Integer,
        major_image_version: Integer,
        minor_image_version: Integer,
        major_subsystem_version: Integer,
        minor_subsystem_version: Integer,
        win32_version_value_hex: Token<syntax::Hex>,
        size_of_image: Integer,
        size_of_headers: Integer,
        checksum_hex: Token<syntax::Hex>,
        subsystem_hex: Token<syntax::Hex>,
        dll_characteristics_hex: Token<syntax::Hex>,
        size_of_stack_reserve: Integer,
        size_of_stack_commit: Integer,
        size_of_heap_reserve: Integer,
        size_of_heap_commit: Integer,
        loader_flags_hex: Token<syntax::Hex>,
        number_of_rva_and_sizes: Integer,
        hashes: Hashes,
    }
}

stix_part! {
    /// A section of a portable executable.
    WindowsPeSection = "windows-pe-section-type", section "6.7.6", requirement "S-105", rules [];
    required { name: String, }
    optional { size: Whole, entropy: f64, hashes: Hashes, }
}

/// S-105: besides its type there is at least one property.
fn more_than_its_type(check: &mut Check<'_>, object: &Map<'_>, path: &Path<'_>) {
    if object.iter().all(|(name, _)| name == "pe_type") {
        check.error(path, Code::Combination, "S-105", "give at least one property besides `pe_type`");
    }
    if let Some(Node::Text(time)) = object.get("time_date_stamp")
        && time.contains('.')
    {
        let message = "the time stamp of a portable executable has whole seconds";
        check.error(&Path::Name(path, "time_date_stamp"), Code::TimePrecision, "S-105", message);
    }
}
