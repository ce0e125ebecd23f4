//! The connection file: where a front end says which sockets the kernel must open and which key signs their messages.
//!
//! Opening the sockets is not done here.

use jupyter_protocol::{ConnectionInfo, connection_info::Transport};
use serde_json::{Map, Value};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// The only scheme that Jupyter's clients use.
const SIGNATURE_SCHEME: &str = "hmac-sha256";

/// What a connection file says, checked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Connection {
    info: ConnectionInfo,
}

/// One of the five sockets between a kernel and its front ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Channel {
    Shell,
    Iopub,
    Stdin,
    Control,
    Heartbeat,
}

impl Channel {
    /// All five.
    pub(crate) const ALL: [Self; 5] = [Self::Shell, Self::Iopub, Self::Stdin, Self::Control, Self::Heartbeat];

    /// The key of its port in a connection file.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Shell => "shell_port",
            Self::Iopub => "iopub_port",
            Self::Stdin => "stdin_port",
            Self::Control => "control_port",
            Self::Heartbeat => "hb_port",
        }
    }
}

/// Where a socket listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Tcp { host: String, port: u16 },
    Ipc(PathBuf),
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } => write!(formatter, "tcp://{host}:{port}"),
            Self::Ipc(path) => write!(formatter, "ipc://{}", path.display()),
        }
    }
}

impl Connection {
    /// Reads and checks the connection file at `path`.
    pub(crate) fn read(path: &Path) -> Result<Self, ConnectionError> {
        let text = fs::read_to_string(path).map_err(Fault::Unreadable);
        text.and_then(|text| Self::parse(&text))
            .map_err(|fault| ConnectionError { path: path.to_owned(), fault })
    }

    /// The key that signs messages; empty if they are not signed.
    pub(crate) fn key(&self) -> &str {
        &self.info.key
    }

    /// The port of a channel; with the transport ipc it is a suffix of the path.
    pub(crate) fn port(&self, channel: Channel) -> u16 {
        match channel {
            Channel::Shell => self.info.shell_port,
            Channel::Iopub => self.info.iopub_port,
            Channel::Stdin => self.info.stdin_port,
            Channel::Control => self.info.control_port,
            Channel::Heartbeat => self.info.hb_port,
        }
    }

    /// Where the socket of a channel listens.
    pub(crate) fn endpoint(&self, channel: Channel) -> Endpoint {
        let (ip, port) = (&self.info.ip, self.port(channel));
        match self.info.transport {
            Transport::TCP => Endpoint::Tcp { host: ip.clone(), port },
            Transport::IPC => Endpoint::Ipc(PathBuf::from(format!("{ip}-{port}"))),
        }
    }

    fn parse(text: &str) -> Result<Self, Fault> {
        let value: Value = serde_json::from_str(text).map_err(Fault::NotJson)?;
        let Value::Object(map) = value else {
            return Err(Fault::NotAnObject);
        };
        let signature_scheme = string(&map, "signature_scheme")?;
        if signature_scheme != SIGNATURE_SCHEME {
            return Err(Fault::SignatureScheme(signature_scheme));
        }
        let info = ConnectionInfo {
            ip: string(&map, "ip")?,
            transport: transport(&map)?,
            shell_port: port(&map, Channel::Shell)?,
            iopub_port: port(&map, Channel::Iopub)?,
            stdin_port: port(&map, Channel::Stdin)?,
            control_port: port(&map, Channel::Control)?,
            hb_port: port(&map, Channel::Heartbeat)?,
            key: string(&map, "key")?,
            signature_scheme,
            kernel_name: map.get("kernel_name").and_then(Value::as_str).map(str::to_owned),
        };
        Self { info }.with_distinct_ports()
    }

    fn with_distinct_ports(self) -> Result<Self, Fault> {
        for (index, first) in Channel::ALL.into_iter().enumerate() {
            for second in Channel::ALL.into_iter().skip(index + 1) {
                if self.port(first) == self.port(second) {
                    return Err(Fault::SamePort { first, second, port: self.port(first) });
                }
            }
        }
        Ok(self)
    }
}

fn string(map: &Map<String, Value>, key: &'static str) -> Result<String, Fault> {
    match map.get(key) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(found) => Err(Fault::WrongType { key, wanted: "a string", found: found.to_string() }),
        None => Err(Fault::Missing(key)),
    }
}

fn transport(map: &Map<String, Value>) -> Result<Transport, Fault> {
    match string(map, "transport")?.as_str() {
        "tcp" => Ok(Transport::TCP),
        "ipc" => Ok(Transport::IPC),
        other => Err(Fault::Transport(other.to_owned())),
    }
}

fn port(map: &Map<String, Value>, channel: Channel) -> Result<u16, Fault> {
    let key = channel.key();
    let value = map.get(key).ok_or(Fault::Missing(key))?;
    let port = value.as_u64().and_then(|port| u16::try_from(port).ok()).filter(|port| *port != 0);
    port.ok_or_else(|| Fault::WrongType { key, wanted: "a number from 1 to 65535", found: value.to_string() })
}

