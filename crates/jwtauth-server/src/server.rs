//! The life of a server: start, reload, stop.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, watch};

use crate::app::App;
use crate::config::Config;
use crate::log::AccessLog;
use crate::metrics::count;
use crate::net::{self, Listener, Network};
use crate::notes::{last_note, note, note_once};
use crate::notify;
use crate::served::Served;
use crate::settings::{Invalid, Settings};
use crate::state::{self, Store};
use crate::waits::Wait;

/// What a server is started with.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Options {
    /// The configuration files: of verifiers, and with a member `server`.
    pub configs: Vec<PathBuf>,
    /// Where to listen, instead of what the configuration says.
    pub listen: Vec<String>,
    /// The store, instead of what the configuration says: `memory`, `sqlite:PATH` or the URL of a Redis server.
    pub store: Option<String>,
}

/// A running server. It stops when it is dropped, without waiting for requests.
pub struct Server {
    // Dropped last: the tasks of the others run on it.
    inner: Arc<Inner>,
    runtime: Runtime,
    addresses: Vec<SocketAddr>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Server")
            .field("addresses", &self.addresses)
            .finish_non_exhaustive()
    }
}

struct Inner {
    options: Options,
    /// Those of the start. Some of them cannot change later.
    settings: Settings,
    store: serde_json::Map<String, serde_json::Value>,
    state: Arc<dyn Store>,
    app: Arc<App>,
    network: Arc<Network>,
    /// One reload at a time.
    reloading: std::sync::Mutex<()>,
}

impl Server {
    /// Reads the configuration, listens, and answers requests.
    ///
    /// # Errors
    /// The configuration is invalid, or an address cannot be listened on.
    pub fn start(options: Options) -> Result<Server, Invalid> {
        let config = Config::read(&options.configs, options.store.as_deref())?;
        let state = state::open(&config.store)?;
        let served = Served::new(&config, &state, None)?;
        let tls = config.settings.tls.as_ref().map(net::load_tls).transpose()?;
        let runtime = Builder::new_multi_thread()
            .enable_all()
            .thread_name("jwtauth")
            .build();
        let runtime = runtime.map_err(Invalid::new)?;
        let limits = &config.settings.limits;
        let log = AccessLog::start(config.settings.log).map_err(Invalid::new)?;
        let in_memory = config.store.contains_key("memory");
        let app = Arc::new(App::new(served, limits, in_memory, log));
        let network = Arc::new(Network {
            router: app.router(),
            limits: limits.clone(),
            tls: RwLock::new(tls),
            metrics: Arc::clone(&app.metrics),
            stop: watch::Sender::new(false),
            slots: Arc::new(Semaphore::new(
                limits.connections.clamp(1, Semaphore::MAX_PERMITS),
            )),
        });
        let listeners = {
            let _entered = runtime.enter();
            listeners(&options, &config.settings)?
        };
        if limits.connections < listeners.len() {
            return Err(Invalid::new(format!(
                "`server.limits.connections`: must be at least {}, the number of sockets that are listened on",
                listeners.len()
            )));
        }
        let addresses = listeners.iter().filter_map(Listener::address).collect();
        for listener in listeners {
            runtime.spawn(Arc::clone(&network).serve(listener));
        }
        let inner = Arc::new(Inner {
            options,
            settings: config.settings,
            store: config.store,
            state,
            app,
            network,
            reloading: std::sync::Mutex::default(),
        });
        runtime.spawn(Arc::clone(&inner).sweep());
        runtime.spawn(Arc::clone(&inner).fetch());
        Ok(Server {
            inner,
            runtime,
            addresses,
        })
    }

    /// The addresses that the server listens on. Paths of sockets are not among them.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Reads the configuration and the certificate again. Requests that are being answered keep the old configuration.
    ///
    /// # Errors
    /// The new configuration is invalid. Then the old one stays.
    pub fn reload(&self) -> Result<(), Invalid> {
        self.inner.reload()
    }

    /// Waits for a signal to stop, and stops. `SIGHUP` reloads.
    ///
    /// # Errors
    /// Signals cannot be received.
    pub fn run(self) -> Result<(), Invalid> {
        let (inner, addresses) = (Arc::clone(&self.inner), self.addresses.clone());
        let done = self.runtime.block_on(async move {
            let mut hangup = signal(SignalKind::hangup())?;
            let mut terminate = signal(SignalKind::terminate())?;
            let mut interrupt = signal(SignalKind::interrupt())?;
            for address in &addresses {
                note(&format_args!("listening on {address}"));
            }
            notify::tell("READY=1");
            loop {
                tokio::select! {
                    _ = hangup.recv() => {
                        let since = notify::monotonic_micros().map(|now| format!("\nMONOTONIC_USEC={now}"));
                        notify::tell(&format!("RELOADING=1{}", since.unwrap_or_default()));
                        let inner = Arc::clone(&inner);
                        let reloaded = tokio::task::spawn_blocking(move || inner.reload()).await;
                        match reloaded {
                            Ok(Ok(())) => note(&"the configuration was read again"),
                            Ok(Err(why)) => note(&format_args!("the old configuration stays: {why}")),
                            Err(_) => note(&"the old configuration stays: internal error"),
                        }
                        notify::tell("READY=1");
                    }
                    _ = terminate.recv() => return Ok(()),
                    _ = interrupt.recv() => return Ok(()),
                }
            }
        });
        notify::tell("STOPPING=1");
        self.stop();
        done.map_err(|why: std::io::Error| Invalid::new(why))
    }

