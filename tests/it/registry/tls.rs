//! The registry over HTTPS, with a certificate authority made for the test.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, date_time_ymd};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer},
};

use super::{server::FileServer, world::World};

struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        Self { issuer: CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap() }
    }

    fn server(&self, world: &World, name: &str, spoil: impl FnOnce(&mut CertificateParams)) -> FileServer {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        spoil(&mut params);
        let key = KeyPair::generate().unwrap();
        let cert = params.signed_by(&key, &self.issuer).unwrap();
        FileServer::https(world.dir.clone(), config(cert.der().clone(), &key))
    }
}

fn config(cert: CertificateDer<'static>, key: &KeyPair) -> ServerConfig {
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert], key)
        .unwrap()
}

#[test]
fn a_certificate_must_be_for_this_host_in_time_and_from_an_authority_that_is_trusted() {
    let world = World::synced();
    world.publish(2);
    let authority = Authority::new();
    let before = world.kept();
    let refuses = |server: &FileServer, words: &[&str]| {
        world.set("registry.url", &server.url());
        let out = world.home.clown(&["registry", "sync", "--force"]).fails(1);
        assert!(words.iter().any(|w| out.stderr().contains(w)), "none of {words:?} is in:\n{}", out.report());
        assert!(out.stderr().contains("certificate"), "{}", out.report());
        assert_eq!(world.kept(), before);
        assert_eq!(server.asked().len(), 0, "something was asked before the certificate was checked");
    };
    let good = authority.server(&world, "127.0.0.1", |_| {});
    // Nobody said yet that this authority is trusted.
    refuses(&good, &["authority", "issuer", "trusted"]);
    let own = KeyPair::generate().unwrap();
    let cert = CertificateParams::new(vec!["127.0.0.1".into()]).unwrap().self_signed(&own).unwrap();
    let file = world.home.write("ca.pem", &authority.issuer.pem());
    world.set("registry.ca_file", file.to_str().unwrap());
    refuses(&FileServer::https(world.dir.clone(), config(cert.der().clone(), &own)), &["authority", "issuer", "trusted", "CA"]);
    refuses(&authority.server(&world, "registry.example", |_| {}), &["name", "host"]);
    refuses(
        &authority.server(&world, "127.0.0.1", |params| {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2021, 1, 1);
        }),
        &["expired"],
    );
    world.set("registry.url", &good.url());
    world.sync();
    assert_eq!(world.name(), "Version 2");
    // From https to http, even on the same port, is no way to go on.
    world.publish(3);
    let plain = world.server.url();
    good.behave(move |path| super::server::Answer::Status { code: 302, headers: format!("Location: {plain}{path}\r\n"), body: Vec::new() });
    world.home.clown(&["registry", "sync", "--force"]).fails(1).says("not encrypted");
    assert_eq!(world.name(), "Version 2");
    world.set("registry.ca_file", "/nowhere/ca.pem");
    world.home.clown(&["registry", "sync"]).fails(1).says("/nowhere/ca.pem");
}
