//! Which requests the playground answers: those of its own page, with the key of its address.
//!
//! Any page in a browser, and any user of the machine, can send requests to a port of loopback. A page of another origin
//! is recognised by `Origin`, and a name that resolves to loopback by `Host`. Other users do not know the key.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use base64_simd::{STANDARD, URL_SAFE_NO_PAD};

use crate::ending::Misuse;

/// The address of the playground, and the key of its page.
pub(super) struct Guard {
    /// The host and the port, as a browser writes them.
    authority: String,
    key: String,
}

/// The part of a request that is checked.
pub(super) struct Head<'r> {
    pub(super) method: &'r str,
    pub(super) path: &'r str,
    pub(super) host: Option<&'r [u8]>,
    pub(super) origin: Option<&'r [u8]>,
    pub(super) authorization: Option<&'r [u8]>,
    pub(super) content_type: Option<&'r [u8]>,
}

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// The page. It contains no secret, so it needs no key.
    Page,
    /// The examples.
    Examples,
    /// An explanation.
    Explanation,
}

/// Why a request is not answered: its HTTP status, and a text for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) status: u16,
    pub(super) why: &'static str,
}

impl Guard {
    /// Makes a new key for this address.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub(super) fn new(authority: String) -> Result<Guard, Misuse> {
        let mut key = [0; 32];
        SystemRandom::new()
            .fill(&mut key)
            .map_err(|_| Misuse::new("the system gives no random numbers for the key of the page"))?;
        Ok(Guard {
            authority,
            key: URL_SAFE_NO_PAD.encode_to_string(key),
        })
    }

    /// The address with the key. The key is in the fragment, which a browser sends to no server and to no other page.
    pub(super) fn url(&self) -> String {
        format!("http://{}/#{}", self.authority, self.key)
    }

    /// Decides whether a request is answered.
    pub(super) fn check(&self, head: &Head<'_>) -> Result<Wanted, Refused> {
        if head.host != Some(self.authority.as_bytes()) {
            return Err(OTHER_HOST);
        }
        let own = format!("http://{}", self.authority);
        if head.origin.is_some_and(|origin| origin != own.as_bytes()) {
            return Err(OTHER_ORIGIN);
        }
        let wanted = match (head.method, head.path) {
            ("GET", "/") => return Ok(Wanted::Page),
            ("POST", "/api/examples") => Wanted::Examples,
            ("POST", "/api/explain") => Wanted::Explanation,
            (_, "/" | "/api/examples" | "/api/explain") => return Err(OTHER_METHOD),
            _ => return Err(OTHER_PATH),
        };
        let key = head
            .authorization
            .and_then(|value| value.strip_prefix(b"Bearer "));
        if key.is_none_or(|key| verify_slices_are_equal(key, self.key.as_bytes()).is_err()) {
            return Err(OTHER_KEY);
        }
        if head.content_type != Some(b"application/json") {
            return Err(OTHER_TYPE);
        }
        Ok(wanted)
    }
}

/// The content security policy of the page: its own style and script, and requests to this server.
pub(super) fn content_security_policy(page: &str) -> String {
    let hash = |name: &str| {
        let (start, end) = (format!("<{name}>"), format!("</{name}>"));
        let inside = page
            .split_once(&start)
            .and_then(|(_, rest)| rest.split_once(&end));
        let (inside, _) = inside.unwrap_or_default();
        STANDARD.encode_to_string(digest(&SHA256, inside.as_bytes()))
    };
    format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; img-src data:; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
         trusted-types 'none'",
        hash("script"),
        hash("style")
    )
}

const OTHER_HOST: Refused = Refused {
    status: 403,
    why: "open the address that the program printed: the host of this request is another one",
};
const OTHER_ORIGIN: Refused = Refused {
    status: 403,
    why: "pages of other origins get no answer",
};
const OTHER_KEY: Refused = Refused {
    status: 403,
    why: "open the address that the program printed: the key of this request is another one",
};
const OTHER_METHOD: Refused = Refused {
    status: 405,
    why: "the page is read with GET, and everything else with POST",
};
const OTHER_PATH: Refused = Refused {
    status: 404,
    why: "there is only the page `/`",
};
const OTHER_TYPE: Refused = Refused {
    status: 415,
    why: "the content type must be `application/json`",
};

