//! The names of Unicode properties in regular expressions.

/// Whether every release of Go reads this name in `\p{…}`.
pub(super) fn is_property(name: &str) -> bool {
    NAMES.split(' ').any(|known| known == name)
}

/// `Any`, and the keys of Go's `unicode.Categories` and `unicode.Scripts` that `regexp/syntax` of Go 1.26 accepts in
/// `\p{…}`, sorted.
///
/// Go 1.25 and later read more names, such as `Letter` and `greek`, but not those of several words, such as `Old_Italic`.
/// `Cn` and `LC` are left out, because older releases do not have them, and `Cs`, because no text contains a surrogate.
const NAMES: &str = "\
    Adlam Ahom Any Arabic Armenian Avestan Balinese Bamum Batak Bengali Bhaiksuki Bopomofo Brahmi \
    Braille Buginese Buhid C Carian Cc Cf Chakma Cham Cherokee Chorasmian Co Common Coptic Cuneiform \
    Cypriot Cyrillic Deseret Devanagari Dogra Duployan Elbasan Elymaic Ethiopic Georgian Glagolitic \
    Gothic Grantha Greek Gujarati Gurmukhi Han Hangul Hanunoo Hatran Hebrew Hiragana Inherited Javanese \
    Kaithi Kannada Katakana Kawi Kharoshthi Khmer Khojki Khudawadi L Lao Latin Lepcha Limbu Lisu Ll Lm \
    Lo Lt Lu Lycian Lydian M Mahajani Makasar Malayalam Mandaic Manichaean Marchen Mc Me Medefaidrin \
    Miao Mn Modi Mongolian Mro Multani Myanmar N Nabataean Nandinagari Nd Newa Nko Nl No Nushu Ogham \
    Oriya Osage Osmanya P Palmyrene Pc Pd Pe Pf Phoenician Pi Po Ps Rejang Runic S Samaritan Saurashtra \
    Sc Sharada Shavian Siddham Sinhala Sk Sm So Sogdian Soyombo Sundanese Syriac Tagalog Tagbanwa Takri \
    Tamil Tangsa Tangut Telugu Thaana Thai Tibetan Tifinagh Tirhuta Toto Ugaritic Vai Vithkuqi Wancho \
    Yezidi Yi Z Zl Zp Zs";

#[cfg(test)]
mod tests {
    use super::{NAMES, is_property};
    use crate::expr::selector::regex::Pattern;

    #[test]
    fn the_crate_knows_every_name() {
        assert!(NAMES.split(' ').is_sorted());
        for name in NAMES.split(' ') {
            assert!(Pattern::parse(&format!(r"\p{{{name}}}")).is_ok(), "{name}");
        }
    }

    #[test]
    fn other_names_are_not_known() {
        for name in [
            "",
            " ",
            "greek",
            "Letter",
            "Grek",
            "Old_Italic",
            "Adlam Ahom",
            "Cn",
            "^L",
            "gc=Lu",
        ] {
            assert!(!is_property(name), "{name}");
        }
    }
}
