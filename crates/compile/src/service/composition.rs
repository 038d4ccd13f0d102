//! Services that are made of others and do more than choose one: mirroring and failover.

use std::sync::Arc;

use traefikrs_config::{QualifiedName, dynamic};
use traefikrs_lb::mirror::{Mirrors, Percent};

use super::{Services, internal_service};
use crate::compiled::{
    BodyLimit, Failover, InternalService, Mirroring, OnStatus, Service, ServiceKind,
};
use crate::error::BuildError;
use crate::middleware::Middlewares;
use crate::status::StatusRanges;

/// A request may be copied and repeated on each way to a server, and health is looked for on each of them.
const MAX_WAYS: usize = 10_000;

/// Why a service cannot tell its parents whether it is up.
enum Silence {
    /// It has no health to speak of.
    Mute(&'static str),
    /// Nobody asked it to.
    Unasked(String),
}

impl<'c> Services<'c> {
    pub(super) fn mirroring(
        &mut self,
        name: &QualifiedName,
        configured: &'c dynamic::Mirroring,
        path: &mut Vec<QualifiedName>,
        middlewares: &mut Middlewares<'c>,
    ) -> Result<ServiceKind, BuildError> {
        let main = self.part(name, &configured.service, path, middlewares)?;
        let mut mirrors = Vec::new();
        let mut percents = Vec::new();
        for mirror in &configured.mirrors {
            mirrors.push(self.part(name, &mirror.name, path, middlewares)?);
            let percent = Percent::new(mirror.percent)
                .ok_or_else(|| BuildError::invalid("percent must be between 0 and 100"))?;
            percents.push(percent);
        }
        let copies_bodies = configured.mirror_body.unwrap_or(true);
        Ok(ServiceKind::Mirroring(Mirroring {
            main,
            mirrors: mirrors.into(),
            choice: Mirrors::new(percents),
            body: copies_bodies.then(|| body_limit(configured.max_body_size)),
        }))
    }

    pub(super) fn failover(
        &mut self,
        name: &QualifiedName,
        configured: &'c dynamic::Failover,
        path: &mut Vec<QualifiedName>,
        middlewares: &mut Middlewares<'c>,
    ) -> Result<ServiceKind, BuildError> {
        let main = self.part(name, &configured.service, path, middlewares)?;
        let on_status = configured
            .errors
            .as_ref()
            .map(|errors| on_status(name, errors))
            .transpose()?
            .filter(|on_status| !on_status.statuses.is_empty());
        if on_status.is_none() {
            self.must_report(name, &configured.service)?;
        }
        let fallback = self.part(name, &configured.fallback, path, middlewares)?;
        if configured.health_check.is_some() {
            self.must_report(name, &configured.fallback)?;
        }
        Ok(ServiceKind::Failover(Failover {
            main,
            fallback,
            on_status,
            follows_health: configured.health_check.is_some(),
        }))
    }

    pub(super) fn part(
        &mut self,
        whole: &QualifiedName,
        reference: &str,
        path: &mut Vec<QualifiedName>,
        middlewares: &mut Middlewares<'c>,
    ) -> Result<Arc<Service>, BuildError> {
        self.nested(&whole.resolve(reference), path, middlewares)
    }

    /// Refuses a parent that follows the health of a child which does not tell it.
    pub(super) fn must_report(
        &self,
        parent: &QualifiedName,
        reference: &str,
    ) -> Result<(), BuildError> {
        match self.silence(&parent.resolve(reference)) {
            None => Ok(()),
            Some(Silence::Mute(kind)) => Err(BuildError::invalid(format!(
                "child service {reference} of {parent} not a healthcheck.StatusUpdater ({kind})"
            ))),
            Some(Silence::Unasked(why)) => Err(BuildError::invalid(format!(
                "cannot register {reference} as updater for {parent}: {why}"
            ))),
        }
    }

    fn silence(&self, name: &QualifiedName) -> Option<Silence> {
        if let Some(internal) = internal_service(name) {
            return Some(Silence::Mute(match internal {
                InternalService::Ping => "*ping.Handler",
                InternalService::Noop => "http.HandlerFunc",
                InternalService::Api => "*mux.Router",
            }));
        }
        let dynamic::Service {
            load_balancer,
            highest_random_weight,
            weighted,
            mirroring,
            failover,
            ..
        } = self.configured.get(name.as_str())?.as_ref();
        let unless = |reports: bool, kind: &str| {
            let why = || format!("healthCheck not enabled in config for this {kind} service");
            (!reports).then(|| Silence::Unasked(why()))
        };
        if let Some(balancer) = load_balancer {
            let kind = match balancer.strategy.as_str() {
                "p2c" => "P2C",
                "hrw" => "HRW",
                "leasttime" => "LeastTime",
                _ => "WRR",
            };
            return unless(balancer.health_check.is_some(), kind);
        }
        if let Some(weighted) = weighted {
            return unless(weighted.health_check.is_some(), "WRR");
        }
        if let Some(hashed) = highest_random_weight {
            return unless(hashed.health_check.is_some(), "HRW");
        }
        if let Some(failover) = failover {
            return unless(failover.health_check.is_some(), "failover");
        }
        let mirroring = mirroring.as_ref()?;
        if mirroring.health_check.is_none() {
            return unless(false, "mirroring");
        }
        let why = match self.silence(&name.resolve(&mirroring.service))? {
            Silence::Mute(kind) => {
                format!("service of mirroring {kind} not a healthcheck.StatusUpdater")
            }
            Silence::Unasked(why) => {
                format!("cannot register service of mirroring as updater: {why}")
            }
        };
        Some(Silence::Unasked(why))
    }
}

/// How many ways lead through a service of this kind.
///
/// Services that share parts have many more ways than parts: 64 of them, each made of the next one twice, have 2^64.
pub(super) fn ways(kind: &ServiceKind) -> Result<usize, BuildError> {
    let sum = |parts: &[Arc<Service>]| parts.iter().map(|part| part.ways).sum();
    let ways: usize = match kind {
        ServiceKind::LoadBalancer(_) | ServiceKind::Internal(_) => 1,
        ServiceKind::Weighted(weighted) => sum(&weighted.children),
        ServiceKind::Mirroring(mirroring) => mirroring.main.ways + sum(&mirroring.mirrors),
        ServiceKind::Failover(failover) => failover.main.ways + failover.fallback.ways,
    };
    if ways > MAX_WAYS {
        return Err(BuildError::not_served(format!(
            "a service with more than {MAX_WAYS} ways to servers"
        )));
    }
    Ok(ways)
}

fn on_status(
    name: &QualifiedName,
    errors: &dynamic::FailoverErrors,
) -> Result<OnStatus, BuildError> {
    let statuses = StatusRanges::parse(&errors.status).map_err(|error| {
        BuildError::invalid(format!(
            "error creating failover service {name}: creating HTTP code ranges: {error}"
        ))
    })?;
    Ok(OnStatus {
        statuses,
        body: body_limit(errors.max_request_body_bytes),
    })
}

/// Anything below zero means no limit, as does nothing.
fn body_limit(bytes: Option<i64>) -> BodyLimit {
    BodyLimit(bytes.and_then(|bytes| u64::try_from(bytes).ok()))
}
