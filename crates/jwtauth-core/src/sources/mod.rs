//! How the keys of a policy are obtained: from the configuration, from files, or over HTTP.

#[cfg(feature = "http")]
mod client;
mod crowd;
mod discovery;
pub(crate) mod errand;
pub mod fetch;
mod freshness;
mod load;
mod misses;
mod open;
mod remote;
mod report;
pub mod status;
mod store;
#[cfg(test)]
pub(crate) mod testing;

pub(crate) use self::open::Environment;
pub(crate) use self::store::{BeforeName, Cached, KeyStore, Next, SetsInUse};

#[cfg(test)]
mod tests;
