//! Limits in time, of which 0 and less mean none.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::duration::GoDuration;

#[expect(
    clippy::ref_option,
    reason = "serde hands over a reference to the field"
)]
pub(super) fn serialize<S: Serializer>(
    limit: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let nanos = limit.map_or(0, |limit| {
        i64::try_from(limit.as_nanos()).unwrap_or(i64::MAX)
    });
    GoDuration::from_nanos(nanos).serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    GoDuration::deserialize(deserializer).map(GoDuration::positive)
}
