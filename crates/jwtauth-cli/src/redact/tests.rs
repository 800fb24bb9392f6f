use super::*;
use crate::files::Files;

/// Every line of a file, as it is shown.
fn shown(text: &str, is_ini: bool) -> String {
    let mut files = Files::default();
    files.add("a".to_owned(), text.to_owned().into(), is_ini);
    let file = &files.all()[0];
    let secrets = secrets(file);
    let mut lines = Vec::new();
    for number in 1.. {
        let Some((start, content)) = file.line(number) else {
            break;
        };
        let all = (start, start + content.len());
        let mark = Place {
            start: all.0,
            end: all.1,
        };
        lines.push(line(file, &secrets, all, mark).0);
    }
    lines.join("\n")
}

#[test]
fn no_secret_of_a_json_file_is_shown() {
    let hidden = "c2VjcmV0LXNlY3JldC1zZWNyZXQ";
    for text in [
        format!("{{\"keys\": [{{\"secret\": \"{hidden}\"}}]}}"),
        format!("{{\"jwk\": {{\"kty\": \"oct\", \"k\": \"{hidden}\"}}}}"),
        format!("{{\"oidc_client_secret\": \"{hidden}\", \"OIDCClientSecret\": \"{hidden}\"}}"),
        format!("{{\"env\": {{\"GF_AUTH_JWT_KEY_VALUE\": \"{hidden}\"}}}}"),
        format!("{{\"pem\": \"-----BEGIN PRIVATE KEY-----\\n{hidden}\\n\"}}"),
        format!("{{\"proxy\": \"http://user:{hidden}@proxy.example\"}}"),
        format!("{{\"jwks_url\": \"https://a.example/keys?key={hidden}\"}}"),
        format!("{{\"ini\": \"[auth.jwt]\\nkey_value = {hidden}\"}}"),
        // Broken files, in which the structure is not known.
        format!("{{\"secret\": \"{hidden}"),
        format!("{{\"secret\": \"a b c\",, \"x\": \"{hidden}1\"}}"),
        format!("{{\"pem\": \"-----BEGIN EC PRIVATE KEY-----\n{hidden}\nAB==\n"),
    ] {
        let shown = shown(&text, false);
        assert!(!shown.contains(hidden) && !shown.contains("a b c"), "{shown}");
        assert!(shown.contains(REDACTED), "{shown}");
        assert!(!shown.contains("AB=="), "{shown}");
    }
}

#[test]
fn no_secret_of_an_ini_file_is_shown() {
    for text in [
        "[auth.jwt]\nkey_value = hidden\n",
        "[auth.jwt]\nkey_value = \"\"\"hidden\nhidden\n\"\"\"\nenabled = true",
        "[auth.jwt]\nkey_value = -----BEGIN PRIVATE KEY-----\nhidden\n-----END PRIVATE KEY-----\n",
        "[auth.jwt]\njwk_set_url = https://a.example/keys?token=hidden\n",
        "[security]\nadmin_password = hidden\n[database]\npassword = `hidden`\n",
        "[security]\n;secret_key = hidden\n# admin_password: hidden\n",
    ] {
        let shown = shown(text, true);
        assert!(!shown.contains("hidden"), "{shown}");
        assert!(shown.contains(REDACTED), "{shown}");
    }
    let usual = "[auth.jwt]\nenabled = true\nrole_attribute_path = contains(groups, 'a') && 'Admin'\n";
    assert_eq!(shown(usual, true), usual);
}

#[test]
fn no_secret_of_a_broken_file_is_shown() {
    for text in [
        "{'oidc_client_secret': 'correct hidden horse'}",
        "{ oidc_client_secret: hidden }",
        "oidc_client_secret: hidden",
        "{\"a\": \"\\\"\", \"client_secret\": \"a hidden\",}",
        "{\"a\": \"{\\\"secret\\\": \\\"hidden\\\"}\",}",
        "{\n  \"client_secret\":\n    \"hidden\",,\n}",
        "{\n  \"client_secret\"\n\n    : \"hidden\",,\n}",
        "{\n  \"client_secret\": \"correct\nhidden\"\n}",
        "{\n  \"client_secret\": [\n    \"a\",\n    \"hidden\"\n  ],,}",
        "client_secret: |\n  correct\n  hidden\nnext: 1",
        "{\"api_key\": \"hidden\", \"x\": 1,}",
        "{\"secret-key\": \"hidden\",}",
        "{\"env\": {\"GF_SECURITY_SECRET_KEY\": \"hidden\",}}",
        "{\"bind_passphrase\" \"hidden\"}",
        "{\"auth.token\" = hidden}",
        "{'jwk': {'kty': 'oct', 'k': 'hidden'}}",
        "{\"x\": \"Abc8Q~hidden~1.hijk.2\",}",
        "{\"x\": \"Abc8Q.hidden.1hijk.23\",}",
    ] {
        let shown = shown(text, false);
        assert!(!shown.contains("hidden"), "{shown}");
        assert!(shown.contains(REDACTED), "{shown}");
    }
    for text in [
        "[security]\nadmin_password hidden\n",
        "[security]\n\"admin_password\"\n  hidden\n",
        "[security\nsecret_key = hidden\n",
        "[a]\nb\n[database]\nmy_api_key hidden\n",
        "[a]\nb\n[smtp]\npassword; hidden\n",
    ] {
        let shown = shown(text, true);
        assert!(!shown.contains("hidden"), "{shown}");
        assert!(shown.contains(REDACTED), "{shown}");
    }
    // The rest of such a file is shown.
    let usual = "{\n  'user_claim': 'd', \"keys\": [{\"jwks_url\": \"https://keys2.login.issuer.example/v2\"}],\n  \"role_name\": \"k\"\n}";
    assert_eq!(shown(usual, false), usual);
}

