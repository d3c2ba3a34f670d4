import {
  awsInstanceIdentity,
  azureInstanceIdentity,
  googleInstanceIdentity,
  kubernetesInstanceIdentity,
} from "@slipway/api/agents/instance-identity-routes";
import { IdentityClaimError, IdentityError, type IdentityVerifier } from "@slipway/identity";
import { errorText, type Logger } from "@slipway/runtime";
import type { IdentityAuth } from "@slipway/template";
import type { FastifyRequest } from "fastify";

import { Invalid, Unauthenticated } from "../../../platform/errors/errors.ts";
import { originOf } from "../../../platform/http/request-origin.ts";
import type { Routes } from "../../../platform/http/routes.ts";
import { type ExchangeNeeds, exchangeIdentity } from "./identity-service.ts";
import { exchangePod, type ProvePod } from "./pod-service.ts";

interface IdentityNeeds extends ExchangeNeeds {
  readonly identities: Pick<IdentityVerifier, "aws" | "azure" | "google">;
  /** Undefined on a server without a cluster. */
  readonly provePod: ProvePod | undefined;
}

/**
 * Adds the routes by which machines of a cloud exchange their identity for the token of their agent
 * (docs/protocol/rest.md §3).
 */
export function addInstanceIdentityRoutes(routes: Routes, needs: IdentityNeeds): void {
  const { identities } = needs;
  const exchange = async (
    auth: IdentityAuth,
    instanceId: Promise<string>,
    { raw, body }: MachineRequest,
  ): Promise<{ readonly session_token: string }> => {
    const machine = {
      auth,
      instanceId: await verify(auth, instanceId, needs.logger),
      agentName: (body.agent_name ?? "").trim(),
    };
    const origin = originOf(raw, awsInstanceIdentity.status);
    return { session_token: await exchangeIdentity(needs, machine, origin) };
  };
  routes.anyone(awsInstanceIdentity, (request) =>
    exchange("aws-instance-identity", identities.aws(request.body), request),
  );
  routes.anyone(azureInstanceIdentity, (request) =>
    exchange("azure-instance-identity", identities.azure(request.body.signature), request),
  );
  routes.anyone(googleInstanceIdentity, (request) =>
    exchange("google-instance-identity", identities.google(request.body.json_web_token), request),
  );
  routes.anyone(kubernetesInstanceIdentity, async ({ raw, body }) => {
    const origin = originOf(raw, kubernetesInstanceIdentity.status);
    const token = await routes.waitFor(raw, (signal) =>
      exchangePod(needs, body.token, origin, signal),
    );
    return { session_token: token };
  });
}

/** A request of a machine of any cloud. */
interface MachineRequest {
  readonly raw: FastifyRequest;
  readonly body: { readonly agent_name?: string };
}

const clouds: Readonly<Record<IdentityAuth, string>> = {
  "aws-instance-identity": "AWS",
  "azure-instance-identity": "Azure",
  "google-instance-identity": "GCP",
};

async function verify(
  auth: IdentityAuth,
  instanceId: Promise<string>,
  logger: Pick<Logger, "debug">,
): Promise<string> {
  try {
    return await instanceId;
  } catch (error) {
    if (error instanceof IdentityClaimError) {
      throw new Invalid("Error decoding JWT claims.", { detail: error.message });
    }
    if (!(error instanceof IdentityError)) throw error;
    // The answer for Azure is always the same.
    const reason = errorText(error.cause ?? error);
    logger.debug({ auth, reason }, "identity of a machine rejected");
    throw new Unauthenticated(`Invalid ${clouds[auth]} identity.`, { detail: error.message });
  }
}
