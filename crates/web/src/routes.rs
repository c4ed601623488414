//! Every route of this crate in one list, so that tests can walk it.
//!
//! Each path is served with and without its trailing slash (C-003), for each method of its own; HEAD goes wherever GET goes. Everything else is 404, and 405 where only the method is wrong.

/// Who may reach a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Signed-in accounts.
    Account,
    /// Anyone; the reply is fixed.
    Anyone,
    /// The operator, on a listener of his own.
    Operator,
}

/// What a route does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Endpoint {
    Discovery,
    ApiRoot,
    Status,
    Collections,
    Collection,
    Manifest,
    Objects,
    Object,
    Versions,
    Health,
    Description,
    Page,
    Metrics,
    OperatorHealth,
}

/// One path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// What it does.
    pub endpoint: Endpoint,
    /// Name in metrics and logs.
    pub name: &'static str,
    /// Path with its parameters in braces, in the form with the trailing slash if it has one.
    pub path: &'static str,
    /// Methods as they stand in `Allow`.
    pub methods: &'static [&'static str],
    /// Who may reach it.
    pub audience: Audience,
}

/// All of them, in the order of the table in section 13 of the TAXII requirements.
pub const ROUTES: [Route; 14] = [
    route(Endpoint::Discovery, "discovery", "/taxii2/", READ, Audience::Account),
    route(Endpoint::ApiRoot, "api-root", "/{root}/", READ, Audience::Account),
    route(Endpoint::Status, "status", "/{root}/status/{id}/", READ, Audience::Account),
    route(Endpoint::Collections, "collections", "/{root}/collections/", READ, Audience::Account),
    route(Endpoint::Collection, "collection", "/{root}/collections/{collection}/", READ, Audience::Account),
    route(Endpoint::Manifest, "manifest", "/{root}/collections/{collection}/manifest/", READ, Audience::Account),
    route(
        Endpoint::Objects,
        "objects",
        "/{root}/collections/{collection}/objects/",
        &["GET", "HEAD", "POST"],
        Audience::Account,
    ),
    route(
        Endpoint::Object,
        "object",
        "/{root}/collections/{collection}/objects/{object}/",
        &["GET", "HEAD", "DELETE"],
        Audience::Account,
    ),
    route(
        Endpoint::Versions,
        "versions",
        "/{root}/collections/{collection}/objects/{object}/versions/",
        READ,
        Audience::Account,
    ),
    route(Endpoint::Health, "healthz", "/healthz", READ, Audience::Anyone),
    route(Endpoint::Page, "docs", "/docs/", READ, Audience::Anyone),
    route(Endpoint::Description, "openapi", "/docs/openapi.json", READ, Audience::Anyone),
    route(Endpoint::Metrics, "operator-metrics", "/metrics", READ, Audience::Operator),
    route(Endpoint::OperatorHealth, "operator-healthz", "/healthz", READ, Audience::Operator),
];

const READ: &[&str] = &["GET", "HEAD"];

const fn route(
    endpoint: Endpoint,
    name: &'static str,
    path: &'static str,
    methods: &'static [&'static str],
    audience: Audience,
) -> Route {
    Route { endpoint, name, path, methods, audience }
}

impl Route {
    /// Both spellings of the path: as it stands, and with the trailing slash added or taken away (C-003).
    pub fn spellings(&self) -> [String; 2] {
        let other = self.path.strip_suffix('/').map_or_else(|| format!("{}/", self.path), str::to_owned);
        [self.path.to_owned(), other]
    }
}
