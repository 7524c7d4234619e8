//! Verbs, in the sandbox and on a cluster. A fresh namespace of a cluster is not empty, and its controllers take their time.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenReview};
use k8s_openapi::api::core::v1::{ConfigMap, Secret, ServiceAccount};
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams, Preconditions, PropagationPolicy};
use serde_json::json;

use crate::bench::{create, eventually, object, refusal};
use crate::target::{Target, on_both_targets};

on_both_targets! {
    create_get_replace_delete "verbs";
    what_is_wrong_is_refused_as_kubernetes_does "refused";
    dry_run_and_generate_name "dry-run";
    immutable_config_maps_and_secrets "immutable";
    lists_select_and_page "lists";
    patches_of_four_kinds "patches";
    finalizers_hold_an_object "finalizers";
    what_an_object_owns_goes_with_it "owners";
    a_namespace_goes_with_all_that_is_in_it "namespace";
    scale_is_a_subresource "scale";
    discovery_and_reviews "discovery";
    a_token_is_its_accounts_for_those_it_was_made_for "tokens";
    a_key_that_is_no_qualified_name_is_refused "keys";
}

fn config(name: &str, value: &str) -> ConfigMap {
    serde_json::from_value(json!({"metadata": {"name": name, "labels": {"app": value}}, "data": {"k": value}})).unwrap()
}

fn configs(target: &Target) -> Api<ConfigMap> {
    Api::namespaced(target.client(), target.namespace())
}

async fn create_get_replace_delete(target: &Target) {
    let api = configs(target);
    let made = api.create(&PostParams::default(), &config("a", "1")).await.unwrap();
    assert!(made.uid().is_some() && made.resource_version().is_some() && made.creation_timestamp().is_some());
    assert_eq!(api.get("a").await.unwrap(), made);

    let again = refusal(api.create(&PostParams::default(), &config("a", "1")).await);
    assert_eq!((again.code, again.reason.as_str()), (409, "AlreadyExists"));
    assert_eq!(again.message, "configmaps \"a\" already exists");

    let mut newer = made.clone();
    newer.data = Some([("k".into(), "2".into())].into());
    let replaced = api.replace("a", &PostParams::default(), &newer).await.unwrap();
    assert_ne!(replaced.resource_version(), made.resource_version());
    assert_eq!(replaced.uid(), made.uid());
    let stale = refusal(api.replace("a", &PostParams::default(), &newer).await);
    assert_eq!((stale.code, stale.reason.as_str()), (409, "Conflict"));
    assert!(stale.message.contains("the object has been modified"), "{}", stale.message);

    let wrong = DeleteParams {
        preconditions: Some(Preconditions { uid: Some("other".into()), resource_version: None }),
        ..Default::default()
    };
    assert_eq!(refusal(api.delete("a", &wrong).await).code, 409);
    api.delete("a", &DeleteParams::default()).await.unwrap();
    let gone = refusal(api.get("a").await);
    assert_eq!(
        (gone.code, gone.reason.as_str(), gone.message.as_str()),
        (404, "NotFound", "configmaps \"a\" not found")
    );
}

async fn what_is_wrong_is_refused_as_kubernetes_does(target: &Target) {
    let api = configs(target);
    let name = refusal(api.create(&PostParams::default(), &config("Not_A_Name", "1")).await);
    assert_eq!((name.code, name.reason.as_str()), (422, "Invalid"));
    assert!(
        name.message.starts_with("ConfigMap \"Not_A_Name\" is invalid: metadata.name: Invalid value"),
        "{}",
        name.message
    );
    let nowhere: Api<ConfigMap> = Api::namespaced(target.client(), "nowhere");
    let status = refusal(nowhere.create(&PostParams::default(), &config("a", "1")).await);
    assert_eq!((status.code, status.message.as_str()), (404, "namespaces \"nowhere\" not found"));
    let unknown = refusal(target.everywhere("nobody.example/v1", "Thing").list(&ListParams::default()).await);
    assert_eq!((unknown.code, unknown.message.as_str()), (404, "404 page not found"));
    let labels = json!({"metadata": {"name": "a", "labels": {"k": "not a label value"}}});
    let status = refusal(api.create(&PostParams::default(), &serde_json::from_value(labels).unwrap()).await);
    assert_eq!(status.code, 422);
    let shapeless = target.api("v1", "ConfigMap");
    let status = refusal(
        shapeless.create(&PostParams::default(), &object(json!({"metadata": {"name": "a"}, "data": "text"}))).await,
    );
    assert_eq!((status.code, status.reason.as_str()), (400, "BadRequest"));
}

