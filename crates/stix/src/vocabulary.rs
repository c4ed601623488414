//! The vocabularies and enumerations of section 10 (S-122). The members added by Errata 01 are among them (S-125).
//!
//! Each is a marker type for [`Open`](crate::model::Open) or [`Closed`](crate::model::Closed) values and a table.

use crate::schema::Vocabulary;

/// A vocabulary known at compile time.
pub trait Vocab {
    /// Its table.
    const TABLE: &'static Vocabulary;
}

macro_rules! vocabularies { ($($name:ident = $text:literal $section:literal $closed:literal [$($member:literal)*])*) => {
    $(
        #[doc = concat!("`", $text, "`, section ", $section, ".")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name {}
        impl Vocab for $name {
            const TABLE: &'static Vocabulary = &Vocabulary { name: $text, section: $section, closed: $closed, members: &[$($member),*] };
        }
    )*
    /// All of them, in the order of the standard's summary.
    pub const ALL: &[&Vocabulary] = &[$($name::TABLE),*];
} }

vocabularies! {
    AccountType = "account-type-ov" "10.1" false [
        "facebook" "ldap" "nis" "openid" "radius" "skype" "tacacs" "twitter" "unix" "windows-local" "windows-domain"
    ]
    AttackMotivation = "attack-motivation-ov" "10.2" false [
        "accidental" "coercion" "dominance" "ideology" "notoriety" "organizational-gain" "personal-gain" "personal-satisfaction" "revenge"
        "unpredictable"
    ]
    AttackResourceLevel = "attack-resource-level-ov" "10.3" false ["individual" "club" "contest" "team" "organization" "government"]
    EncryptionAlgorithm = "encryption-algorithm-enum" "10.4" true ["AES-256-GCM" "ChaCha20-Poly1305" "mime-type-indicated"]
    ExtensionType = "extension-type-enum" "10.5" true ["new-sdo" "new-sco" "new-sro" "property-extension" "toplevel-property-extension"]
    GroupingContext = "grouping-context-ov" "10.6" false ["suspicious-activity" "malware-analysis" "unspecified"]
    HashAlgorithm = "hash-algorithm-ov" "10.7" false ["MD5" "SHA-1" "SHA-256" "SHA-512" "SHA3-256" "SHA3-512" "SSDEEP" "TLSH"]
    IdentityClass = "identity-class-ov" "10.8" false ["individual" "group" "system" "organization" "class" "unknown"]
    ImplementationLanguage = "implementation-language-ov" "10.9" false [
        "applescript" "bash" "c" "c++" "c#" "go" "java" "javascript" "lua" "objective-c" "perl" "php" "powershell" "python" "ruby" "rust"
        "scala" "swift" "typescript" "visual-basic" "x86-32" "x86-64"
    ]
    IndicatorType = "indicator-type-ov" "10.10" false [
        "anomalous-activity" "anonymization" "benign" "compromised" "malicious-activity" "attribution" "unknown"
    ]
    IndustrySector = "industry-sector-ov" "10.11" false [
        "agriculture" "aerospace" "automotive" "chemical" "commercial" "communications" "construction" "defense" "education" "energy"
        "entertainment" "financial-services" "government" "emergency-services" "government-local" "government-national"
        "government-public-services" "government-regional" "healthcare" "hospitality-leisure" "infrastructure" "dams" "nuclear" "water"
        "insurance" "legal" "manufacturing" "mining" "non-profit" "pharmaceuticals" "retail" "technology" "telecommunications"
        "transportation" "utilities"
    ]
    InfrastructureType = "infrastructure-type-ov" "10.12" false [
        "amplification" "anonymization" "botnet" "command-and-control" "control-system" "exfiltration" "firewall" "hosting-malware"
        "hosting-target-lists" "phishing" "reconnaissance" "routers-switches" "staging" "workstation" "unknown"
    ]
    MalwareCapabilities = "malware-capabilities-ov" "10.13" false [
        "accesses-remote-machines" "anti-debugging" "anti-disassembly" "anti-emulation" "anti-memory-forensics" "anti-sandbox" "anti-vm"
        "captures-input-peripherals" "captures-output-peripherals" "captures-system-state-data" "cleans-traces-of-infection" "commits-fraud"
        "communicates-with-c2" "compromises-data-availability" "compromises-data-integrity" "compromises-system-availability"
        "controls-local-machine" "degrades-security-software" "degrades-system-updates" "determines-c2-server" "emails-spam"
        "escalates-privileges" "evades-av" "exfiltrates-data" "fingerprints-host" "hides-artifacts" "hides-executing-code" "infects-files"
        "infects-remote-machines" "installs-other-components" "persists-after-system-reboot" "prevents-artifact-access"
        "prevents-artifact-deletion" "probes-network-environment" "self-modifies" "steals-authentication-credentials"
        "violates-system-operational-integrity"
    ]
    MalwareResult = "malware-result-ov" "10.14" false ["malicious" "suspicious" "benign" "unknown"]
    MalwareType = "malware-type-ov" "10.15" false [
        "adware" "backdoor" "bot" "bootkit" "ddos" "downloader" "dropper" "exploit-kit" "keylogger" "ransomware" "remote-access-trojan"
        "resource-exploitation" "rogue-security-software" "rootkit" "screen-capture" "spyware" "trojan" "unknown" "virus" "webshell" "wiper"
        "worm"
    ]
    NetworkSocketAddressFamily = "network-socket-address-family-enum" "10.16" true [
        "AF_UNSPEC" "AF_INET" "AF_IPX" "AF_APPLETALK" "AF_NETBIOS" "AF_INET6" "AF_IRDA" "AF_BTH"
    ]
    NetworkSocketType = "network-socket-type-enum" "10.17" true ["SOCK_STREAM" "SOCK_DGRAM" "SOCK_RAW" "SOCK_RDM" "SOCK_SEQPACKET"]
    Opinion = "opinion-enum" "10.18" true ["strongly-disagree" "disagree" "neutral" "agree" "strongly-agree"]
    PatternType = "pattern-type-ov" "10.19" false ["stix" "pcre" "sigma" "snort" "suricata" "yara"]
    ProcessorArchitecture = "processor-architecture-ov" "10.20" false ["alpha" "arm" "ia-64" "mips" "powerpc" "sparc" "x86" "x86-64"]
    Region = "region-ov" "10.21" false [
        "africa" "eastern-africa" "middle-africa" "northern-africa" "southern-africa" "western-africa" "americas" "caribbean"
        "central-america" "latin-america-caribbean" "northern-america" "south-america" "asia" "central-asia" "eastern-asia" "southern-asia"
        "south-eastern-asia" "western-asia" "europe" "eastern-europe" "northern-europe" "southern-europe" "western-europe" "oceania"
        "antarctica" "australia-new-zealand" "melanesia" "micronesia" "polynesia"
    ]
    ReportType = "report-type-ov" "10.22" false [
        "attack-pattern" "campaign" "identity" "incident" "indicator" "intrusion-set" "malware" "observed-data" "threat-actor"
        "threat-report" "tool" "vulnerability"
    ]
    ThreatActorRole = "threat-actor-role-ov" "10.24" false [
        "agent" "director" "independent" "infrastructure-architect" "infrastructure-operator" "malware-author" "sponsor"
    ]
    ThreatActorSophistication = "threat-actor-sophistication-ov" "10.25" false [
        "none" "minimal" "intermediate" "advanced" "expert" "innovator" "strategic"
    ]
    ThreatActorType = "threat-actor-type-ov" "10.23" false [
        "activist" "competitor" "crime-syndicate" "criminal" "hacker" "insider-accidental" "insider-disgruntled" "nation-state"
        "private-sector" "sensationalist" "spy" "terrorist" "unknown"
    ]
    ToolType = "tool-type-ov" "10.26" false [
        "denial-of-service" "exploitation" "information-gathering" "network-capture" "credential-exploitation" "remote-access"
        "vulnerability-scanning" "unknown"
    ]
    WindowsIntegrityLevel = "windows-integrity-level-enum" "10.27" true ["low" "medium" "high" "system"]
    WindowsPebinaryType = "windows-pebinary-type-ov" "10.28" false ["dll" "exe" "sys"]
    WindowsRegistryDatatype = "windows-registry-datatype-enum" "10.29" true [
        "REG_NONE" "REG_SZ" "REG_EXPAND_SZ" "REG_BINARY" "REG_DWORD" "REG_DWORD_BIG_ENDIAN" "REG_DWORD_LITTLE_ENDIAN" "REG_LINK"
        "REG_MULTI_SZ" "REG_RESOURCE_LIST" "REG_FULL_RESOURCE_DESCRIPTION" "REG_RESOURCE_REQUIREMENTS_LIST" "REG_QWORD" "REG_INVALID_TYPE"
    ]
    WindowsServiceStartType = "windows-service-start-type-enum" "10.30" true [
        "SERVICE_AUTO_START" "SERVICE_BOOT_START" "SERVICE_DEMAND_START" "SERVICE_DISABLED" "SERVICE_SYSTEM_ALERT"
    ]
    WindowsServiceStatus = "windows-service-status-enum" "10.32" true [
        "SERVICE_CONTINUE_PENDING" "SERVICE_PAUSE_PENDING" "SERVICE_PAUSED" "SERVICE_RUNNING" "SERVICE_START_PENDING" "SERVICE_STOP_PENDING"
        "SERVICE_STOPPED"
    ]
    WindowsServiceType = "windows-service-type-enum" "10.31" true [
        "SERVICE_KERNEL_DRIVER" "SERVICE_FILE_SYSTEM_DRIVER" "SERVICE_WIN32_OWN_PROCESS" "SERVICE_WIN32_SHARE_PROCESS"
    ]
}
