use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderValue};
use rand::Rng;

use crate::health::{Outcome, PassiveCheck, ServerState, Ticket};
use crate::sticky::{Cookie, Sticky};
use crate::strategy::{self, LeastTime, Load, Strategy, Wrr};

/// Who is asked next? Members, whose turn it is, and what is known of them.
#[derive(Debug)]
pub struct Balancer {
    members: Box<[Candidate]>,
    turns: Turns,
    /// By position; empty when nothing needs to be known.
    states: Box<[Arc<ServerState>]>,
    sticky: Option<Sticky>,
    passive: Option<PassiveCheck>,
    has_active_check: bool,
    slow_start: Option<Duration>,
}

#[derive(Debug)]
struct Candidate {
    name: Arc<str>,
    weight: f64,
    is_fenced: bool,
    /// Whether it may be picked at all.
    is_in: bool,
}

#[derive(Debug)]
enum Turns {
    Wrr(Mutex<Wrr>),
    P2c,
    Hrw,
    LeastTime(LeastTime),
}

/// One of those who may be picked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// What cookies and hashes are made of: a server's URL, or a service's name, as configured.
    pub name: Arc<str>,
    /// Its share; 0 or less means none (except with [`Strategy::P2c`], which does not look).
    pub weight: i64,
    /// Takes only requests that a cookie pins to it.
    pub is_fenced: bool,
}

impl Member {
    /// A member that weighs 1.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self {
            name: name.into(),
            weight: 1,
            is_fenced: false,
        }
    }

    /// The same with another weight.
    #[must_use]
    pub fn weighing(self, weight: i64) -> Self {
        Self { weight, ..self }
    }
}

/// How a balancer chooses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Among those who may be picked.
    pub strategy: Strategy,
    /// Keeps clients where they are; without effect on [`Strategy::Hrw`], which does so anyway.
    pub sticky: Option<Cookie>,
    /// Takes members out that fail.
    pub passive: Option<PassiveCheck>,
    /// Whether checks ask the members: [`Balancer::states`] is where they say what they found.
    pub has_active_check: bool,
    /// The time that a member gets from its first request to its full share, when it joins others or is up again.
    pub slow_start: Option<Duration>,
}

/// Who asks?
#[derive(Debug, Clone, Copy)]
pub struct Client<'r> {
    /// The address of the socket's other side.
    pub ip: IpAddr,
    /// The headers of the request.
    pub headers: &'r HeaderMap,
}

/// Who is asked.
#[derive(Debug)]
pub struct Pick<'b> {
    /// Its position.
    pub index: usize,
    /// What the answer must carry, whatever it is.
    pub set_cookie: Option<&'b HeaderValue>,
    /// To be held until the answer has ended.
    pub ticket: Ticket,
}

impl Balancer {
    /// A balancer of members, known from now on by their position.
    ///
    /// Members that `previous` had under the same name go on with their state: whether they are up, how fast and how
    /// busy they are, and whether they have had their turn. Others start slowly, if there is a slow start. What took a
    /// member out counts for as long as there is a check of that kind to let it in again.
    pub fn new(
        members: impl IntoIterator<Item = Member>,
        settings: Settings,
        previous: Option<&Self>,
    ) -> Self {
        let members: Vec<Member> = members.into_iter().collect();
        let Settings {
            strategy,
            sticky,
            passive,
            has_active_check,
            slow_start,
        } = settings;
        let needs_states = passive.is_some()
            || has_active_check
            || slow_start.is_some()
            || matches!(strategy, Strategy::P2c | Strategy::LeastTime);
        let states = if needs_states {
            states(&members, previous)
        } else {
            Box::default()
        };
        let turns = turns(strategy, &members, previous);
        let members: Box<[_]> = members
            .into_iter()
            .map(|member| Candidate::new(member, strategy))
            .collect();
        let sticky = sticky
            .filter(|_| strategy != Strategy::Hrw)
            .map(|cookie| Sticky::new(&cookie, places(&members)));
        for state in &states {
            state.forget_unless(has_active_check, passive.is_some());
        }
        Self {
            members,
            turns,
            states,
            sticky,
            passive,
            has_active_check,
            slow_start: slow_start.filter(|time| !time.is_zero()),
        }
    }

