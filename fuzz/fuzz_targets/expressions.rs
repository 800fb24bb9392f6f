//! The expression languages: `expression\nclaims`. A printed expression parses to an equal one.
#![no_main]

use jwtauth_core::internals::Claims;
use jwtauth_core::internals::expr::{Document, Glob, IndexRule, JmesPath, Pointer, Selector, Template};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &str| {
    let (expression, claims) = input.split_once('\n').unwrap_or((input, "{}"));
    let Ok(claims) = Claims::parse(claims) else { return };
    if let Some(pointer) = Pointer::parse(expression, IndexRule::Go) {
        pointer.find(claims.members());
    }
    Glob::new(expression).matches(input);
    if let Ok(selector) = Selector::parse(expression) {
        assert_eq!(Selector::parse(selector.as_str()).as_ref(), Ok(&selector));
    }
    if let Ok(template) = Template::parse(expression) {
        assert_eq!(Template::parse(template.as_str()).as_ref(), Ok(&template));
    }
    if let Ok(path) = JmesPath::parse(expression) {
        let _ = path.evaluate(&Document::new(claims));
    }
});
