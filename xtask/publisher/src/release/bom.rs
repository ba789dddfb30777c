//! The bill of materials of each program: CycloneDX 1.5 in JSON.

use cargo_metadata::{Metadata, Package};
use cyclonedx_bom::{
    external_models::{date_time::DateTime, normalized_string::NormalizedString, uri::Purl},
    models::{
        component::{Classification, Component, Components},
        dependency::{Dependencies, Dependency},
        hash::{Hash, HashAlgorithm, HashValue, Hashes},
        license::{LicenseChoice, Licenses},
        tool::{Tool, Tools},
    },
    prelude::{Bom, UrnUuid, Validate},
};

use super::{Built, Release, index::sha256, linked};
use crate::Outcome;

pub(crate) fn write(release: &Release, metadata: &Metadata, built: &Built) -> Outcome {
    let all = linked(metadata)?;
    let mut program = component(Classification::Application, all.first().ok_or("nothing is linked")?.0)?;
    program.hashes = Some(Hashes(vec![Hash { alg: HashAlgorithm::SHA_256, content: HashValue(sha256(&built.program)) }]));
    let rest = all.iter().skip(1).map(|(package, _)| component(Classification::Library, package));
    let depends = |(package, on): &(&Package, Vec<&Package>)| Dependency {
        dependency_ref: reference(package),
        dependencies: on.iter().map(|p| reference(p)).collect(),
    };
    let bom = Bom {
        serial_number: Some(UrnUuid::new(serial(&format!("{} {}", built.target, sha256(&built.program)))).map_err(|e| format!("{e:?}"))?),
        metadata: Some(cyclonedx_bom::models::metadata::Metadata {
            timestamp: Some(DateTime::try_from(super::index::time(release.epoch)?).map_err(|e| format!("{e:?}"))?),
            tools: Some(Tools::List(vec![Tool { name: Some(NormalizedString::new("cargo xtask dist")), ..Tool::default() }])),
            component: Some(program),
            ..Default::default()
        }),
        components: Some(Components(rest.collect::<Outcome<_>>()?)),
        dependencies: Some(Dependencies(all.iter().map(depends).collect())),
        ..Bom::default()
    };
    let checked = bom.validate();
    if !checked.passed() {
        return Err(format!("the bill of materials is not as CycloneDX wants it: {checked:?}"));
    }
    let mut bytes = Vec::new();
    bom.output_as_json_v1_5(&mut bytes).map_err(|e| e.to_string())?;
    bytes.push(b'\n');
    release.put(&format!("clown-{}-{}.cdx.json", release.version, built.target), &bytes)
}

fn component(kind: Classification, package: &Package) -> Outcome<Component> {
    let version = package.version.to_string();
    let mut made = Component::new(kind, package.name.as_str(), &version, Some(reference(package)));
    made.purl = Some(Purl::new("cargo", package.name.as_str(), &version).map_err(|e| e.to_string())?);
    made.description =
        package.description.as_deref().map(|text| NormalizedString::new(&text.split_whitespace().collect::<Vec<_>>().join(" ")));
    // The old way to write "or".
    made.licenses = package.license.as_deref().map(|l| Licenses(vec![LicenseChoice::expression(&l.replace('/', " OR "))]));
    Ok(made)
}

fn reference(package: &Package) -> String {
    format!("pkg:cargo/{}@{}", package.name, package.version)
}

/// The same program gets the same number.
fn serial(of: &str) -> String {
    let hash = blake3::hash(of.as_bytes()).to_hex();
    let digits = &hash.as_str()[..32];
    // Version 8 of the numbers: made as the maker likes.
    format!("urn:uuid:{}-{}-8{}-8{}-{}", &digits[..8], &digits[8..12], &digits[13..16], &digits[17..20], &digits[20..])
}
