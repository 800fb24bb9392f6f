//! The stores that are measured, and sessions in them.

use std::net::TcpListener;

use jwtauth_core::{Request, Verifier};
use jwtauth_sessions::Sessions;
use serde_json::{Value, json};

use crate::Result;
use crate::folder::Folder;
use crate::redis_server::Server;
use crate::signed::Signed;

/// A server, and a folder for a database.
pub(crate) struct Stores {
    server: Server,
    port: String,
    folder: Folder,
}

impl Stores {
    pub(crate) fn start() -> Stores {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port().to_string();
        drop(free);
        Stores {
            server: Server::with(&["--bind", "127.0.0.1", "--port", &port]),
            port,
            folder: Folder::new(),
        }
    }

    /// The name and the configuration of each store.
    pub(crate) fn all(&self) -> [(&'static str, Value); 4] {
        let [socket, loopback] = self.redis();
        let path = self.folder.path().join("sessions.db");
        [
            ("memory", json!({ "memory": {} })),
            ("SQLite", json!({ "sqlite": { "path": path, "timeout": "30s" } })),
            (socket.0, socket.1),
            (loopback.0, loopback.1),
        ]
    }

    /// Those in Redis.
    pub(crate) fn redis(&self) -> [(&'static str, Value, String); 2] {
        let address = format!("redis://127.0.0.1:{}", self.port);
        [
            (
                "Redis, socket",
                self.server.store(),
                format!("redis+unix://{}", self.server.socket().display()),
            ),
            ("Redis, loopback", json!({ "redis": { "url": address } }), address),
        ]
    }
}

impl Signed {
    /// Sessions that accept the token.
    pub(crate) fn sessions(&self, store: &Value) -> Result<Sessions> {
        Ok(Sessions::from_json(&self.with_sessions(store).to_string())?)
    }

    /// Their configuration.
    pub(crate) fn with_sessions(&self, store: &Value) -> Value {
        let jwks: Value = serde_json::from_str(&self.jwks).unwrap_or_default();
        json!({
            "dialect": "native",
            "config": {
                "keys": [{ "jwks": jwks }], "algorithms": [self.algorithm],
                "issuer": "https://id.example.com/realms/main", "audiences": ["api"],
                "identity": { "name": "sub", "email": "email", "groups": "groups" },
                "session": { "ttl": "1h" },
                "profiles": { "long": { "session": { "ttl": "2h" } }, "watched": { "session": { "ttl": "9h" } } },
            },
            "sessions": { "store": store },
        })
    }

    /// The verifier of the same configuration.
    pub(crate) fn verifier(&self) -> Result<Verifier> {
        let mut config = self.with_sessions(&Value::Null);
        config.as_object_mut().ok_or("no object")?.remove("sessions");
        let verifier = Verifier::from_json(&config.to_string())?;
        verifier.authenticate(&Request::bearer(&self.token))?;
        Ok(verifier)
    }
}
