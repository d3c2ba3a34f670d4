import { awsInstanceIdentity, azureInstanceIdentity, googleInstanceIdentity } from "@slipway/api";
import { errorText } from "@slipway/runtime";

import { HttpError } from "../http/errors.ts";
import type { Routes } from "../http/routes.ts";

/**
 * Machines of a cloud that show who they are (`rest.md` section 3). No driver of ours makes such machines, so no agent
 * has the identity of one: the server knows no key of a cloud, and whatever is shown does not verify.
 */
export function addIdentityRoutes(routes: Routes): void {
  routes.anyone(awsInstanceIdentity, async ({ body }) => {
    throw new HttpError(401, "Invalid AWS identity.", { detail: awsProblem(body.document) });
  });
  routes.anyone(azureInstanceIdentity, async () => {
    throw new HttpError(401, "Invalid Azure identity.", {
      detail: "Signature verification failed.",
    });
  });
  routes.anyone(googleInstanceIdentity, async ({ body }) => {
    throw new HttpError(401, "Invalid GCP identity.", {
      detail: googleProblem(body.json_web_token),
    });
  });
}

const noKeys = "this server takes no identities of cloud machines";

function awsProblem(document: string): string {
  try {
    JSON.parse(document);
    return `verify signature: ${noKeys}`;
  } catch (error) {
    return `parse document: ${errorText(error)}`;
  }
}

function googleProblem(token: string): string {
  const segments = token.split(".").length;
  return segments === 3
    ? `idtoken: ${noKeys}`
    : `idtoken: invalid token, token must have three segments; found ${segments}`;
}
