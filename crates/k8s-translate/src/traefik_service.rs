//! TraefikServices: services made of others.

use traefikrs_config::diagnostic::Consequence;
use traefikrs_config::dynamic;
use traefikrs_crd as crd;

use crate::name::Slot;
use crate::problem::{Path, Problem};
use crate::reason;
use crate::service::{Draft, Key, Place, sticky};
use crate::view::View;

/// The TraefikService that is being translated.
#[derive(Clone, Copy)]
pub(crate) struct Parent<'a> {
    pub(crate) namespace: &'a str,
    pub(crate) key: &'a str,
}

impl<'a> Parent<'a> {
    fn place(self, slot: Slot<'a>) -> Place<'a> {
        Place {
            parent: self.namespace,
            key: Key::In(slot),
            // Traefik: its builder for these does not know the option.
            native_lb_by_default: false,
            dangling: Consequence::ServiceDisabled,
        }
    }
}

impl View<'_> {
    /// The service that a TraefikService describes; the Kubernetes Services in it are added to the draft.
    pub(crate) fn composed_service(
        &self,
        parent: Parent<'_>,
        spec: &crd::TraefikServiceSpec,
        draft: &mut Draft,
    ) -> Result<dynamic::Service, Problem> {
        report_several_kinds(spec, draft);
        if let Some(weighted) = &spec.weighted {
            return self.weighted(parent, weighted, draft);
        }
        if let Some(mirroring) = &spec.mirroring {
            return self.mirroring(parent, mirroring, draft);
        }
        if let Some(highest_random_weight) = &spec.highest_random_weight {
            return self.highest_random_weight(parent, highest_random_weight, draft);
        }
        if let Some(failover) = &spec.failover {
            return self.failover(parent, failover, draft);
        }
        let message = "no kind of service is given; write one of weighted, mirroring, highestRandomWeight and failover";
        Err(Problem::error(
            reason::TRAEFIK_SERVICE_EMPTY,
            Path::SPEC,
            message,
        ))
    }

    /// These services with their weights.
    pub(crate) fn weighted_services<'p>(
        &self,
        place: impl Fn(usize) -> Place<'p>,
        references: &[crd::ServiceRef],
        path: Path<'_>,
        draft: &mut Draft,
    ) -> Result<Vec<dynamic::WeightedService>, Problem> {
        references
            .iter()
            .enumerate()
            .map(|(index, reference)| {
                Ok(dynamic::WeightedService {
                    name: self.referred_service(
                        place(index),
                        reference,
                        path.index(index),
                        draft,
                    )?,
                    weight: Some(reference.weight.unwrap_or(1)),
                })
            })
            .collect()
    }

    fn weighted(
        &self,
        parent: Parent<'_>,
        weighted: &crd::WeightedRoundRobin,
        draft: &mut Draft,
    ) -> Result<dynamic::Service, Problem> {
        let path = Path::SPEC.field("weighted");
        let path = path.field("services");
        Ok(dynamic::Service {
            weighted: Some(Box::new(dynamic::Weighted {
                services: self.weighted_services(
                    |index| parent.place(Slot::Weighted(parent.key, index)),
                    &weighted.services,
                    path,
                    draft,
                )?,
                sticky: sticky(weighted.sticky.as_ref()),
                health_check: None,
            })),
            ..dynamic::Service::default()
        })
    }

    fn highest_random_weight(
        &self,
        parent: Parent<'_>,
        highest_random_weight: &crd::HighestRandomWeight,
        draft: &mut Draft,
    ) -> Result<dynamic::Service, Problem> {
        let path = Path::SPEC.field("highestRandomWeight");
        let path = path.field("services");
        Ok(dynamic::Service {
            highest_random_weight: Some(dynamic::HighestRandomWeight {
                services: self.weighted_services(
                    |index| parent.place(Slot::Hashed(parent.key, index)),
                    &highest_random_weight.services,
                    path,
                    draft,
                )?,
                health_check: None,
            }),
            ..dynamic::Service::default()
        })
    }

    fn mirroring(
        &self,
        parent: Parent<'_>,
        mirroring: &crd::Mirroring,
        draft: &mut Draft,
    ) -> Result<dynamic::Service, Problem> {
        let path = Path::SPEC.field("mirroring");
        let place = parent.place(Slot::Mirrored(parent.key));
        let service = self.referred_service(place, &mirroring.service, path, draft)?;
        let path = path.field("mirrors");
        let mirrors = mirroring
            .mirrors
            .iter()
            .enumerate()
            .map(|(index, mirror)| {
                Ok(dynamic::MirrorService {
                    name: self.referred_service(
                        parent.place(Slot::Mirror(parent.key, index)),
                        &mirror.service,
                        path.index(index),
                        draft,
                    )?,
                    percent: mirror.percent,
                })
            })
            .collect::<Result<_, Problem>>()?;
        Ok(dynamic::Service {
            mirroring: Some(Box::new(dynamic::Mirroring {
                service,
                mirror_body: mirroring.mirror_body,
                max_body_size: mirroring.max_body_size,
                mirrors,
                health_check: None,
            })),
            ..dynamic::Service::default()
        })
    }

    fn failover(
        &self,
        parent: Parent<'_>,
        failover: &crd::Failover,
        draft: &mut Draft,
    ) -> Result<dynamic::Service, Problem> {
        let path = Path::SPEC.field("failover");
        let service = path.field("service");
        let fallback = path.field("fallback");
        Ok(dynamic::Service {
            failover: Some(Box::new(dynamic::Failover {
                service: self.referred_service(
                    parent.place(Slot::Main(parent.key)),
                    &failover.service,
                    service,
                    draft,
                )?,
                fallback: self.referred_service(
                    parent.place(Slot::Fallback(parent.key)),
                    &failover.fallback,
                    fallback,
                    draft,
                )?,
                health_check: None,
                errors: Some(dynamic::FailoverErrors {
                    max_request_body_bytes: failover.errors.max_request_body_bytes,
                    status: failover.errors.status.clone(),
                }),
            })),
            ..dynamic::Service::default()
        })
    }
}

fn report_several_kinds(spec: &crd::TraefikServiceSpec, draft: &mut Draft) {
    let kinds: Vec<&str> = [
        ("weighted", spec.weighted.is_some()),
        ("mirroring", spec.mirroring.is_some()),
        ("highestRandomWeight", spec.highest_random_weight.is_some()),
        ("failover", spec.failover.is_some()),
    ]
    .into_iter()
    .filter_map(|(kind, given)| given.then_some(kind))
    .collect();
    if let [first, _, ..] = kinds.as_slice() {
        let message = format!(
            "of {} only `{first}` counts; make an object of each",
            kinds.join(", ")
        );
        draft
            .warnings
            .push(Problem::warning(reason::SEVERAL_KINDS, Path::SPEC, message));
    }
}
