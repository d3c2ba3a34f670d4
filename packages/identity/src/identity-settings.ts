import type { X509Certificate } from "node:crypto";

/** Trust anchors for the identity documents of cloud instances (docs/templates.md). */
export interface IdentitySettings {
  /** AWS signing certificates, in addition to the published ones. */
  readonly awsCertificates: readonly X509Certificate[];
  /** Roots and intermediates for Azure signatures, in addition to the known ones. */
  readonly azureCertificates: readonly X509Certificate[];
  readonly googleKeysUrl: string;
  readonly googleIapKeysUrl: string;
  /** The audience that tokens of Google instances must name. */
  readonly googleAudience: string;
}
