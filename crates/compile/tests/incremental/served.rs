//! All that a generation serves: as a text, and piece by piece.

use std::collections::BTreeMap;
use std::sync::Arc;

use traefikrs_compile::compiled::{LoadBalancer, Route, Service, ServiceKind, Target};
use traefikrs_compile::{Compiled, Generation};
use traefikrs_router::RouteTable;

/// What a generation is made of, by name.
pub(crate) struct Served {
    pub(crate) services: BTreeMap<String, Arc<Service>>,
    /// By entry point and name, without children.
    pub(crate) routes: BTreeMap<(String, String), Arc<Route>>,
}

impl Served {
    pub(crate) fn of(generation: &Generation) -> Self {
        let mut served = Self {
            services: BTreeMap::new(),
            routes: BTreeMap::new(),
        };
        for (entry_point, routes) in &generation.compiled.entry_points {
            for route in routes.http.routes() {
                let key = (entry_point.clone(), route.name.to_string());
                served.routes.insert(key, Arc::clone(&route.value));
            }
            served.add_table(&routes.http);
        }
        served
    }

    fn add_table(&mut self, table: &RouteTable<Arc<Route>>) {
        for route in table.routes() {
            match &route.value.target {
                Target::Children(children) => self.add_table(children),
                Target::Service(service) => self.add(service),
                Target::NotServed => {}
            }
        }
    }

    fn add(&mut self, service: &Arc<Service>) {
        let known = self
            .services
            .insert(service.name.to_string(), Arc::clone(service));
        // Whoever refers to a service shares it, and its balancer.
        assert!(known.is_none_or(|known| Arc::ptr_eq(&known, service)));
        match &service.kind {
            ServiceKind::LoadBalancer(_) | ServiceKind::Internal(_) => {}
            ServiceKind::Weighted(weighted) => weighted.children.iter().for_each(|it| self.add(it)),
            ServiceKind::Mirroring(mirroring) => {
                self.add(&mirroring.main);
                mirroring.mirrors.iter().for_each(|it| self.add(it));
            }
            ServiceKind::Failover(failover) => {
                self.add(&failover.main);
                self.add(&failover.fallback);
            }
        }
    }

    pub(crate) fn balancers(&self) -> impl Iterator<Item = (&String, &LoadBalancer)> {
        self.services.iter().filter_map(|(name, service)| {
            let ServiceKind::LoadBalancer(balancer) = &service.kind else {
                return None;
            };
            Some((name, balancer))
        })
    }

    /// It in words.
    ///
    /// Left out is what a generation in a row has of its own: numbers of pools, which count here in the order of their
    /// mention, and whether a server has just joined others.
    pub(crate) fn text(&self, compiled: &Compiled) -> String {
        let tables = compiled.entry_points.iter();
        let mut texts: Vec<_> = tables
            .map(|(name, routes)| format!("{name}: {}", table(&routes.http)))
            .collect();
        texts.extend(self.services.values().map(|it| text(it)));
        texts.push(format!("{:?}", compiled.health_checks));
        let text = renumbered(&texts.join("\n"), "PoolId(");
        let text = between(&text, "flags: ", ",", |_| "any".to_owned());
        // A map in no order, which says nothing that the cookies in front of it do not say.
        between(&text, "places: {", "}, set_cookie", |_| String::new())
    }
}

fn table(table: &RouteTable<Arc<Route>>) -> String {
    let routes = table.routes().into_iter().map(|route| {
        let target = match &route.value.target {
            Target::Children(children) => self::table(children),
            Target::Service(service) => service.name.to_string(),
            Target::NotServed => "not served".to_owned(),
        };
        format!(
            "{} {:?} {:?} {:?} {:?} -> {target}",
            route.name, route.priority, route.rank, route.matcher, route.value.stack
        )
    });
    routes.collect::<Vec<_>>().join("\n")
}

fn text(service: &Service) -> String {
    let names = |services: &[Arc<Service>]| {
        let names = services.iter().map(|service| service.name.to_string());
        names.collect::<Vec<_>>().join(", ")
    };
    let kind = match &service.kind {
        ServiceKind::Weighted(weighted) => format!(
            "weighted {} {:?} {}",
            names(&weighted.children),
            weighted.balancer,
            weighted.follows_health
        ),
        ServiceKind::Mirroring(mirroring) => format!(
            "mirroring {} {} {:?} {:?}",
            mirroring.main.name,
            names(&mirroring.mirrors),
            mirroring.choice,
            mirroring.body
        ),
        ServiceKind::Failover(failover) => format!(
            "failover {} {} {:?} {}",
            failover.main.name, failover.fallback.name, failover.on_status, failover.follows_health
        ),
        kind @ (ServiceKind::LoadBalancer(_) | ServiceKind::Internal(_)) => format!("{kind:?}"),
    };
    format!("{} {:?} {kind}", service.name, service.stack)
}

fn renumbered(text: &str, start: &str) -> String {
    let mut known = Vec::new();
    between(text, start, ")", |number| {
        let position = known.iter().position(|known| known == number);
        let position = position.unwrap_or_else(|| {
            known.push(number.to_owned());
            known.len() - 1
        });
        format!("the {position}th")
    })
}

/// The text with something else wherever something stands between these.
fn between(text: &str, start: &str, end: &str, mut other: impl FnMut(&str) -> String) -> String {
    let mut parts = text.split(start);
    let mut changed = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (inside, rest) = part.split_once(end).unwrap();
        changed += &format!("{start}{}{end}{rest}", other(inside));
    }
    changed
}
