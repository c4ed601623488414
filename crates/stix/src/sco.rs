//! STIX cyber-observable objects (section 6). One file a type.

use crate::{model::Record as _, schema::Type};

mod artifact;
mod autonomous_system;
mod directory;
mod domain_name;
mod email_addr;
mod email_message;
mod file;
mod ipv4_addr;
mod ipv6_addr;
mod mac_addr;
mod mutex;
mod network_traffic;
mod process;
mod software;
mod url;
mod user_account;
mod windows_registry_key;
mod x509_certificate;

pub use artifact::Artifact;
pub use autonomous_system::AutonomousSystem;
pub use directory::Directory;
pub use domain_name::DomainName;
pub use email_addr::EmailAddr;
pub use email_message::EmailMessage;
pub use file::File;
pub use ipv4_addr::Ipv4Addr;
pub use ipv6_addr::Ipv6Addr;
pub use mac_addr::MacAddr;
pub use mutex::Mutex;
pub use network_traffic::NetworkTraffic;
pub use process::Process;
pub use software::Software;
pub use url::Url;
pub use user_account::UserAccount;
pub use windows_registry_key::{WindowsRegistryKey, WindowsRegistryValue};
pub use x509_certificate::{X509Certificate, X509V3Extensions};

/// The table of a type of this class.
pub(crate) fn type_named(name: &str) -> Option<&'static Type> {
    Some(match name {
        "artifact" => Artifact::TABLE,
        "autonomous-system" => AutonomousSystem::TABLE,
        "directory" => Directory::TABLE,
        "domain-name" => DomainName::TABLE,
        "email-addr" => EmailAddr::TABLE,
        "email-message" => EmailMessage::TABLE,
        "file" => File::TABLE,
        "ipv4-addr" => Ipv4Addr::TABLE,
        "ipv6-addr" => Ipv6Addr::TABLE,
        "mac-addr" => MacAddr::TABLE,
        "mutex" => Mutex::TABLE,
        "network-traffic" => NetworkTraffic::TABLE,
        "process" => Process::TABLE,
        "software" => Software::TABLE,
        "url" => Url::TABLE,
        "user-account" => UserAccount::TABLE,
        "windows-registry-key" => WindowsRegistryKey::TABLE,
        "x509-certificate" => X509Certificate::TABLE,
        _ => return None,
    })
}
