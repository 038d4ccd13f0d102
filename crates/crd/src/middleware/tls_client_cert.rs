//! The middleware that sends the client's certificate on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::is_zero;

/// Sends the client's certificate on as headers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct PassTlsClientCert {
    /// The whole certificate.
    #[serde(skip_serializing_if = "is_zero")]
    pub pem: bool,
    /// Parts of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub info: Option<TlsClientCertInfo>,
}

/// Which parts of a client certificate?
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct TlsClientCertInfo {
    /// Until when it is valid.
    #[serde(skip_serializing_if = "is_zero")]
    pub not_after: bool,
    /// From when it is valid.
    #[serde(skip_serializing_if = "is_zero")]
    pub not_before: bool,
    /// Its names.
    #[serde(skip_serializing_if = "is_zero")]
    pub sans: bool,
    /// Its number.
    #[serde(skip_serializing_if = "is_zero")]
    pub serial_number: bool,
    /// Whose it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<TlsClientCertSubject>,
    /// Who signed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<TlsClientCertIssuer>,
}

/// Which parts of a certificate's subject?
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct TlsClientCertSubject {
    /// Country.
    #[serde(skip_serializing_if = "is_zero")]
    pub country: bool,
    /// Province.
    #[serde(skip_serializing_if = "is_zero")]
    pub province: bool,
    /// Locality.
    #[serde(skip_serializing_if = "is_zero")]
    pub locality: bool,
    /// Organization.
    #[serde(skip_serializing_if = "is_zero")]
    pub organization: bool,
    /// Organizational unit.
    #[serde(skip_serializing_if = "is_zero")]
    pub organizational_unit: bool,
    /// Common name.
    #[serde(skip_serializing_if = "is_zero")]
    pub common_name: bool,
    /// Serial number.
    #[serde(skip_serializing_if = "is_zero")]
    pub serial_number: bool,
    /// Domain component.
    #[serde(skip_serializing_if = "is_zero")]
    pub domain_component: bool,
}

/// Which parts of a certificate's issuer?
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct TlsClientCertIssuer {
    /// Country.
    #[serde(skip_serializing_if = "is_zero")]
    pub country: bool,
    /// Province.
    #[serde(skip_serializing_if = "is_zero")]
    pub province: bool,
    /// Locality.
    #[serde(skip_serializing_if = "is_zero")]
    pub locality: bool,
    /// Organization.
    #[serde(skip_serializing_if = "is_zero")]
    pub organization: bool,
    /// Common name.
    #[serde(skip_serializing_if = "is_zero")]
    pub common_name: bool,
    /// Serial number.
    #[serde(skip_serializing_if = "is_zero")]
    pub serial_number: bool,
    /// Domain component.
    #[serde(skip_serializing_if = "is_zero")]
    pub domain_component: bool,
}
