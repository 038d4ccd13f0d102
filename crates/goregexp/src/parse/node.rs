use regex_syntax::hir::{Hir, Repetition};

/// A part of the pattern and the two measures that are limited.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) hir: Hir,
    /// How many levels are nested in it.
    pub(super) height: u32,
    /// The greatest product of nested repeat counts in it.
    pub(super) copies: u32,
    shape: Shape,
}

/// Sequences in sequences and alternations in alternations are one level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Concat,
    Alternation,
    Other,
}

impl Node {
    pub(super) fn leaf(hir: Hir) -> Self {
        Self {
            hir,
            height: 0,
            copies: 1,
            shape: Shape::Other,
        }
    }

    pub(super) fn concat(nodes: Vec<Self>) -> Self {
        Self::join(nodes, Shape::Concat, Hir::concat)
    }

    pub(super) fn alternation(nodes: Vec<Self>) -> Self {
        Self::join(nodes, Shape::Alternation, Hir::alternation)
    }

    fn join(mut nodes: Vec<Self>, shape: Shape, build: impl FnOnce(Vec<Hir>) -> Hir) -> Self {
        if nodes.len() == 1
            && let Some(only) = nodes.pop()
        {
            return only;
        }
        let levels = |node: &Self| node.height + u32::from(node.shape != shape);
        let height = nodes.iter().map(levels).max().unwrap_or(0);
        let copies = nodes.iter().map(|node| node.copies).max().unwrap_or(1);
        let hir = build(nodes.into_iter().map(|node| node.hir).collect());
        Self {
            hir,
            height,
            copies,
            shape,
        }
    }

    pub(super) fn repeat(self, min: u32, max: Option<u32>, greedy: bool) -> Self {
        let copies = match max {
            Some(0) => 1,
            Some(max) => max.saturating_mul(self.copies),
            None => min.max(1).saturating_mul(self.copies),
        };
        let node = self.wrap(|sub| {
            Hir::repetition(Repetition {
                min,
                max,
                greedy,
                sub: Box::new(sub),
            })
        });
        Self { copies, ..node }
    }

    pub(super) fn wrap(self, build: impl FnOnce(Hir) -> Hir) -> Self {
        Self {
            hir: build(self.hir),
            height: self.height + 1,
            copies: self.copies,
            shape: Shape::Other,
        }
    }
}
