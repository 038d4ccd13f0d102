use http::{request, response};

use crate::answer::Answer;
use crate::context::Context;
use crate::middleware::Middleware;
use crate::transform::Transform;

/// The middlewares of a router or a service, in order of execution.
///
/// The order on a request is that of the list, on a response the reverse. A response passes through those which its
/// request has passed: an answer of the third is seen by the second and the first.
#[derive(Clone, Debug, Default)]
pub struct Stack {
    middlewares: Box<[Middleware]>,
}

impl Stack {
    /// Tells whether nothing would happen.
    pub fn is_empty(&self) -> bool {
        self.middlewares.is_empty()
    }

    /// How many middlewares there are.
    pub fn len(&self) -> usize {
        self.middlewares.len()
    }
}

impl FromIterator<Middleware> for Stack {
    fn from_iter<I: IntoIterator<Item = Middleware>>(middlewares: I) -> Self {
        Self {
            middlewares: middlewares.into_iter().collect(),
        }
    }
}

impl Transform for Stack {
    /// An answer has been passed back through the stack already.
    fn request(
        &self,
        request: &mut request::Parts,
        context: &mut Context,
    ) -> Result<(), Box<Answer>> {
        for (index, middleware) in self.middlewares.iter().enumerate() {
            if let Err(mut answer) = middleware.request(request, context) {
                pass_back(&self.middlewares[..index], &mut answer.head, context);
                return Err(answer);
            }
        }
        Ok(())
    }

    fn response(&self, response: &mut response::Parts, context: &Context) {
        pass_back(&self.middlewares, response, context);
    }
}

fn pass_back(passed: &[Middleware], response: &mut response::Parts, context: &Context) {
    // Traefik: 1xx responses bypass middlewares, and the answer to an upgrade is written to the bare connection.
    if response.status.is_informational() {
        return;
    }
    for middleware in passed.iter().rev() {
        middleware.response(response, context);
    }
}
