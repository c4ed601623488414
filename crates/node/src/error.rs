//! What can go wrong in a node, told to its operator. Partners see only what `taxii::error` lets through.
use store::StoreError;

/// A failure, with what to do next where that is not plain.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// A configuration file is wrong; all faults of all files at once.
    #[error("the configuration is not usable:\n  {}", .0.join("\n  "))]
    Config(Vec<String>),
    /// A file could not be read or written.
    #[error("{action} `{path}` failed")]
    File {
        /// What was tried, e.g. `reading`.
        action: &'static str,
        /// The file.
        path: String,
        /// Cause.
        #[source]
        source: std::io::Error,
    },
    /// The operator asked for something that is not there or not possible; the sentence says what next.
    #[error("{0}")]
    Refused(String),
    /// The input document as a whole cannot be read.
    #[error("`{name}` cannot be read")]
    Document {
        /// Its file name.
        name: String,
        /// Why.
        #[source]
        source: stix::ObjectError,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The gate refused what the store believed visible, twice: a fault of ours; nothing left.
    #[error("the release gate and the store disagree; run `entente doctor`")]
    GateDisagrees,
    /// A peer.
    #[error("peer `{peer}`: {cause}")]
    Peer {
        /// Its name.
        peer: String,
        /// What it did.
        cause: String,
    },
}

impl NodeError {
    /// For files.
    pub(crate) fn file(action: &'static str, path: &std::path::Path, source: std::io::Error) -> Self {
        Self::File { action, path: path.display().to_string(), source }
    }
}
