//! A real Redis server on a socket in a folder of its own.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::folder::Folder;

/// The server. It is killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    folder: Folder,
    options: Vec<String>,
    child: Option<Child>,
}

impl Server {
    /// Starts a server whose data survive if it is killed.
    pub(crate) fn durable() -> Server {
        Server::with(&["--appendonly", "yes", "--appendfsync", "always"])
    }

    /// Starts a server with further options.
    pub(crate) fn with(options: &[&str]) -> Server {
        let mut server = Server::stopped(options);
        server.start();
        server
    }

    /// A server that is started later.
    pub(crate) fn stopped(options: &[&str]) -> Server {
        Server {
            folder: Folder::new(),
            options: options.iter().map(|option| (*option).to_owned()).collect(),
            child: None,
        }
    }

    /// Starts the process, and waits until it accepts connections.
    pub(crate) fn start(&mut self) {
        let socket = self.socket();
        let child = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--unixsocket"])
            .arg(&socket)
            .arg("--dir")
            .arg(self.folder.path())
            .args(&self.options)
            .stdout(Stdio::piped())
            .spawn();
        let mut child = child.expect("redis-server must be installed; see .ci/prepare");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(
            lines.any(|line| line.unwrap().contains("eady to accept connections")),
            "the server ended"
        );
        self.child = Some(child);
    }

    /// Kills the process without a warning.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Sends a signal to the process.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.as_ref().unwrap().id().to_string();
        assert!(
            Command::new("kill")
                .args(["-s", name, &id])
                .status()
                .unwrap()
                .success()
        );
    }

    /// The configuration of a store on the server.
    pub(crate) fn store(&self) -> Value {
        json!({ "redis": { "socket": self.socket(), "timeout": "20s" } })
    }

    /// Runs a command, and returns what the client prints.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        let client = Command::new("redis-cli")
            .arg("-s")
            .arg(self.socket())
            .args(arguments)
            .output()
            .unwrap();
        assert!(client.status.success());
        String::from_utf8_lossy(&client.stdout).trim().to_owned()
    }

    /// Waits until a replica has everything that was written before. `WAIT` only waits for what its own connection has written,
    /// so this writes something.
    pub(crate) fn wait_for_replica(&self) {
        let mut client = Command::new("redis-cli")
            .arg("-s")
            .arg(self.socket())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut commands = client.stdin.take().unwrap();
        commands.write_all(b"SET written 1\nWAIT 1 0\n").unwrap();
        drop(commands);
        let output = client.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "OK\n1");
    }

    /// Where another server must listen to be reached in place of this one.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("redis.sock")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