async fn dry_run_and_generate_name(target: &Target) {
    let api = configs(target);
    let dry = PostParams { dry_run: true, ..Default::default() };
    assert_eq!(api.create(&dry, &config("a", "1")).await.unwrap().name_any(), "a");
    assert_eq!(refusal(api.get("a").await).code, 404);
    let generated: ConfigMap = serde_json::from_value(json!({"metadata": {"generateName": "run-"}})).unwrap();
    let one = api.create(&PostParams::default(), &generated).await.unwrap().name_any();
    let two = api.create(&PostParams::default(), &generated).await.unwrap().name_any();
    assert!(one.starts_with("run-") && one.len() == 9 && one != two, "{one} {two}");
}

async fn immutable_config_maps_and_secrets(target: &Target) {
    let api = configs(target);
    let frozen = ConfigMap { immutable: Some(true), ..config("frozen", "1") };
    api.create(&PostParams::default(), &frozen).await.unwrap();
    let status =
        refusal(api.patch("frozen", &PatchParams::default(), &Patch::Merge(json!({"data": {"k": "2"}}))).await);
    assert_eq!((status.code, status.reason.as_str()), (422, "Invalid"));
    assert!(status.message.contains("field is immutable when `immutable` is set"), "{}", status.message);
    let labelled = api
        .patch("frozen", &PatchParams::default(), &Patch::Merge(json!({"metadata": {"labels": {"x": "y"}}})))
        .await
        .unwrap();
    assert_eq!(labelled.labels()["x"], "y");

    let secrets: Api<Secret> = Api::namespaced(target.client(), target.namespace());
    let secret: Secret =
        serde_json::from_value(json!({"metadata": {"name": "s"}, "stringData": {"k": "hello"}})).unwrap();
    let made = secrets.create(&PostParams::default(), &secret).await.unwrap();
    assert_eq!(made.type_.as_deref(), Some("Opaque"));
    assert_eq!(made.data.unwrap()["k"].0, b"hello");
}

async fn lists_select_and_page(target: &Target) {
    let api = configs(target);
    for index in 0..7 {
        let value = if index % 2 == 0 { "even" } else { "odd" };
        api.create(&PostParams::default(), &config(&format!("c{index}"), value)).await.unwrap();
    }
    let even = api.list(&ListParams::default().labels("app=even")).await.unwrap();
    assert_eq!(even.items.len(), 4);
    let all = ListParams::default().labels("app in (even, odd)");
    assert_eq!(api.list(&ListParams::default().fields("metadata.name=c3")).await.unwrap().items.len(), 1);
    let mut names = Vec::new();
    let mut params = all.clone().limit(3);
    loop {
        let page = api.list(&params).await.unwrap();
        names.extend(page.items.iter().map(ResourceExt::name_any));
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params = params.continue_token(&token),
            None => break,
        }
    }
    assert_eq!(names, ["c0", "c1", "c2", "c3", "c4", "c5", "c6"]);
    assert_eq!(api.list_metadata(&all).await.unwrap().items.len(), 7);
    api.delete_collection(&DeleteParams::default(), &ListParams::default().labels("app=even")).await.unwrap();
    assert_eq!(api.list(&all).await.unwrap().items.len(), 3);
}

async fn patches_of_four_kinds(target: &Target) {
    let api = configs(target);
    api.create(&PostParams::default(), &config("a", "1")).await.unwrap();
    let none = PatchParams::default();
    let merged = api.patch("a", &none, &Patch::Merge(json!({"data": {"k": null, "x": "1"}}))).await.unwrap();
    assert_eq!(merged.data.unwrap(), [("x".to_owned(), "1".to_owned())].into());
    let strategic = api.patch("a", &none, &Patch::Strategic(json!({"data": {"y": "1"}}))).await.unwrap();
    assert_eq!(strategic.data.unwrap().len(), 2);
    let old = refusal(
        api.patch("a", &none, &Patch::Merge(json!({"metadata": {"resourceVersion": "1"}, "data": {"z": "1"}}))).await,
    );
    assert_eq!(old.code, 409);
    assert_eq!(refusal(api.patch("missing", &none, &Patch::Merge(json!({}))).await).code, 404);

    let mine = PatchParams::apply("me");
    let apply =
        |data| Patch::Apply(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "b"}, "data": data}));
    let created = api.patch("b", &mine, &apply(json!({"a": "1", "b": "1"}))).await.unwrap();
    let same = api.patch("b", &mine, &apply(json!({"a": "1", "b": "1"}))).await.unwrap();
    assert_eq!(same.resource_version(), created.resource_version(), "applying the same again changes nothing");
    let other = PatchParams::apply("other");
    let conflict = refusal(api.patch("b", &other, &apply(json!({"a": "2"}))).await);
    assert_eq!((conflict.code, conflict.reason.as_str()), (409, "Conflict"));
    assert_eq!(conflict.message, "Apply failed with 1 conflict: conflict with \"me\": .data.a");
    api.patch("b", &other.clone().force(), &apply(json!({"a": "2"}))).await.unwrap();
    let left = api.patch("b", &mine, &apply(json!({}))).await.unwrap();
    assert_eq!(left.data.unwrap(), [("a".to_owned(), "2".to_owned())].into(), "b was mine alone, a is the other's");
}