    /// Accepts no more connections, and waits for the requests that are being answered, up to `limits.stop_timeout`.
    pub fn stop(self) {
        let limits = &self.inner.settings.limits;
        let network = &self.inner.network;
        network.stop.send_replace(true);
        let all = u32::try_from(limits.connections).unwrap_or(u32::MAX);
        let ended = network.slots.acquire_many(all);
        let ended = self
            .runtime
            .block_on(async { tokio::time::timeout(limits.stop_timeout, ended).await });
        if ended.is_err() {
            last_note(&"some requests were not answered before the stop");
        }
        self.runtime.shutdown_timeout(Duration::from_secs(1));
    }
}

/// The sockets of systemd, or those that the command line names, or the configuration, or the default.
fn listeners(options: &Options, settings: &Settings) -> Result<Vec<Listener>, Invalid> {
    let activated = net::activated()?;
    if !activated.is_empty() {
        return Ok(activated);
    }
    let texts = match (options.listen.as_slice(), settings.listen.as_slice()) {
        ([], []) => &[DEFAULT_ADDRESS.to_owned()],
        ([], configured) => configured,
        (given, _) => given,
    };
    texts.iter().map(|text| net::bind(text)).collect()
}

impl Inner {
    fn reload(&self) -> Result<(), Invalid> {
        let _one = self.reloading.lock().unwrap_or_else(PoisonError::into_inner);
        let metrics = &self.app.metrics;
        let loaded = self.load();
        match &loaded {
            Ok(()) => count(&metrics.reloads),
            Err(_) => count(&metrics.failed_reloads),
        }
        loaded
    }

    fn load(&self) -> Result<(), Invalid> {
        let config = Config::read(&self.options.configs, self.options.store.as_deref())?;
        let (old, new) = (&self.settings, &config.settings);
        for (name, is_same) in [
            (
                "listen",
                !self.options.listen.is_empty() || old.listen == new.listen,
            ),
            ("limits", old.limits == new.limits),
            ("log", old.log == new.log),
            ("store", self.store == config.store),
            ("tls", old.tls.is_some() == new.tls.is_some()),
        ] {
            if !is_same {
                return Err(Invalid::new(format!(
                    "`server.{name}`: cannot change while the server runs; restart it"
                )));
            }
        }
        let tls = new.tls.as_ref().map(net::load_tls).transpose()?;
        let before = self.app.served();
        let served = Served::new(&config, &self.state, Some(&before))?;
        served.fetch_keys(&before)?;
        // From here on, nothing fails.
        *self.network.tls.write().unwrap_or_else(PoisonError::into_inner) = tls;
        self.app.replace(served);
        Ok(())
    }

    /// Fetches the keys of forward-auth if it has none: a server gets no requests before it is ready.
    async fn fetch(self: Arc<Self>) {
        let mut stop = self.network.stop.subscribe();
        loop {
            let forward = self.app.served().forward.clone();
            if let Some(errand) = forward.and_then(|forward| forward.missing_keys())
                && self
                    .app
                    .waits
                    .run(Wait::Long, move || errand.run())
                    .await
                    .is_err()
            {
                note_once(&"the keys could not be fetched: internal error");
            }
            tokio::select! {
                () = tokio::time::sleep(FETCH) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    /// Removes ended sessions every minute.
    async fn sweep(self: Arc<Self>) {
        let mut stop = self.network.stop.subscribe();
        loop {
            tokio::select! {
                () = tokio::time::sleep(SWEEP) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
            for sessions in self.app.served().sessions() {
                let swept = self.app.waits.run(Wait::Long, move || sessions.sweep()).await;
                if let Ok(Err(why)) = swept {
                    note(&format_args!("ended sessions could not be removed: {why}"));
                }
            }
        }
    }
}

const DEFAULT_ADDRESS: &str = "127.0.0.1:8200";
const FETCH: Duration = Duration::from_secs(5);
const SWEEP: Duration = Duration::from_secs(60);
