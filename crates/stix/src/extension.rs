//! Predefined extensions of cyber-observables (section 6). One file a type.

use crate::{
    model::{Predefined as _, Record as _},
    schema::Type,
};

mod archive_ext;
mod http_request_ext;
mod icmp_ext;
mod ntfs_ext;
mod pdf_ext;
mod raster_image_ext;
mod socket_ext;
mod tcp_ext;
mod unix_account_ext;
mod windows_pebinary_ext;
mod windows_process_ext;
mod windows_service_ext;

pub use archive_ext::ArchiveExt;
pub use http_request_ext::HttpRequestExt;
pub use icmp_ext::IcmpExt;
pub use ntfs_ext::{AlternateDataStream, NtfsExt};
pub use pdf_ext::PdfExt;
pub use raster_image_ext::RasterImageExt;
pub use socket_ext::SocketExt;
pub use tcp_ext::TcpExt;
pub use unix_account_ext::UnixAccountExt;
pub use windows_pebinary_ext::{WindowsPeOptionalHeader, WindowsPeSection, WindowsPebinaryExt};
pub use windows_process_ext::WindowsProcessExt;
pub use windows_service_ext::WindowsServiceExt;

/// The table of a predefined extension, and the SCO type that it extends.
pub(crate) fn extension_named(name: &str) -> Option<(&'static Type, &'static str)> {
    Some(match name {
        "archive-ext" => (ArchiveExt::TABLE, ArchiveExt::OF),
        "ntfs-ext" => (NtfsExt::TABLE, NtfsExt::OF),
        "pdf-ext" => (PdfExt::TABLE, PdfExt::OF),
        "raster-image-ext" => (RasterImageExt::TABLE, RasterImageExt::OF),
        "windows-pebinary-ext" => (WindowsPebinaryExt::TABLE, WindowsPebinaryExt::OF),
        "http-request-ext" => (HttpRequestExt::TABLE, HttpRequestExt::OF),
        "icmp-ext" => (IcmpExt::TABLE, IcmpExt::OF),
        "socket-ext" => (SocketExt::TABLE, SocketExt::OF),
        "tcp-ext" => (TcpExt::TABLE, TcpExt::OF),
        "windows-process-ext" => (WindowsProcessExt::TABLE, WindowsProcessExt::OF),
        "windows-service-ext" => (WindowsServiceExt::TABLE, WindowsServiceExt::OF),
        "unix-account-ext" => (UnixAccountExt::TABLE, UnixAccountExt::OF),
        _ => return None,
    })
}
