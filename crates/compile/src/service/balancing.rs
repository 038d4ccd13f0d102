//! How servers, and services, are chosen: what was configured in the balancer's terms.

use std::sync::Arc;
use std::time::Duration;

use traefikrs_config::{QualifiedName, dynamic};
use traefikrs_lb::sticky::{Cookie, CookieName, SameSite};
use traefikrs_lb::{Member, PassiveCheck, Settings};

use crate::error::BuildError;

/// How a load balancer chooses among its servers.
pub(super) fn settings(
    name: &QualifiedName,
    configured: &dynamic::LoadBalancer,
) -> Result<Settings, BuildError> {
    let strategy = configured.strategy.parse().map_err(|_| {
        BuildError::invalid(format!(
            "unsupported load-balancer strategy \"{}\"",
            configured.strategy
        ))
    })?;
    let has_active_check = configured.health_check.is_some();
    let passive = configured.passive_health_check.as_ref();
    let passive = passive.map(passive_check).transpose()?;
    Ok(Settings {
        strategy,
        sticky: cookie(configured.sticky.as_deref(), name),
        // Traefik: a window that is none takes a server out for no time, unless an active check must bring it back.
        passive: passive.filter(|check| has_active_check || !check.failure_window.is_zero()),
        has_active_check,
        slow_start: configured.slow_start.and_then(|time| time.positive()),
    })
}

/// A server by its URL.
pub(super) fn server(url: &Arc<str>, configured: &dynamic::Server) -> Member {
    Member {
        name: Arc::clone(url),
        weight: configured.weight.unwrap_or(1),
        is_fenced: configured.fenced,
    }
}

/// A service by the name that the list gives it.
pub(super) fn service(configured: &dynamic::WeightedService) -> Member {
    Member::new(&*configured.name).weighing(configured.weight.unwrap_or(1))
}

/// A service that was built, as it is shown.
// Traefik: the cookie has the name by which it is set.
pub(crate) fn shown(
    name: &QualifiedName,
    configured: &Arc<dynamic::Service>,
) -> Arc<dynamic::Service> {
    fn cookie(service: &mut dynamic::Service) -> Option<&mut dynamic::Cookie> {
        let of_servers = service.load_balancer.as_mut();
        let of_servers = of_servers.and_then(|balancer| balancer.sticky.as_deref_mut());
        let of_services = service.weighted.as_mut();
        let of_services = of_services.and_then(|weighted| weighted.sticky.as_mut());
        of_servers.or(of_services)?.cookie.as_mut()
    }
    let of_servers = configured.load_balancer.as_ref();
    let of_services = configured.weighted.as_ref();
    // Only what is shown in another way is copied.
    let is_sticky = of_servers.is_some_and(|balancer| balancer.sticky.is_some())
        || of_services.is_some_and(|weighted| weighted.sticky.is_some());
    let mut shown = Arc::clone(configured);
    if is_sticky && let Some(cookie) = cookie(Arc::make_mut(&mut shown)) {
        cookie.name = cookie_name(cookie, name).as_str().to_owned();
    }
    shown
}

fn cookie_name(configured: &dynamic::Cookie, service: &QualifiedName) -> CookieName {
    match configured.name.as_str() {
        "" => CookieName::of_service(service.as_str()),
        name => CookieName::new(name),
    }
}

/// The cookie of a sticky service.
pub(super) fn cookie(sticky: Option<&dynamic::Sticky>, service: &QualifiedName) -> Option<Cookie> {
    let configured = sticky?.cookie.as_ref()?;
    Some(Cookie {
        name: cookie_name(configured, service),
        path: configured.path.as_deref().unwrap_or("/").to_owned(),
        domain: configured.domain.clone(),
        max_age: configured.max_age,
        http_only: configured.http_only,
        secure: configured.secure,
        same_site: SameSite::parse(&configured.same_site),
    })
}

fn passive_check(configured: &dynamic::PassiveHealthCheck) -> Result<PassiveCheck, BuildError> {
    let percent = configured.max_ejected_percent.unwrap_or(100);
    let max_ejected_percent = u8::try_from(percent)
        .ok()
        .filter(|percent| *percent <= 100)
        .ok_or_else(|| {
            BuildError::invalid(format!(
                "maxEjectedPercent is {percent}, must be between 0 and 100"
            ))
        })?;
    Ok(PassiveCheck {
        failure_window: configured
            .failure_window
            .positive()
            .unwrap_or(Duration::ZERO),
        max_failed_attempts: usize::try_from(configured.max_failed_attempts).unwrap_or(0),
        max_ejected_percent,
    })
}
