//! The servers of a Redis store, and the connections to them. The crate `redis` speaks to them.

use std::fmt;
use std::time::Duration;

use redis::cluster::{ClusterClient, ClusterConnection};
use redis::{
    Client, Cmd, Connection, ConnectionInfo, ConnectionLike, ErrorKind, RedisError, RedisResult, Value,
};

use crate::store::pool::Pool;

/// Where the entries are.
pub(super) enum Place {
    /// One server.
    Server(Client),
    /// The nodes of a cluster.
    Cluster(ClusterClient),
    /// The server that sentinels call the master of this name.
    Master {
        sentinels: Vec<Client>,
        name: String,
        /// How to log in to the master, once its address is known.
        login: Login,
    },
}

/// How to log in to a server with this host and port.
pub(super) type Login = Box<dyn Fn(&str, u16) -> RedisResult<ConnectionInfo> + Send + Sync>;

/// A reply to a command. An error is one of the server.
pub(super) type Reply = RedisResult<Value>;

/// The servers, with connections that are kept.
pub(super) struct Servers {
    place: Place,
    timeout: Duration,
    /// How many replicas must have a change before it counts.
    replicas: u64,
    pool: Pool<Link>,
}

impl fmt::Debug for Servers {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Servers")
    }
}

enum Link {
    Server(Connection),
    Cluster(Box<ClusterConnection>),
}

impl Servers {
    pub(super) fn new(place: Place, timeout: Duration, replicas: u64, connections: usize) -> Servers {
        Servers {
            place,
            timeout,
            replicas,
            pool: Pool::new(connections),
        }
    }

    /// Sends commands, and returns their replies. If all goes well, this takes one round trip; a cluster takes one for each
    /// command.
    ///
    /// A connection that was used before may turn out to be closed. Then the commands are sent once more, unless `once` is
    /// set: such commands have another effect if they are executed twice.
    ///
    /// # Errors
    /// There is no connection, or it ended. The commands may have been executed.
    pub(super) fn send(&self, commands: &[Cmd], once: bool) -> RedisResult<Vec<Reply>> {
        if let Some(link) = self.pool.take() {
            match self.send_with(link, commands) {
                Err(error) if !once && error.is_connection_dropped() => {}
                outcome => return outcome,
            }
        }
        self.send_with(self.connect()?, commands)
    }

    /// Sends commands that change entries, and waits until the replicas have the changes, if the configuration asks for it.
    ///
    /// # Errors
    /// As [`send`](Servers::send); too few replicas have the changes.
    pub(super) fn change(&self, mut commands: Vec<Cmd>, once: bool) -> RedisResult<Vec<Reply>> {
        if self.replicas == 0 {
            return self.send(&commands, once);
        }
        let mut wait = redis::cmd("WAIT");
        // The reply must come before the connection gives up.
        let longest = (self.timeout / 2).as_millis().max(1);
        wait.arg(self.replicas).arg(longest.to_string());
        commands.push(wait);
        let mut replies = self.send(&commands, once)?;
        if replies.len() < commands.len() {
            // A command failed, and the others were not sent.
            return Ok(replies);
        }
        let have: u64 = replies
            .pop()
            .transpose()?
            .map(redis::from_redis_value)
            .transpose()?
            .unwrap_or(0);
        if have < self.replicas {
            let why = format!("only {have} of {} replicas have the change", self.replicas);
            return Err((ErrorKind::Client, "replicas are missing", why).into());
        }
        Ok(replies)
    }

    fn send_with(&self, mut link: Link, commands: &[Cmd]) -> RedisResult<Vec<Reply>> {
        let outcome = link.send(commands);
        let is_usable = |reply: &Reply| {
            let code = reply.as_ref().err().and_then(RedisError::code);
            !code.is_some_and(|code| NOT_MASTER.contains(&code))
        };
        match &outcome {
            Ok(replies) if replies.iter().all(is_usable) => self.pool.keep(link),
            // The others are older than the failure, so they have probably ended as well.
            _ => self.pool.clear(),
        }
        outcome
    }

    fn connect(&self) -> RedisResult<Link> {
        match &self.place {
            Place::Server(client) => self.open(client).map(Link::Server),
            Place::Cluster(client) => client.get_connection().map(|link| Link::Cluster(Box::new(link))),
            Place::Master {
                sentinels,
                name,
                login,
            } => {
                let mut outcome = None;
                for sentinel in sentinels {
                    match self.master(sentinel, name, login) {
                        Ok(connection) => return Ok(Link::Server(connection)),
                        Err(error) => outcome = Some(error),
                    }
                }
                Err(outcome
                    .unwrap_or_else(|| (ErrorKind::EmptySentinelList, "there are no sentinels").into()))
            }
        }
    }

    /// Connects to the master that a sentinel names. Sentinels may be behind, so the server must agree that it is the master.
    fn master(&self, sentinel: &Client, name: &str, login: &Login) -> RedisResult<Connection> {
        let unknown = |why| RedisError::from((ErrorKind::MasterNameNotFoundBySentinel, why));
        let address: Option<(String, u16)> = redis::cmd("SENTINEL")
            .arg("GET-MASTER-ADDR-BY-NAME")
            .arg(name)
            .query(&mut self.open(sentinel)?)?;
        let (host, port) =
            address.ok_or_else(|| unknown("the sentinel does not know a master of this name"))?;
        let mut connection = self.open(&Client::open(login(&host, port)?)?)?;
        let role: Value = redis::cmd("ROLE").query(&mut connection)?;
        match role {
            Value::Array(items) if items.first() == Some(&Value::BulkString(b"master".to_vec())) => {
                Ok(connection)
            }
            _ => Err(unknown("the server that the sentinel named is not the master")),
        }
    }

    fn open(&self, client: &Client) -> RedisResult<Connection> {
        let connection = client.get_connection_with_timeout(self.timeout)?;
        connection.set_read_timeout(Some(self.timeout))?;
        connection.set_write_timeout(Some(self.timeout))?;
        Ok(connection)
    }
}

impl Link {
    fn send(&mut self, commands: &[Cmd]) -> RedisResult<Vec<Reply>> {
        match self {
            Link::Server(connection) => {
                let mut bytes = Vec::new();
                for command in commands {
                    command.write_packed_command(&mut bytes);
                }
                connection.send_packed_command(&bytes)?;
                let replies = commands.iter().map(|_| connection.recv_response());
                replies.map(|reply| reply.map(of_server)).collect()
            }
            // Each command goes to the node that has its key. The first one that fails is the last one.
            Link::Cluster(connection) => {
                let mut replies = Vec::with_capacity(commands.len());
                for command in commands {
                    match connection.req_command(command) {
                        Err(error) if error.code().is_none() => return Err(error),
                        reply => replies.push(reply.and_then(of_server)),
                    }
                    if replies.last().is_some_and(Result::is_err) {
                        break;
                    }
                }
                Ok(replies)
            }
        }
    }
}

/// What a server answers that is not the master after a failover, is cut off from its replicas, or has just started. A new connection
/// may lead to another server.
const NOT_MASTER: [&str; 4] = ["READONLY", "NOREPLICAS", "MASTERDOWN", "LOADING"];

fn of_server(reply: Value) -> Reply {
    reply.extract_error()
}
