use http::{request, response};

use crate::answer::Answer;
use crate::context::Context;

/// What is done to the head of a request, and to the head of its response.
///
/// Implementers do not wait for anything, and do not look at bodies.
pub trait Transform {
    /// Changes a request, or answers it.
    ///
    /// The URI is in origin form and clean; the host is in the `Host` header.
    ///
    /// # Errors
    /// The answer, when the request shall go no further. Who answers does not see the answer again in
    /// [`response`](Self::response).
    fn request(
        &self,
        request: &mut request::Parts,
        context: &mut Context,
    ) -> Result<(), Box<Answer>>;

    /// Changes the response to a request that was let through.
    ///
    /// Called once, for the final response; not for informational ones, of which a protocol switch is one.
    fn response(&self, response: &mut response::Parts, context: &Context) {
        let _ = (response, context);
    }
}