    /// Who is next; `None` when nobody may be picked.
    pub fn pick(&self, client: &Client<'_>, now: Instant, rng: &mut impl Rng) -> Option<Pick<'_>> {
        self.pick_among(client, now, rng, |_| true)
    }

    /// Who is next of those that the caller finds eligible, too.
    pub fn pick_among(
        &self,
        client: &Client<'_>,
        now: Instant,
        rng: &mut impl Rng,
        eligible: impl Fn(usize) -> bool,
    ) -> Option<Pick<'_>> {
        let is_up = |index: usize| self.is_member_up(index, now) && eligible(index);
        let (index, set_cookie) = match &self.sticky {
            None => (self.next(client, now, rng, is_up)?, None),
            Some(sticky) => self.seat(sticky, client, now, rng, is_up)?,
        };
        Some(Pick {
            index,
            set_cookie,
            ticket: self.ticket(index),
        })
    }

    /// Whether a new request would find somebody.
    pub fn is_up(&self, now: Instant) -> bool {
        self.takes_new_requests(|index| self.is_member_up(index, now))
    }

    /// Whether a request of this client would find somebody of those that the caller finds eligible, too.
    ///
    /// A fenced member keeps its clients: it may be the only one, and up for nobody else.
    pub fn is_up_for(
        &self,
        client: &Client<'_>,
        now: Instant,
        eligible: impl Fn(usize) -> bool,
    ) -> bool {
        let is_up = |index: usize| self.is_member_up(index, now) && eligible(index);
        let place = || self.sticky.as_ref()?.place(client.headers);
        self.takes_new_requests(is_up) || place().is_some_and(|place| is_up(place.index))
    }

    /// Whether [`observe`](Self::observe) has any effect.
    pub fn learns(&self) -> bool {
        self.passive.is_some() || self.measures()
    }

    /// Learns what came of a request that was asked `time` ago; tells whether the server is taken out for it.
    ///
    /// To be called with the head of the answer, or when it is clear that there will be none. What a client caused,
    /// by going away or by being slow, is nobody's outcome.
    pub fn observe(&self, index: usize, outcome: Outcome, time: Duration, now: Instant) -> bool {
        /// A server that fails fast is not a fast server.
        const FAILURE: Duration = Duration::from_secs(1);
        let Some(state) = self.states.get(index) else {
            return false;
        };
        if self.measures() {
            state.took(
                match outcome {
                    Outcome::Answered | Outcome::AnsweredBadly => time,
                    Outcome::Unanswered => time.max(FAILURE),
                },
                now,
            );
        }
        let Some(check) = &self.passive else {
            return false;
        };
        if outcome == Outcome::Answered {
            state.succeeded();
            return false;
        }
        state.failed(now, check) && self.may_eject(index, check, now) && {
            let until = (!self.has_active_check).then(|| now.checked_add(check.failure_window));
            state.eject(until.flatten())
        }
    }

    /// What is known of each member, by name, for checks that ask them; empty without anything that needs to be known.
    pub fn states(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<ServerState>)> {
        let names = self.members.iter().map(|member| &member.name);
        names.zip(&self.states)
    }

