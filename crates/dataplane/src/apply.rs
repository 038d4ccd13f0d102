//! Middlewares: on the way in, and in reverse on the way out.

use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue};
use smallvec::SmallVec;
use traefikrs_middleware::{Context, Stack, Transform};

use crate::answer::Answer;
use crate::body::Content;
use crate::intake::Seen;
use crate::serve::Inbound;

/// What a request has passed and what its answer will bring back.
#[derive(Debug, Default)]
pub(crate) struct Passed<'g> {
    stacks: SmallVec<[&'g Stack; 4]>,
    cookies: SmallVec<[&'g HeaderValue; 1]>,
}

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
        self.stacks.push(stack);
        Ok(())
    }

    /// Remembers what a balancer wants to be recognised by.
    pub(crate) fn set_cookie(&mut self, cookie: Option<&'g HeaderValue>) {
        self.cookies.extend(cookie);
    }

    /// Lets the answer back through all of them.
    pub(crate) fn back(self, answer: Answer, context: &Context) -> Answer {
        if self.stacks.is_empty() && self.cookies.is_empty() {
            return answer;
        }
        let (mut head, content) = answer.into_parts();
        prepend(&self.cookies, &mut head.headers);
        for stack in self.stacks.iter().rev() {
            stack.response(&mut head, context);
        }
        Answer::from_parts(head, content)
    }
}

/// Puts cookies in front of those of the server.
///
/// Traefik: they are there before the server is asked, so the server's come later, and win under the same name.
fn prepend(cookies: &[&HeaderValue], headers: &mut HeaderMap) {
    let Some((first, rest)) = cookies.split_first() else {
        return;
    };
    let of_server: Vec<_> = headers.get_all(SET_COOKIE).iter().cloned().collect();
    headers.insert(SET_COOKIE, (*first).clone());
    for cookie in rest.iter().copied().chain(&of_server) {
        headers.append(SET_COOKIE, cookie.clone());
    }
}
