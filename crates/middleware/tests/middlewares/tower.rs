//! Middlewares as tower layers.

use std::convert::Infallible;

use http::{Request, Response};
use tower::{ServiceBuilder, ServiceExt, service_fn};
use traefikrs_middleware::{Context, ResponseBody, TransformLayer};

use crate::support::stack;

type Body = &'static str;

#[tokio::test]
async fn a_stack_is_a_layer() {
    let layer = TransformLayer::new(stack(&[
        "{'headers':{'customResponseHeaders':{'x':'y'}}}",
        "{'stripPrefix':{'prefixes':['/api']}}",
    ]));
    let inner = service_fn(async |request: Request<Body>| {
        let path = request.uri().path().to_owned();
        Ok::<_, Infallible>(Response::new((path, request.into_body())))
    });
    let service = ServiceBuilder::new().layer(layer).service(inner);

    let passed = service
        .clone()
        .oneshot(Request::get("/api/a").body("body").unwrap())
        .await
        .unwrap();
    assert_eq!(passed.headers()["x"], "y");
    assert!(matches!(passed.body(), ResponseBody::Right((path, "body")) if path == "/a"));

    let refused = service
        .oneshot(Request::get("/api../a").body("body").unwrap())
        .await
        .unwrap();
    assert_eq!(refused.status(), 400);
    assert_eq!(refused.headers()["x"], "y");
    assert!(matches!(refused.body(), ResponseBody::Left(_)));
}

#[tokio::test]
async fn layers_share_the_context_of_a_request() {
    let service = ServiceBuilder::new()
        .layer(TransformLayer::new(stack(&[
            "{'redirectScheme':{'scheme':'https'}}",
        ])))
        .layer(TransformLayer::new(stack(&[
            "{'stripPrefix':{'prefixes':['/t']}}",
        ])))
        .layer(TransformLayer::new(stack(&[
            "{'addPrefix':{'prefix':'/pre'}}",
        ])))
        .service_fn(async |request: Request<Body>| {
            Ok::<_, Infallible>(Response::new(request.uri().to_string()))
        });

    let mut context = Context::default();
    context.is_tls = true;
    let request = Request::get("/t").extension(context).body("").unwrap();
    let response = service.oneshot(request).await.unwrap();
    let body = response.into_body();
    assert!(
        matches!(body, ResponseBody::Right(ResponseBody::Right(ResponseBody::Right(uri))) if uri == "/pre")
    );
}
