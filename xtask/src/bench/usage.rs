//! What a process and its children use: CPU time and memory.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

/// One tick of `/proc/PID/stat`, on every Linux that we know of.
const TICK: Duration = Duration::from_millis(10);

/// CPU time that a process tree used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Cpu {
    pub(super) total: Duration,
    /// The kernel samples how the total is divided.
    user: Duration,
    system: Duration,
}

impl Cpu {
    /// What the kernel did on behalf of the processes, as a share of the total.
    pub(super) fn system_share(self) -> f64 {
        let both = self.user + self.system;
        if both.is_zero() {
            0.0
        } else {
            self.system.as_secs_f64() / both.as_secs_f64()
        }
    }
}

/// Adds up what a process tree uses from some moment on.
///
/// Exact to the nanosecond as long as no thread or child ends. For a child that does, the kernel keeps only whole
/// ticks, so it pays to [look](Self::look) often while a proxy reloads.
#[derive(Debug)]
pub(super) struct Meter {
    tree: Tree,
    first: Sample,
    /// For each process that was ever seen, the last that was known of it.
    last: HashMap<u32, Duration>,
}

impl Meter {
    pub(super) fn start(tree: Tree) -> Self {
        let first = tree.sample();
        Self {
            tree,
            last: first.living.clone(),
            first,
        }
    }

    pub(super) fn look(&mut self) {
        self.last.extend(self.tree.sample().living);
    }

    pub(super) fn used(&mut self) -> Cpu {
        let now = self.tree.sample();
        self.last.extend(&now.living);
        let mut living = Duration::ZERO;
        let mut gone = Duration::ZERO;
        let mut gone_before = Duration::ZERO;
        for (id, last) in &self.last {
            let first = self.first.living.get(id).copied().unwrap_or_default();
            if now.living.contains_key(id) {
                living += last.saturating_sub(first);
            } else {
                gone += last.saturating_sub(first);
                gone_before += first;
            }
        }
        let reaped = now.reaped.saturating_sub(self.first.reaped);
        Cpu {
            total: living + gone.max(reaped.saturating_sub(gone_before)),
            user: now.user.saturating_sub(self.first.user),
            system: now.system.saturating_sub(self.first.system),
        }
    }
}

#[derive(Debug)]
struct Sample {
    living: HashMap<u32, Duration>,
    /// What children used that are no more, in whole ticks.
    reaped: Duration,
    user: Duration,
    system: Duration,
}

/// A process and its living descendants, found anew at each question: reloading proxies fork.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tree(pub(super) u32);

impl Tree {
    /// What it used since it began.
    pub(super) fn cpu(self) -> Cpu {
        let sample = self.sample();
        Cpu {
            total: sample.living.values().sum::<Duration>() + sample.reaped,
            user: sample.user,
            system: sample.system,
        }
    }

    fn sample(self) -> Sample {
        let stats = all_stats();
        let mut sample = Sample {
            living: HashMap::new(),
            reaped: Duration::ZERO,
            user: Duration::ZERO,
            system: Duration::ZERO,
        };
        for id in self.members_in(&stats) {
            let stat = &stats[&id];
            sample.user += stat.user;
            sample.system += stat.system;
            // The scheduler's figure has no rounding but lacks threads that ended.
            let used = scheduled(id).max(stat.user + stat.system);
            sample.living.insert(id, used);
            if id == self.0 {
                sample.user += stat.children_user;
                sample.system += stat.children_system;
                sample.reaped = stat.children_user + stat.children_system;
            }
        }
        sample
    }

    /// Resident memory in bytes, a page shared by several processes divided among them.
    pub(super) fn resident(self) -> u64 {
        self.members().into_iter().map(resident).sum()
    }

    /// The ids of its living processes, itself first.
    pub(super) fn members(self) -> Vec<u32> {
        self.members_in(&all_stats())
    }

