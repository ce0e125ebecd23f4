//! The stop button: a level that rises, seen by everyone who began before it rose.

use tokio::sync::watch;

/// Tells what runs now to stop.
#[derive(Debug)]
pub(crate) struct StopButton {
    presses: watch::Sender<u64>,
}

/// What a running cell watches. Presses before it was made do not count.
#[derive(Debug)]
pub(crate) struct Stopped {
    presses: watch::Receiver<u64>,
}

impl StopButton {
    pub(crate) fn new() -> Self {
        Self { presses: watch::Sender::new(0) }
    }

    /// Stops whatever runs now; nothing if nothing runs.
    pub(crate) fn press(&self) {
        self.presses.send_modify(|count| *count += 1);
    }

    /// A watch that begins now.
    pub(crate) fn watch(&self) -> Stopped {
        Stopped { presses: self.presses.subscribe() }
    }
}

impl Stopped {
    /// Whether the button was pressed since this watch began.
    pub(crate) fn yet(&self) -> bool {
        // An error means that the button is gone, with the session: nothing should go on then.
        self.presses.has_changed().unwrap_or(true)
    }

    /// Returns when the button has been pressed.
    pub(crate) async fn wait(&self) {
        let mut presses = self.presses.clone();
        presses.changed().await.ok();
    }

    /// The presses since this watch began.
    pub(crate) fn presses(&self) -> Presses {
        Presses(self.presses.clone())
    }
}

/// One press after the other.
#[derive(Debug)]
pub(crate) struct Presses(watch::Receiver<u64>);

impl Presses {
    /// Returns when the button has been pressed since this returned last. Two quick presses may count as one.
    pub(crate) async fn next(&mut self) {
        // The button may be gone, with the session: then nobody presses it any more.
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    #[tokio::test]
    async fn a_press_is_seen_by_those_who_watch_and_not_by_later_ones() {
        let button = StopButton::new();
        let before = button.watch();
        assert!(!before.yet());
        button.press();
        assert!(before.yet());
        before.wait().await;
        before.wait().await;
        let mut presses = before.presses();
        presses.next().await;
        assert_eq!(presses.next().now_or_never(), None);
        button.press();
        presses.next().await;
        assert!(!button.watch().yet());
        drop(button);
        assert!(before.yet());
    }
}
