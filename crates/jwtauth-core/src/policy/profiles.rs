//! Printing of profiles: each profile is printed as its difference from the top level.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Error as _, SerializeMap};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::{Profile, Profiles};

impl Serialize for Profiles {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut members = out.serialize_map(None)?;
        let top = self
            .top
            .as_ref()
            .map(Printed::of)
            .transpose()
            .map_err(S::Error::custom)?;
        match (&top, &self.default) {
            (Some(top), _) => top.write(&mut members)?,
            (None, Some(default)) => members.serialize_entry("default_profile", default)?,
            (None, None) => members.serialize_entry("profile_required", &true)?,
        }
        if self.ignore_case {
            members.serialize_entry("profiles_ignore_case", &true)?;
        }
        if !self.named.is_empty() {
            members.serialize_entry(
                "profiles",
                &Named {
                    profiles: self,
                    top: top.unwrap_or_default(),
                },
            )?;
        }
        members.end()
    }
}

struct Named<'p> {
    profiles: &'p Profiles,
    top: Printed,
}

impl Serialize for Named<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut members = out.serialize_map(None)?;
        for (name, profile) in &self.profiles.named {
            let printed = Printed::of(profile).map_err(S::Error::custom)?;
            members.serialize_entry(name, &printed.difference_from(&self.top))?;
        }
        members.end()
    }
}

/// The printed members of a profile, in order.
#[derive(Default)]
struct Printed(Vec<(String, Box<RawValue>)>);

impl Printed {
    fn of(profile: &Profile) -> serde_json::Result<Printed> {
        serde_json::from_str(&serde_json::to_string(profile)?)
    }

    fn get(&self, name: &str) -> Option<&RawValue> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| &**value)
    }

    /// The members that differ from those of `below`. A member that only `below` has becomes `null`.
    fn difference_from(&self, below: &Printed) -> Printed {
        let same =
            |name: &str, value: &RawValue| below.get(name).is_some_and(|other| other.get() == value.get());
        let own = self.0.iter().filter(|(name, value)| !same(name, value)).cloned();
        let removed = below.0.iter().filter(|(name, _)| self.get(name).is_none());
        Printed(
            own.chain(removed.map(|(name, _)| (name.clone(), RawValue::NULL.to_owned())))
                .collect(),
        )
    }

    fn write<M: SerializeMap>(&self, members: &mut M) -> Result<(), M::Error> {
        self.0
            .iter()
            .try_for_each(|(name, value)| members.serialize_entry(name, value))
    }
}

impl Serialize for Printed {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut members = out.serialize_map(None)?;
        self.write(&mut members)?;
        members.end()
    }
}

impl<'de> Deserialize<'de> for Printed {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Printed, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Printed;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Printed, A::Error> {
                let mut printed = Vec::new();
                while let Some(member) = members.next_entry()? {
                    printed.push(member);
                }
                Ok(Printed(printed))
            }
        }

        reader.deserialize_map(InOrder)
    }
}
