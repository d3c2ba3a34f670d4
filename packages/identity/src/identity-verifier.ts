import type { X509Certificate, KeyObject } from "node:crypto";

import type { Clock, Logger } from "@slipway/runtime";

import { type AwsIdentity, awsKeys, verifyAwsIdentity } from "./aws.ts";
import { KeySet } from "./key-set.ts";
import { SignatureBudget } from "./signature-budget.ts";

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

interface VerifierOptions {
  readonly settings: IdentitySettings;
  readonly clock: Pick<Clock, "now">;
  readonly logger: Logger;
}

/**
 * Verifies identity documents; each method resolves to the instance's id, or throws `IdentityError` or
 * `IdentityClaimError`. The code for a cloud is loaded at its first request, because most servers never receive one.
 */
export class IdentityVerifier {
  readonly #options: VerifierOptions;
  readonly #googleKeys: { readonly RS256: KeySet; readonly ES256: KeySet };
  #awsKeys: readonly KeyObject[] | undefined;
  #azure: ReturnType<typeof openAzure> | undefined;

  constructor(options: VerifierOptions) {
    const { clock, logger, settings } = options;
    this.#options = options;
    this.#googleKeys = {
      RS256: new KeySet({ url: settings.googleKeysUrl, clock, logger }),
      ES256: new KeySet({ url: settings.googleIapKeysUrl, clock, logger }),
    };
  }

  async aws(identity: AwsIdentity): Promise<string> {
    this.#awsKeys ??= awsKeys(this.#options.settings.awsCertificates);
    return verifyAwsIdentity(identity, this.#awsKeys);
  }

  async azure(signature: string): Promise<string> {
    this.#azure ??= openAzure(this.#options);
    const { verify, trust, issuers } = await this.#azure;
    return verify(signature, {
      trust,
      fetchIssuers: (urls) => issuers.fetch(urls),
      nowMs: this.#options.clock.now(),
      signatures: new SignatureBudget(),
    });
  }

  async google(token: string): Promise<string> {
    const { verifyGoogleIdentity } = await import("./google.ts");
    return verifyGoogleIdentity(token, {
      keys: this.#googleKeys,
      audience: this.#options.settings.googleAudience,
      nowMs: this.#options.clock.now(),
    });
  }
}

async function openAzure({ settings, logger }: VerifierOptions) {
  const [{ azureTrust, verifyAzureIdentity }, { IssuerStore }] = await Promise.all([
    import("./azure.ts"),
    import("./issuer-store.ts"),
  ]);
  return {
    verify: verifyAzureIdentity,
    trust: azureTrust(settings.azureCertificates),
    issuers: new IssuerStore({ logger }),
  };
}