async fn finalizers_hold_an_object(target: &Target) {
    let api = configs(target);
    let mut held = config("held", "1");
    held.metadata.finalizers = Some(vec!["example.com/wait".into()]);
    api.create(&PostParams::default(), &held).await.unwrap();
    let going = api.delete("held", &DeleteParams::default()).await.unwrap().left().unwrap();
    assert!(going.metadata.deletion_timestamp.is_some());
    api.patch("held", &PatchParams::default(), &Patch::Merge(json!({"metadata": {"finalizers": null}}))).await.unwrap();
    assert_eq!(refusal(api.get("held").await).code, 404);
}

async fn what_an_object_owns_goes_with_it(target: &Target) {
    let api = configs(target);
    let owned_by = |name: &str, owners: &[&ConfigMap]| {
        let mut child = config(name, "child");
        let reference = |owner: &&ConfigMap| {
            serde_json::from_value(
                json!({"apiVersion": "v1", "kind": "ConfigMap", "name": owner.name_any(), "uid": owner.uid().unwrap()}),
            )
            .unwrap()
        };
        child.metadata.owner_references = Some(owners.iter().map(reference).collect());
        child
    };
    let post = PostParams::default();
    let (one, two) =
        (api.create(&post, &config("one", "o")).await.unwrap(), api.create(&post, &config("two", "o")).await.unwrap());
    api.create(&post, &owned_by("child", &[&one])).await.unwrap();
    api.create(&post, &owned_by("shared", &[&one, &two])).await.unwrap();
    let child = api.get("child").await.unwrap();
    api.create(&post, &owned_by("grandchild", &[&child])).await.unwrap();
    api.delete("one", &DeleteParams::background()).await.unwrap();
    eventually("grandchild goes", || async { api.get_opt("grandchild").await.unwrap().is_none().then_some(()) }).await;
    assert!(api.get_opt("child").await.unwrap().is_none());
    assert!(api.get_opt("two").await.unwrap().is_some());
    eventually("the dead owner is struck off", || async {
        (api.get("shared").await.unwrap().owner_references().len() == 1).then_some(())
    })
    .await;

    api.delete("two", &DeleteParams { propagation_policy: Some(PropagationPolicy::Orphan), ..Default::default() })
        .await
        .unwrap();
    eventually("the deleted owner lets go of what it owned", || async {
        let left = api.get_opt("two").await.unwrap();
        (left.is_none() && api.get("shared").await.unwrap().owner_references().is_empty()).then_some(())
    })
    .await;

    let boss = api.create(&post, &config("boss", "o")).await.unwrap();
    // An owner waits for those alone that say that it has to.
    let mut staff = owned_by("staff", &[&boss]);
    for owner in staff.metadata.owner_references.iter_mut().flatten() {
        owner.block_owner_deletion = Some(true);
    }
    api.create(&post, &staff).await.unwrap();
    api.create(&post, &owned_by("visitor", &[&boss])).await.unwrap();
    api.delete("boss", &DeleteParams::foreground()).await.unwrap();
    eventually("foreground deletion ends", || async { api.get_opt("boss").await.unwrap().is_none().then_some(()) })
        .await;
    assert!(api.get_opt("staff").await.unwrap().is_none());
    eventually("the others go, too", || async { api.get_opt("visitor").await.unwrap().is_none().then_some(()) }).await;
}

async fn a_namespace_goes_with_all_that_is_in_it(target: &Target) {
    let name = format!("{}-within", target.namespace());
    target.remove(&name).await;
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
    create(&target.everywhere("v1", "Namespace"), namespace).await;
    let api: Api<ConfigMap> = Api::namespaced(target.client(), &name);
    api.create(&PostParams::default(), &config("a", "1")).await.unwrap();
    target.remove(&name).await;
    assert_eq!(refusal(api.get("a").await).code, 404);
}