/// Why a connection file cannot be used.
#[derive(Debug)]
pub(crate) struct ConnectionError {
    path: PathBuf,
    fault: Fault,
}

#[derive(Debug)]
enum Fault {
    Unreadable(std::io::Error),
    NotJson(serde_json::Error),
    NotAnObject,
    Missing(&'static str),
    WrongType { key: &'static str, wanted: &'static str, found: String },
    Transport(String),
    SignatureScheme(String),
    SamePort { first: Channel, second: Channel, port: u16 },
}

impl fmt::Display for ConnectionError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "the connection file {} cannot be used: {}. Jupyter writes this file when it starts a kernel: start the kernel \
             from Jupyter, or write the file as jupyter_client does.",
            self.path.display(),
            self.fault
        )
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => write!(formatter, "it cannot be read ({error})"),
            Self::NotJson(error) => write!(formatter, "it is not JSON ({error})"),
            Self::NotAnObject => write!(formatter, "it is not a JSON object"),
            Self::Missing(key) => write!(formatter, "it has no key `{key}`"),
            Self::WrongType { key, wanted, found } => {
                write!(formatter, "its key `{key}` must be {wanted}, and is {found}")
            }
            Self::Transport(name) => {
                write!(formatter, "its transport is `{name}`; known are `tcp` and `ipc`")
            }
            Self::SignatureScheme(name) => {
                write!(formatter, "its signature scheme is `{name}`; known is `{SIGNATURE_SCHEME}`")
            }
            Self::SamePort { first, second, port } => {
                write!(formatter, "its keys `{}` and `{}` are both {port}", first.key(), second.key())
            }
        }
    }
}

impl std::error::Error for ConnectionError {}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use serde_json::json;

    fn file() -> Value {
        json!({
            "shell_port": 53380, "iopub_port": 53381, "stdin_port": 53382, "control_port": 53383, "hb_port": 53384,
            "ip": "127.0.0.1", "key": "e733b584", "transport": "tcp", "signature_scheme": "hmac-sha256",
            "kernel_name": "assay", "jupyter_session": "a.ipynb"
        })
    }

    /// A checked connection over `transport`.
    pub(crate) fn connection(transport: &str, ip: &str, ports: [u16; 5], key: &str) -> Connection {
        let mut file = file();
        file["transport"] = json!(transport);
        file["ip"] = json!(ip);
        file["key"] = json!(key);
        for (channel, port) in Channel::ALL.into_iter().zip(ports) {
            file[channel.key()] = json!(port);
        }
        Connection::parse(&file.to_string()).unwrap()
    }

    fn check(text: &str, expected: &str) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kernel.json");
        fs::write(&path, text).unwrap();
        let error = Connection::read(&path).unwrap_err().to_string();
        assert!(error.contains(&path.display().to_string()), "{error}");
        assert!(error.contains(expected), "{error}");
        assert!(error.contains("start the kernel from Jupyter"), "{error}");
    }

    fn check_with(key: &str, value: Value, expected: &str) {
        let mut file = file();
        file[key] = value;
        check(&file.to_string(), expected);
    }

    #[test]
    fn endpoints_are_those_of_jupyter_client() {
        let connection = Connection::parse(&file().to_string()).unwrap();
        assert_eq!(connection.endpoint(Channel::Shell).to_string(), "tcp://127.0.0.1:53380");
        let ipc = self::connection("ipc", "/tmp/kernel-7-ipc", [1, 2, 3, 4, 5], "");
        assert_eq!(ipc.endpoint(Channel::Heartbeat).to_string(), "ipc:///tmp/kernel-7-ipc-5");
        assert_eq!(ipc.key(), "");
    }

    #[test]
    fn every_failure_says_which_file_what_is_wrong_and_what_to_do() {
        check("not json", "it is not JSON");
        check("", "it is not JSON");
        check("[]", "it is not a JSON object");
        for key in ["shell_port", "hb_port", "ip", "key", "transport", "signature_scheme"] {
            let mut file = file();
            file.as_object_mut().unwrap().remove(key);
            check(&file.to_string(), &format!("it has no key `{key}`"));
        }
        check_with("ip", json!(7), "its key `ip` must be a string, and is 7");
        check_with("key", json!(null), "its key `key` must be a string, and is null");
        check_with("stdin_port", json!(0), "its key `stdin_port` must be a number from 1 to 65535, and is 0");
        check_with("stdin_port", json!(70000), "from 1 to 65535, and is 70000");
        check_with("stdin_port", json!("53382"), "from 1 to 65535, and is \"53382\"");
        check_with("iopub_port", json!(53380), "its keys `shell_port` and `iopub_port` are both 53380");
        check_with("transport", json!("udp"), "its transport is `udp`; known are `tcp` and `ipc`");
        check_with("signature_scheme", json!("hmac-md5"), "its signature scheme is `hmac-md5`");
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Connection::read(Path::new("/nowhere/kernel.json")).unwrap_err().to_string();
        assert!(
            error.starts_with("the connection file /nowhere/kernel.json cannot be used: it cannot be read"),
            "{error}"
        );
    }
}