    /// Where the client's cookie leads, or who is next and the cookie that leads there.
    fn seat<'b>(
        &self,
        sticky: &'b Sticky,
        client: &Client<'_>,
        now: Instant,
        rng: &mut impl Rng,
        is_up: impl Fn(usize) -> bool,
    ) -> Option<(usize, Option<&'b HeaderValue>)> {
        // A fenced member keeps its clients.
        let place = sticky.place(client.headers);
        let place = place.filter(|place| is_up(place.index));
        let index = match place {
            Some(place) if place.is_current => return Some((place.index, None)),
            Some(place) => place.index,
            None => self.next(client, now, rng, is_up)?,
        };
        Some((index, sticky.set_cookie(index)))
    }

    fn next(
        &self,
        client: &Client<'_>,
        now: Instant,
        rng: &mut impl Rng,
        is_up: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let eligible = |index: usize| !self.members[index].is_fenced && is_up(index);
        match &self.turns {
            Turns::Wrr(wrr) => wrr
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .pick_by(eligible, |index| self.share(index, now)),
            Turns::P2c => strategy::less_loaded(
                self.members.len(),
                eligible,
                |index| self.states[index].under_way(),
                |index| self.share(index, now),
                rng,
            ),
            Turns::Hrw => {
                let candidates = self.members.iter().enumerate();
                let candidates =
                    candidates
                        .filter(|&(index, _)| eligible(index))
                        .map(|(index, member)| {
                            (index, &*member.name, member.weight * self.share(index, now))
                        });
                strategy::highest(&client.ip.to_canonical().to_string(), candidates)
            }
            Turns::LeastTime(least_time) => least_time.pick(eligible, |index| Load {
                time: self.states[index].mean_time(),
                under_way: self.states[index].under_way(),
                weight: self.members[index].weight * self.share(index, now),
            }),
        }
    }

    fn takes_new_requests(&self, is_up: impl Fn(usize) -> bool) -> bool {
        let mut members = self.members.iter().enumerate();
        members.any(|(index, member)| member.takes_new_requests() && is_up(index))
    }

    fn is_member_up(&self, index: usize, now: Instant) -> bool {
        self.states.get(index).is_none_or(|state| state.is_up(now))
    }

    fn share(&self, index: usize, now: Instant) -> f64 {
        self.slow_start
            .map_or(1.0, |time| self.states[index].share(now, time))
    }

    fn ticket(&self, index: usize) -> Ticket {
        match self.turns {
            Turns::P2c | Turns::LeastTime(_) => Ticket::new(&self.states[index]),
            Turns::Wrr(_) | Turns::Hrw => Ticket::default(),
        }
    }

    fn measures(&self) -> bool {
        matches!(self.turns, Turns::LeastTime(_))
    }

    /// Whether enough of those who take new requests are left without this one.
    fn may_eject(&self, index: usize, check: &PassiveCheck, now: Instant) -> bool {
        if check.max_ejected_percent >= 100 || !self.members[index].takes_new_requests() {
            return true;
        }
        let (mut n, mut n_out) = (0, 0);
        for (member, state) in self.members.iter().zip(&self.states) {
            if member.takes_new_requests() {
                n += 1;
                let goes_too = Arc::ptr_eq(state, &self.states[index]);
                n_out += usize::from(goes_too || !state.is_up(now));
            }
        }
        n_out * 100 <= n * usize::from(check.max_ejected_percent)
    }
}

impl Candidate {
    fn new(member: Member, strategy: Strategy) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "weights are small")]
        Self {
            name: member.name,
            weight: member.weight as f64,
            is_fenced: member.is_fenced,
            is_in: member.weight > 0 || strategy == Strategy::P2c,
        }
    }

    fn takes_new_requests(&self) -> bool {
        self.is_in && !self.is_fenced
    }
}

fn turns(strategy: Strategy, members: &[Member], previous: Option<&Balancer>) -> Turns {
    let weights = members.iter().map(|member| member.weight);
    match strategy {
        Strategy::Wrr => Turns::Wrr(Mutex::new(wrr(members, previous))),
        Strategy::P2c => Turns::P2c,
        Strategy::Hrw => Turns::Hrw,
        Strategy::LeastTime => Turns::LeastTime(LeastTime::new(weights)),
    }
}

fn wrr(members: &[Member], previous: Option<&Balancer>) -> Wrr {
    let Some((previous, Turns::Wrr(turns))) = previous.map(|previous| (previous, &previous.turns))
    else {
        return Wrr::new(members.iter().map(|member| member.weight));
    };
    let before = previous.members.iter().enumerate();
    let before: HashMap<&str, usize> = before
        .map(|(index, member)| (&*member.name, index))
        .collect();
    let members = members.iter();
    let members = members.map(|member| (member.weight, before.get(&*member.name).copied()));
    Wrr::following(
        &turns.lock().unwrap_or_else(PoisonError::into_inner),
        members,
    )
}

/// The state of each member: that of the same name before, or a new one. Equal names share it.
fn states(members: &[Member], previous: Option<&Balancer>) -> Box<[Arc<ServerState>]> {
    let mut known: HashMap<&str, Arc<ServerState>> = previous
        .into_iter()
        .flat_map(Balancer::states)
        .map(|(name, state)| (&**name, Arc::clone(state)))
        .collect();
    let joins_others = !known.is_empty();
    let new = || {
        if joins_others {
            ServerState::fresh()
        } else {
            ServerState::default()
        }
    };
    members
        .iter()
        .map(|member| {
            let state = known.entry(&member.name).or_insert_with(|| Arc::new(new()));
            Arc::clone(state)
        })
        .collect()
}

/// Those whom a cookie may name, with their position.
fn places(members: &[Candidate]) -> impl Iterator<Item = (usize, Arc<str>)> {
    let members = members.iter().enumerate();
    members
        .filter(|(_, member)| member.is_in)
        .map(|(index, member)| (index, Arc::clone(&member.name)))
}