    fn members_in(self, stats: &HashMap<u32, Stat>) -> Vec<u32> {
        let mut members: Vec<u32> = stats
            .contains_key(&self.0)
            .then_some(self.0)
            .into_iter()
            .collect();
        let mut next = 0;
        while let Some(&parent) = members.get(next) {
            members.extend(
                stats
                    .iter()
                    .filter(|(_, stat)| stat.parent == parent)
                    .map(|(id, _)| *id),
            );
            next += 1;
        }
        members
    }
}

/// CPU time that all processes of the machine have used, and what the hypervisor gave to others.
pub(super) fn machine_cpu() -> Duration {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let ticks: u32 = stat
        .lines()
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .skip(1)
        .take(8)
        .enumerate()
        // Fields 4 and 5 are idle time.
        .filter(|(field, _)| !matches!(field, 3 | 4))
        .filter_map(|(_, text)| text.parse::<u32>().ok())
        .sum();
    TICK * ticks
}

#[derive(Debug, PartialEq, Eq)]
struct Stat {
    parent: u32,
    user: Duration,
    system: Duration,
    children_user: Duration,
    children_system: Duration,
}

impl Stat {
    fn parse(text: &str) -> Option<Self> {
        // The name in parentheses may itself hold spaces and parentheses.
        let (_, rest) = text.rsplit_once(") ")?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let ticks = |field: usize| Some(TICK * fields.get(field)?.parse().ok()?);
        Some(Self {
            parent: fields.get(1)?.parse().ok()?,
            user: ticks(11)?,
            system: ticks(12)?,
            children_user: ticks(13)?,
            children_system: ticks(14)?,
        })
    }
}

fn all_stats() -> HashMap<u32, Stat> {
    numbered("/proc")
        .into_iter()
        .filter_map(|id| {
            Some((
                id,
                Stat::parse(&fs::read_to_string(format!("/proc/{id}/stat")).ok()?)?,
            ))
        })
        .collect()
}

fn scheduled(id: u32) -> Duration {
    numbered(&format!("/proc/{id}/task"))
        .into_iter()
        .filter_map(|task| fs::read_to_string(format!("/proc/{id}/task/{task}/schedstat")).ok())
        .filter_map(|text| Some(Duration::from_nanos(text.split(' ').next()?.parse().ok()?)))
        .sum()
}

fn resident(id: u32) -> u64 {
    let kilobytes = in_kilobytes(&format!("/proc/{id}/smaps_rollup"), "Pss:");
    // What a process of another user shares is not ours to see.
    let kilobytes = kilobytes.or_else(|| in_kilobytes(&format!("/proc/{id}/status"), "VmRSS:"));
    kilobytes.unwrap_or_default() * 1024
}

fn in_kilobytes(file: &str, name: &str) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    value.trim().trim_end_matches(" kB").parse().ok()
}

fn numbered(directory: &str) -> Vec<u32> {
    fs::read_dir(directory)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_name_may_hold_anything() {
        let stat =
            Stat::parse("7 (a ) (b) S 3 7 7 0 -1 4194304 98 0 0 0 11 12 13 14 20 0 1 0").unwrap();
        let expected = Stat {
            parent: 3,
            user: TICK * 11,
            system: TICK * 12,
            children_user: TICK * 13,
            children_system: TICK * 14,
        };
        assert_eq!(stat, expected);
        assert_eq!(Stat::parse("7 (a"), None);
    }

    #[test]
    fn the_time_of_this_process_does_not_go_back() {
        let tree = Tree(std::process::id());
        let mut meter = Meter::start(tree);
        let before = meter.used();
        meter.look();
        assert!(meter.used().total >= before.total);
        assert!(tree.cpu().total >= before.total);
        assert!(tree.resident() > 0);
    }

    #[test]
    fn a_child_that_ended_still_counts() {
        let mut meter = Meter::start(Tree(std::process::id()));
        let mut child = std::process::Command::new("sh")
            .args(["-c", "i=0; while [ $i -lt 100000 ]; do i=$((i + 1)); done"])
            .spawn()
            .unwrap();
        child.wait().unwrap();
        assert!(meter.used().total > TICK);
    }
}
