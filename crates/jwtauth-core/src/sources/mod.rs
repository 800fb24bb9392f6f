//! How are the keys of a policy obtained?

#[cfg(feature = "http")]
mod client;
mod discovery;
pub mod fetch;
mod freshness;
mod load;
mod misses;
mod open;
mod reach;
mod remote;
pub mod status;
mod store;
#[cfg(test)]
pub(crate) mod testing;

pub(crate) use self::open::Environment;
pub(crate) use self::reach::Others;
pub(crate) use self::reach::{Now, Reach};
pub(crate) use self::remote::fetches_ended;
pub(crate) use self::store::{Current, KeyStore, Selection};
