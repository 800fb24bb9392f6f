//! Ordered maps, sets and lists, for code that runs seldom.
//!
//! The standard library compiles its sort for each type of item, and `collect` sorts before it builds a map or a set. Each
//! of these sorts is about nine kilobytes of the library.

use std::cmp::Ordering;

/// Collects into a map or a set, item by item. Of several values for a key, the last one counts.
pub(crate) fn collect<C: Default + Extend<T>, T>(items: impl IntoIterator<Item = T>) -> C {
    let mut collected = C::default();
    collected.extend(items);
    collected
}

/// Collects as [`collect`] does.
///
/// # Errors
/// The first one among the items.
pub(crate) fn try_collect<C: Default + Extend<T>, T, E>(
    items: impl IntoIterator<Item = Result<T, E>>,
) -> Result<C, E> {
    let mut collected = C::default();
    for item in items {
        collected.extend([item?]);
    }
    Ok(collected)
}

/// Sorts a list. The sort is stable.
pub(crate) fn sorted_by<T>(items: Vec<T>, order: impl Fn(&T, &T) -> Ordering) -> Vec<T> {
    let places = places(
        items.len(),
        &|one, other| match (items.get(one), items.get(other)) {
            (Some(one), Some(other)) => order(one, other),
            _ => Ordering::Equal,
        },
    );
    let mut items: Vec<Option<T>> = items.into_iter().map(Some).collect();
    places
        .into_iter()
        .filter_map(|place| items.get_mut(place)?.take())
        .collect()
}

/// The places of a list in the order of its items. It is not generic, so there is one sort for all types.
fn places(len: usize, order: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut places: Vec<usize> = (0..len).collect();
    places.sort_by(|one, other| order(*one, *other));
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn the_last_value_for_a_key_counts_as_in_the_standard_library() {
        let pairs = [("b", 1), ("a", 2), ("b", 3)];
        let collected: BTreeMap<&str, i32> = collect(pairs);
        assert_eq!(collected, BTreeMap::from(pairs));
        let tried: Result<BTreeMap<&str, i32>, ()> = try_collect(pairs.map(Ok));
        assert_eq!(tried, Ok(collected));
        let failed: Result<BTreeMap<&str, i32>, i32> = try_collect([Ok(("a", 1)), Err(7), Err(8)]);
        assert_eq!(failed, Err(7));
    }

    #[test]
    fn a_sort_keeps_equal_items_in_their_order() {
        let items: Vec<(usize, usize)> = (0..300).map(|place| (place * 7 % 10, place)).collect();
        let mut expected = items.clone();
        expected.sort_by_key(|(key, _)| *key);
        assert_eq!(sorted_by(items, |(one, _), (other, _)| one.cmp(other)), expected);
    }
}
