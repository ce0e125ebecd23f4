//! Opening the sockets of a connection file: one listener for each channel, and one clear error where that cannot be.

use std::fmt;
use std::fs;
use std::io::{self, ErrorKind};
use std::net::TcpListener;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use zeromq::Listener;

use crate::wire::connection::{Channel, Connection, Endpoint};

/// The listeners of all channels.
#[derive(Debug)]
pub(crate) struct Listeners {
    pub(crate) shell: Listener,
    pub(crate) control: Listener,
    pub(crate) iopub: Listener,
    pub(crate) stdin: Listener,
    pub(crate) heartbeat: Listener,
    /// Removes the socket files of ipc when it is dropped.
    pub(crate) files: Files,
}

/// Opens every socket of `connection`, or none.
pub(crate) fn listen(connection: &Connection) -> Result<Listeners, BindError> {
    let mut files = Files::default();
    let mut open = |channel| {
        let endpoint = connection.endpoint(channel);
        match open(&endpoint) {
            Ok(listener) => {
                files.remember(&endpoint);
                Ok(listener)
            }
            Err(fault) => Err(BindError { channel, endpoint, fault }),
        }
    };
    Ok(Listeners {
        shell: open(Channel::Shell)?,
        control: open(Channel::Control)?,
        iopub: open(Channel::Iopub)?,
        stdin: open(Channel::Stdin)?,
        heartbeat: open(Channel::Heartbeat)?,
        files,
    })
}

fn open(endpoint: &Endpoint) -> Result<Listener, Fault> {
    match endpoint {
        Endpoint::Tcp { host, port } => {
            // ZeroMQ's word for every interface.
            let host = if host == "*" { "0.0.0.0" } else { host };
            Ok(TcpListener::bind((host, *port)).map_err(Fault::from_bind)?.into())
        }
        Endpoint::Ipc(path) => Ok(open_file(path)?.into()),
    }
}

/// Listens at `path`, where the socket of a kernel that was killed may still lie.
fn open_file(path: &Path) -> Result<UnixListener, Fault> {
    match UnixListener::bind(path) {
        Err(error) if error.kind() == ErrorKind::AddrInUse && is_stale(path)? => {
            tracing::info!("the socket {} has no listener any more: it is replaced", path.display());
            fs::remove_file(path).map_err(Fault::Other)?;
            UnixListener::bind(path).map_err(Fault::from_bind)
        }
        result => result.map_err(Fault::from_bind),
    }
}

/// Whether what lies at `path` is a socket on which nobody listens.
fn is_stale(path: &Path) -> Result<bool, Fault> {
    let kind = fs::symlink_metadata(path).map_err(Fault::Other)?.file_type();
    if !kind.is_socket() {
        return Err(Fault::NotASocket);
    }
    Ok(UnixStream::connect(path).is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused))
}

/// Socket files that lie on disk as long as this lives.
#[derive(Debug, Default)]
pub(crate) struct Files(Vec<PathBuf>);

impl Files {
    fn remember(&mut self, endpoint: &Endpoint) {
        if let Endpoint::Ipc(path) = endpoint {
            self.0.push(path.clone());
        }
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        for path in &self.0 {
            match fs::remove_file(path) {
                // ZeroMQ may have removed it when it closed the socket.
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    tracing::warn!("the socket {} could not be removed: {error}", path.display());
                }
                _ => {}
            }
        }
    }
}

/// Why a socket cannot be opened.
#[derive(Debug)]
pub(crate) struct BindError {
    channel: Channel,
    endpoint: Endpoint,
    fault: Fault,
}

#[derive(Debug)]
enum Fault {
    InUse,
    NotASocket,
    Other(io::Error),
}

impl Fault {
    fn from_bind(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::AddrInUse => Self::InUse,
            _ => Self::Other(error),
        }
    }
}

impl fmt::Display for BindError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { channel, endpoint, fault } = self;
        let what = channel.key();
        match fault {
            Fault::InUse => write!(
                formatter,
                "{endpoint}, which the connection file gives as `{what}`, is in use by another process: end that process, or \
                 start the kernel again from Jupyter, which then chooses other ports"
            ),
            Fault::NotASocket => write!(
                formatter,
                "{endpoint}, which the connection file gives as `{what}`, is a file that is not a socket: remove it, or start \
                 the kernel again from Jupyter"
            ),
            Fault::Other(error) => write!(
                formatter,
                "cannot listen at {endpoint}, which the connection file gives as `{what}` ({error}): check that the address \
                 belongs to this machine and that you may use it"
            ),
        }
    }
}

impl std::error::Error for BindError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::connection::tests::connection;

    /// A connection over ipc in `folder`.
    fn ipc(folder: &Path) -> Connection {
        connection("ipc", &folder.join("kernel").display().to_string(), [1, 2, 3, 4, 5], "")
    }

    fn check(result: Result<Listeners, BindError>, expected: &[&str]) {
        let error = result.unwrap_err().to_string();
        for part in expected {
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn a_port_in_use_is_named() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let connection = connection("tcp", "127.0.0.1", [port, 1, 2, 3, 4], "");
        let place = format!("tcp://127.0.0.1:{port}");
        check(listen(&connection), &[&place, "`shell_port`", "in use", "start the kernel again"]);
    }

    #[test]
    fn an_address_of_another_machine_is_named() {
        let connection = connection("tcp", "192.0.2.1", [40001, 40002, 40003, 40004, 40005], "");
        check(listen(&connection), &["tcp://192.0.2.1:40001", "`shell_port`", "belongs to this machine"]);
    }

    /// A kernel that was killed leaves its socket files; the next one with the same connection file must start.
    #[test]
    fn a_stale_socket_file_is_replaced_and_a_live_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let stale = folder.path().join("kernel-1");
        drop(UnixListener::bind(&stale).unwrap());
        assert!(stale.exists());
        let listeners = listen(&ipc(folder.path())).unwrap();
        check(listen(&ipc(folder.path())), &["kernel-1", "in use"]);
        drop(listeners);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_that_is_no_socket_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("kernel-5");
        fs::write(&file, "mine").unwrap();
        check(listen(&ipc(folder.path())), &["kernel-5", "`hb_port`", "not a socket", "remove it"]);
        assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
        assert!(!folder.path().join("kernel-1").exists());
    }
}