async fn scale_is_a_subresource(target: &Target) {
    let api: Api<Deployment> = Api::namespaced(target.client(), target.namespace());
    // Paused, so that nobody makes pods of an image that is nowhere.
    let deployment = json!({"metadata": {"name": "web"}, "spec": {"replicas": 2, "paused": true, "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}}}});
    api.create(&PostParams::default(), &serde_json::from_value(deployment).unwrap()).await.unwrap();
    assert_eq!(api.get_scale("web").await.unwrap().spec.unwrap().replicas, Some(2));
    let patch = Patch::Merge(json!({"spec": {"replicas": 3}}));
    api.patch_scale("web", &PatchParams::default(), &patch).await.unwrap();
    let scaled = api.get("web").await.unwrap();
    assert_eq!(scaled.spec.unwrap().replicas, Some(3));
    assert_eq!(scaled.metadata.generation, Some(2));
}

async fn discovery_and_reviews(target: &Target) {
    let client = target.client();
    assert_eq!(client.apiserver_version().await.unwrap().minor, "34");
    let groups = client.list_api_groups().await.unwrap();
    assert!(groups.groups.iter().any(|group| group.name == "tekton.dev"));
    let resources = client.list_api_group_resources("tekton.dev/v1").await.unwrap();
    assert!(resources.resources.iter().any(|resource| resource.name == "pipelineruns/status"));
    let found =
        kube::discovery::pinned_kind(&client, &kube::core::GroupVersionKind::gvk("tekton.dev", "v1", "PipelineRun"))
            .await
            .unwrap();
    assert_eq!(found.0.plural, "pipelineruns");
    // Of two groups: other tests define kinds of their own meanwhile, and take them away.
    let discovery = kube::Discovery::new(client.clone()).filter(&["apps", "tekton.dev"]).run().await.unwrap();
    assert!(discovery.has_group("apps") && discovery.has_group("tekton.dev"));
    let ready = client.request_text(http::Request::get("/readyz").body(Vec::new()).unwrap()).await.unwrap();
    assert_eq!(ready, "ok");
    let reviews: Api<k8s_openapi::api::authorization::v1::SelfSubjectAccessReview> = Api::all(client);
    let review =
        serde_json::from_value(json!({"spec": {"resourceAttributes": {"verb": "create", "resource": "pipelineruns"}}}))
            .unwrap();
    assert!(reviews.create(&PostParams::default(), &review).await.unwrap().status.unwrap().allowed);
}

async fn a_token_is_its_accounts_for_those_it_was_made_for(target: &Target) {
    let (client, namespace) = (target.client(), target.namespace().to_owned());
    let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), &namespace);
    let account: ServiceAccount = serde_json::from_value(json!({"metadata": {"name": "caller"}})).unwrap();
    accounts.create(&PostParams::default(), &account).await.unwrap();
    let request: TokenRequest =
        serde_json::from_value(json!({"spec": {"audiences": ["kubernaut-console"], "expirationSeconds": 600}}))
            .unwrap();
    let made = accounts.create_token_request("caller", &PostParams::default(), &request).await.unwrap();
    let token = made.status.unwrap().token;
    assert_eq!(token.split('.').count(), 3, "as a JWT is written");
    let reviews: Api<TokenReview> = Api::all(client);
    let review = async |token: &str, audience: &str| {
        let asked = serde_json::from_value(json!({"spec": {"token": token, "audiences": [audience]}})).unwrap();
        reviews.create(&PostParams::default(), &asked).await.unwrap().status.unwrap()
    };
    let its = review(&token, "kubernaut-console").await;
    let user = its.user.unwrap();
    assert_eq!((its.authenticated, its.audiences), (Some(true), Some(vec!["kubernaut-console".to_owned()])));
    assert_eq!(user.username, Some(format!("system:serviceaccount:{namespace}:caller")));
    assert!(user.groups.unwrap().contains(&format!("system:serviceaccounts:{namespace}")));
    for (token, audience) in [(token.as_str(), "somebody-else"), ("eyJhbGciOiJub25lIn0.e30.x", "kubernaut-console")] {
        let refused = review(token, audience).await;
        assert_ne!(refused.authenticated, Some(true), "{audience}");
        assert!(refused.error.is_some_and(|error| !error.is_empty()), "{audience}");
    }
    accounts.delete("caller", &DeleteParams::default()).await.unwrap();
    // An API server remembers for some seconds whose a token was.
    eventually("its token ends with an account", || async {
        (review(&token, "kubernaut-console").await.authenticated != Some(true)).then_some(())
    })
    .await;
    let missing = accounts.create_token_request("nobody", &PostParams::default(), &request).await;
    assert_eq!(refusal(missing).code, 404);
}

async fn a_key_that_is_no_qualified_name_is_refused(target: &Target) {
    let api = configs(target);
    for field in ["labels", "annotations"] {
        let made: ConfigMap =
            serde_json::from_value(json!({"metadata": {"name": "a", (field): {"not a key": "x"}}})).unwrap();
        let refused = refusal(api.create(&PostParams::default(), &made).await);
        assert_eq!((refused.code, refused.reason.as_str()), (422, "Invalid"), "{refused:?}");
        assert!(refused.message.contains(&format!("metadata.{field}: Invalid value: \"not a key\": name part must")));
    }
}
