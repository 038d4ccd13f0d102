//! Whose turn is it? Each strategy among few and many servers, and where a cookie leads.

#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark needs one time to start from"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use traefikrs_lb::sticky::{Cookie, CookieName};
use traefikrs_lb::strategy::{Strategy, Wrr};
use traefikrs_lb::{Balancer, Client, Member, Outcome, PassiveCheck, Settings};

const SIZES: [usize; 4] = [2, 10, 100, 1_000];

fn members(n: usize) -> impl Iterator<Item = Member> {
    (0..n).map(|n| {
        let url = format!("http://10.0.{}.{}:8080", n / 250, n % 250);
        Member::new(url).weighing(1 + i64::try_from(n % 3).expect("less than 3"))
    })
}

fn order(c: &mut Criterion) {
    let mut group = c.benchmark_group("order/wrr");
    for servers in SIZES {
        let weights = members(servers).map(|member| member.weight);
        let mut wrr = Wrr::new(weights);
        group.bench_function(BenchmarkId::from_parameter(servers), |bencher| {
            bencher.iter(|| wrr.pick(|_| true));
        });
    }
    let mut wrr = Wrr::new([1; 100]);
    group.bench_function("100, half of them down", |bencher| {
        bencher.iter(|| wrr.pick(|server| server % 2 == 0));
    });
    group.finish();
}

/// Picks, takes what is needed of it and gives the ticket back. Given to the bencher whole, the pick would be copied
/// for the measurement's sake.
fn picked(
    balancer: &Balancer,
    client: &Client<'_>,
    now: Instant,
    rng: &mut SmallRng,
) -> Option<(usize, bool)> {
    let pick = balancer.pick(black_box(client), now, rng)?;
    Some((pick.index, pick.set_cookie.is_some()))
}

fn pick(c: &mut Criterion) {
    let plain = Settings::default;
    let shapes: [(&str, Settings); 5] = [
        ("wrr", plain()),
        (
            "wrr, health and slow start",
            Settings {
                passive: Some(PassiveCheck::default()),
                has_active_check: true,
                slow_start: Some(Duration::from_secs(30)),
                ..plain()
            },
        ),
        (
            "p2c",
            Settings {
                strategy: Strategy::P2c,
                ..plain()
            },
        ),
        (
            "hrw",
            Settings {
                strategy: Strategy::Hrw,
                ..plain()
            },
        ),
        (
            "leasttime",
            Settings {
                strategy: Strategy::LeastTime,
                ..plain()
            },
        ),
    ];
    let now = Instant::now();
    let client = Client {
        ip: [192, 0, 2, 77].into(),
        headers: &HeaderMap::new(),
    };
    let mut rng = SmallRng::seed_from_u64(1);
    for (name, settings) in shapes {
        let mut group = c.benchmark_group(format!("pick/{name}"));
        for servers in SIZES {
            let balancer = Balancer::new(members(servers), settings.clone(), None);
            for server in 0..servers {
                balancer.observe(server, Outcome::Answered, Duration::from_millis(5), now);
            }
            group.bench_function(BenchmarkId::from_parameter(servers), |bencher| {
                bencher.iter(|| picked(&balancer, &client, now, &mut rng));
            });
        }
        group.finish();
    }
}

fn sticky(c: &mut Criterion) {
    let mut group = c.benchmark_group("sticky");
    let cookie = Cookie::new(CookieName::new("seat"));
    let now = Instant::now();
    let mut rng = SmallRng::seed_from_u64(1);
    for servers in SIZES {
        let settings = Settings {
            sticky: Some(cookie.clone()),
            ..Settings::default()
        };
        let balancer = Balancer::new(members(servers), settings, None);
        let seat = {
            let client = Client {
                ip: [192, 0, 2, 77].into(),
                headers: &HeaderMap::new(),
            };
            let pick = balancer.pick(&client, now, &mut rng).expect("all are up");
            let set_cookie = pick.set_cookie.expect("a new client gets a seat");
            let seat = set_cookie.to_str().expect("a cookie is ASCII");
            format!("session=0123456789abcdef; theme=dark; {seat}")
        };
        let seat = HeaderValue::try_from(seat).expect("a cookie is a header value");
        let headers = HeaderMap::from_iter([(COOKIE, seat)]);
        let client = Client {
            ip: [192, 0, 2, 77].into(),
            headers: &headers,
        };
        group.bench_function(BenchmarkId::from_parameter(servers), |bencher| {
            bencher.iter(|| picked(&balancer, &client, now, &mut rng));
        });
    }
    group.finish();
}

criterion_group!(benches, order, pick, sticky);
criterion_main!(benches);
