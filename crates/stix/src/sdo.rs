//! STIX domain objects (section 4). One file a type.

use crate::{model::Record as _, schema::Type};

mod attack_pattern;
mod campaign;
mod course_of_action;
mod grouping;
mod identity;
mod incident;
mod indicator;
mod infrastructure;
mod intrusion_set;
mod location;
mod malware;
mod malware_analysis;
mod note;
mod observed_data;
mod opinion;
mod report;
mod threat_actor;
mod tool;
mod vulnerability;

pub use attack_pattern::AttackPattern;
pub use campaign::Campaign;
pub use course_of_action::CourseOfAction;
pub use grouping::Grouping;
pub use identity::Identity;
pub use incident::Incident;
pub use indicator::Indicator;
pub use infrastructure::Infrastructure;
pub use intrusion_set::IntrusionSet;
pub use location::Location;
pub use malware::Malware;
pub use malware_analysis::MalwareAnalysis;
pub use note::Note;
pub use observed_data::ObservedData;
pub use opinion::Opinion;
pub use report::Report;
pub use threat_actor::ThreatActor;
pub use tool::Tool;
pub use vulnerability::Vulnerability;

/// The table of a type of this class.
pub(crate) fn type_named(name: &str) -> Option<&'static Type> {
    Some(match name {
        "attack-pattern" => AttackPattern::TABLE,
        "campaign" => Campaign::TABLE,
        "course-of-action" => CourseOfAction::TABLE,
        "grouping" => Grouping::TABLE,
        "identity" => Identity::TABLE,
        "incident" => Incident::TABLE,
        "indicator" => Indicator::TABLE,
        "infrastructure" => Infrastructure::TABLE,
        "intrusion-set" => IntrusionSet::TABLE,
        "location" => Location::TABLE,
        "malware" => Malware::TABLE,
        "malware-analysis" => MalwareAnalysis::TABLE,
        "note" => Note::TABLE,
        "observed-data" => ObservedData::TABLE,
        "opinion" => Opinion::TABLE,
        "report" => Report::TABLE,
        "threat-actor" => ThreatActor::TABLE,
        "tool" => Tool::TABLE,
        "vulnerability" => Vulnerability::TABLE,
        _ => return None,
    })
}