#[test]
fn names_of_secrets_of_a_grafana_ini_are_known() {
    for name in [
        "secret_key",
        "api_key",
        "token",
        "passphrase",
        "admin_password",
        "GF_SECURITY_SECRET_KEY",
        "secret-key",
        "apiKey",
        "clientSecret",
    ] {
        let ini = format!("[a]\n{name} = hidden\n");
        assert!(!shown(&ini, true).contains("hidden"), "{ini}");
        let json = format!("{{\"env\": {{\"{name}\": \"hidden\"}}}}");
        assert!(!shown(&json, false).contains("hidden"), "{json}");
    }
    // The place of a token is no secret.
    let place = "{\"token\": {\"header\": \"shown\"}, \"token_ttl\": 1}";
    assert_eq!(shown(place, false), place);
}

#[test]
fn no_password_of_a_url_is_shown() {
    for password in [
        "hid/den",
        "hid,den",
        "hid)den",
        "hid'den",
        "hid<den",
        "hid:den?",
        "hid#den",
        "//:hid.den",
    ] {
        for (before, after, is_ini) in [
            ("[a]\nurl = redis://me:", "@host.example/1\n[b]\nc = d", true),
            ("[a]\nurl = \"redis://me:", "@host.example/1\"\n[b]\nc = d", true),
            ("{\"url\": \"redis://me:", "@host.example/1\"}", false),
            (
                "{\"url\":\"redis:\\/\\/me:",
                "@host.example\\/1\",\"a\":1}",
                false,
            ),
            ("{'url': \"redis://me:", "@host.example/1\",}", false),
            ("url: redis://me:", "@host.example/1", false),
        ] {
            let text = format!("{before}{password}{after}");
            let shown = shown(&text, is_ini);
            assert!(!shown.contains("den"), "{text}: {shown}");
            assert!(shown.contains("(redacted)"), "{text}: {shown}");
        }
    }
    for quote in [
        "[a]\nurl = redis://me:hid\"den@host.example\n",
        "[a]\nurl = \"redis://me:hid\"den@host.example\"\n",
        "[a]\nurl = `redis://me:hid`den@host.example`\n",
    ] {
        assert!(!shown(quote, true).contains("den"), "{quote}");
    }
    let escaped = r#"{"url":"redis://me:hid\"den@host.example"}"#;
    assert!(!shown(escaped, false).contains("den"));
    let usual = r#"{"jwks_url":"https://a.example/k","expression":"\"https://a.example/mail\" == 'a@b'","mail":"a@b"}"#;
    assert_eq!(shown(usual, false), usual);
}

/// Inputs that took hours while each `://` was searched to its end, and each secret was compared with each line.
#[test]
fn large_files_take_no_longer_than_their_length() {
    let size = 256 * 1024;
    for part in [
        "://",
        "https://",
        "://@",
        "\\",
        "\"://",
        "a.",
        "\"secret\":",
        "-----BEGIN ",
    ] {
        let text = part.repeat(size / part.len());
        for (text, is_ini) in [
            (text.clone(), false),
            (text.clone(), true),
            (
                format!("{{\"a\":{}}}", serde_json::to_string(&text).unwrap()),
                false,
            ),
        ] {
            let mut files = Files::default();
            files.add("a".to_owned(), text.into(), is_ini);
            let found = secrets(&files.all()[0]);
            assert!(found.is_sorted(), "{part}");
        }
    }
}

#[test]
fn the_mark_stays_where_it_is() {
    let mut files = Files::default();
    let text = "{\"secret\": \"abc\", \"leeway\": 1}";
    files.add("a".to_owned(), text.to_owned().into(), false);
    let file = &files.all()[0];
    let found = secrets(file);
    let all = (0, text.len());
    for marked in ["leeway", "secret", "\"abc\"", "1"] {
        let start = text.find(marked).unwrap();
        let mark = Place {
            start,
            end: start + marked.len(),
        };
        let (shown, place) = line(file, &found, all, mark);
        let expected = if marked == "\"abc\"" { REDACTED } else { marked };
        assert_eq!(
            shown.get(place.start..place.end).unwrap().trim_matches('"'),
            expected.trim_matches('"'),
            "{shown}"
        );
    }
}
