//! Not more often than the operator wants.

use std::time::Duration;

use tokio::sync::watch;

use crate::provider::Update;

/// Passes on the first update at once, then at most one in each period: the latest.
///
/// Traefik: `pkg/provider/aggregator`, with a period of two seconds unless told otherwise. Here there
/// is none unless asked for; see `docs/decisions/0002-throttle.md`.
pub(crate) async fn forward(
    mut updates: watch::Receiver<Option<Update>>,
    period: Option<Duration>,
    mut pass_on: impl FnMut(Update),
) {
    while updates.changed().await.is_ok() {
        let latest = updates.borrow_and_update().clone();
        let Some(update) = latest else { continue };
        pass_on(update);
        if let Some(period) = period {
            tokio::time::sleep(period).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use tokio::sync::watch;
    use tokio::time::Instant;
    use traefikrs_config::Diagnostic;
    use traefikrs_config::diagnostic::{Reason, Subject};

    use super::forward;
    use crate::provider::Update;

    fn numbered(number: u64) -> Update {
        let subject = Subject::named("test", number.to_string());
        let diagnostic = Diagnostic::warning(subject, Reason::new("Test"), "");
        Update {
            diagnostics: vec![diagnostic],
            ..Update::default()
        }
    }

    /// Sends updates at these milliseconds, and says when which of them came through.
    async fn check(period: Option<u64>, sent: &[u64], expected: &[(u64, usize)]) {
        let (sender, receiver) = watch::channel(None);
        let start = Instant::now();
        let came: Arc<Mutex<Vec<(u128, String)>>> = Arc::default();
        let log = came.clone();
        let forwarding = tokio::spawn(forward(
            receiver,
            period.map(Duration::from_millis),
            move |update| {
                let number = update.diagnostics[0].subject.name.clone();
                log.lock()
                    .unwrap()
                    .push((start.elapsed().as_millis(), number));
            },
        ));
        for (number, &millis) in (0..).zip(sent) {
            tokio::time::sleep_until(start + Duration::from_millis(millis)).await;
            sender.send_replace(Some(numbered(number)));
        }
        tokio::time::sleep(Duration::from_secs(60)).await;
        drop(sender);
        forwarding.await.unwrap();
        let expected: Vec<(u128, String)> = expected
            .iter()
            .map(|(millis, number)| (u128::from(*millis), number.to_string()))
            .collect();
        assert_eq!(*came.lock().unwrap(), expected);
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_passes_at_once_and_then_the_latest_of_each_period() {
        check(
            Some(2000),
            &[10, 100, 1000, 1900, 2500, 9000],
            &[(10, 0), (2010, 3), (4010, 4), (9000, 5)],
        )
        .await;
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_period_all_pass_at_once() {
        check(None, &[10, 11, 500], &[(10, 0), (11, 1), (500, 2)]).await;
    }
}