#[cfg(test)]
mod tests {
    use super::*;

    fn guard() -> Guard {
        Guard {
            authority: "127.0.0.1:8080".to_owned(),
            key: "the-key".to_owned(),
        }
    }

    /// The request of the page.
    const OWN: Head<'_> = Head {
        method: "POST",
        path: "/api/explain",
        host: Some(b"127.0.0.1:8080"),
        origin: Some(b"http://127.0.0.1:8080"),
        authorization: Some(b"Bearer the-key"),
        content_type: Some(b"application/json"),
    };

    #[test]
    fn only_the_own_page_with_the_key_gets_an_answer() {
        assert_eq!(guard().check(&OWN), Ok(Wanted::Explanation));
        assert_eq!(
            guard().check(&Head { origin: None, ..OWN }),
            Ok(Wanted::Explanation)
        );
        let page = Head {
            method: "GET",
            path: "/",
            origin: None,
            authorization: None,
            content_type: None,
            ..OWN
        };
        assert_eq!(guard().check(&page), Ok(Wanted::Page));
        for (head, refused) in [
            (Head { host: None, ..OWN }, OTHER_HOST),
            (
                Head {
                    host: Some(b"localhost:8080"),
                    ..OWN
                },
                OTHER_HOST,
            ),
            (
                Head {
                    host: Some(b"127.0.0.1:8081"),
                    ..OWN
                },
                OTHER_HOST,
            ),
            (
                Head {
                    host: Some(b"rebound.example:8080"),
                    ..page
                },
                OTHER_HOST,
            ),
            (
                Head {
                    origin: Some(b"null"),
                    ..OWN
                },
                OTHER_ORIGIN,
            ),
            (
                Head {
                    origin: Some(b"https://127.0.0.1:8080"),
                    ..OWN
                },
                OTHER_ORIGIN,
            ),
            (
                Head {
                    origin: Some(b"http://evil.example"),
                    ..page
                },
                OTHER_ORIGIN,
            ),
            (
                Head {
                    authorization: None,
                    ..OWN
                },
                OTHER_KEY,
            ),
            (
                Head {
                    authorization: Some(b"Bearer the-ke"),
                    ..OWN
                },
                OTHER_KEY,
            ),
            (
                Head {
                    authorization: Some(b"Bearer "),
                    ..OWN
                },
                OTHER_KEY,
            ),
            (
                Head {
                    authorization: Some(b"the-key"),
                    ..OWN
                },
                OTHER_KEY,
            ),
            (
                Head {
                    authorization: None,
                    path: "/api/examples",
                    ..OWN
                },
                OTHER_KEY,
            ),
            (Head { method: "GET", ..OWN }, OTHER_METHOD),
            (
                Head {
                    method: "POST",
                    ..page
                },
                OTHER_METHOD,
            ),
            (
                Head {
                    path: "/api/other",
                    ..OWN
                },
                OTHER_PATH,
            ),
            (
                Head {
                    path: "/favicon.ico",
                    ..page
                },
                OTHER_PATH,
            ),
            (
                Head {
                    content_type: Some(b"text/plain"),
                    ..OWN
                },
                OTHER_TYPE,
            ),
            (
                Head {
                    content_type: None,
                    ..OWN
                },
                OTHER_TYPE,
            ),
        ] {
            assert_eq!(guard().check(&head), Err(refused));
        }
    }

    #[test]
    fn keys_are_long_and_differ() {
        let key = |guard: Guard| guard.url().split_once('#').unwrap().1.to_owned();
        let new = || key(Guard::new(String::new()).unwrap());
        let (one, other) = (new(), new());
        assert_eq!(one.len(), 43);
        assert_ne!(one, other);
    }

    #[test]
    fn the_policy_has_the_hashes_of_the_page() {
        // The SHA-256 of the empty text.
        let empty = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        let policy = content_security_policy("<style></style><script></script>");
        assert_eq!(policy.matches(empty).count(), 2, "{policy}");
        assert!(policy.starts_with("default-src 'none';"), "{policy}");
        assert!(!policy.contains("inline"), "{policy}");
    }
}
