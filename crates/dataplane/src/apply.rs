//! Middlewares: on the way in, and in reverse on the way out.

use smallvec::SmallVec;
use traefikrs_middleware::{Context, Stack, Transform};

use crate::answer::Answer;
use crate::body::Content;
use crate::intake::Seen;
use crate::serve::Inbound;

/// The stacks that a request has passed and that its answer will pass back.
#[derive(Debug, Default)]
pub(crate) struct Passed<'g>(SmallVec<[&'g Stack; 4]>);

impl<'g> Passed<'g> {
    /// Lets a request through a stack; the error is the answer it gets there.
    pub(crate) fn through(
        &mut self,
        stack: &'g Stack,
        inbound: &mut Inbound,
    ) -> Result<(), Box<Answer>> {
        if stack.is_empty() {
            return Ok(());
        }
        stack
            .request(&mut inbound.parts, &mut inbound.context)
            .map_err(|answer| {
                Box::new(Answer::from_parts(answer.head, Content::Whole(answer.body)))
            })?;
        inbound.seen = Seen::among(&inbound.parts.headers);
        self.0.push(stack);
        Ok(())
    }

    /// Lets the answer back through all of them.
    pub(crate) fn back(self, answer: Answer, context: &Context) -> Answer {
        if self.0.is_empty() {
            return answer;
        }
        let (mut head, content) = answer.into_parts();
        for stack in self.0.iter().rev() {
            stack.response(&mut head, context);
        }
        Answer::from_parts(head, content)
    }
}
