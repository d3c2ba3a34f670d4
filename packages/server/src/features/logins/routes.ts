import {
  beginLoginTest,
  convertLogin,
  getOidcClaims,
  takeLoginTest,
  testLoginProvider,
} from "@slipway/api/logins/routes";
import type { JsonObject } from "@slipway/runtime";

import { isOwnerRole } from "../../platform/auth/rights.ts";
import { Invalid, notFound } from "../../platform/errors/errors.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import type { Routes } from "../../platform/http/routes.ts";
import { findUser } from "../users/service.ts";
import type { CheckNeeds } from "./check-service.ts";
import { beginConversion, type ConversionNeeds } from "./conversion.ts";
import { LogInError } from "./errors.ts";
import { openDetails } from "./identity.ts";
import { beginTest, takeTest, testOf } from "./login-test.ts";
import type { Provider } from "./providers.ts";
import { selectIdentity } from "./queries.ts";

type TestNeeds = Pick<CheckNeeds, "db" | "secrets" | "providers">;
type RouteNeeds = Pick<CheckNeeds, "secrets"> & ConversionNeeds;

/**
 * Adds the routes that tell which claims a provider sends, and what its rules make of them, and the one that begins a
 * conversion.
 */
export function addLogInProviderRoutes(routes: Routes, needs: RouteNeeds): void {
  /** Returns the provider that an owner tests. */
  const testedBy = (user: UserCaller, id: string): Provider => {
    const provider = isOwnerRole(user) ? needs.providers.byId(id) : undefined;
    if (provider === undefined) throw notFound();
    return provider;
  };
  routes.user(testLoginProvider, async ({ params, body }, user) => {
    const provider = testedBy(user, params.provider);
    const owner = await findUser(needs.db, user, body.user ?? "me");
    const claims = body.claims ?? (await lastClaims(needs, owner.id, provider));
    return readTest(provider, claims);
  });
  routes.user(beginLoginTest, ({ params }, user) =>
    beginTest(needs, user, testedBy(user, params.provider)),
  );
  routes.user(takeLoginTest, ({ params, body }, user) => {
    testedBy(user, params.provider);
    return takeTest(needs, user, body.id);
  });
  routes.user(convertLogin, ({ params, body }, user) =>
    beginConversion(needs, user, params.user, body),
  );
  routes.user(getOidcClaims, async (_request, user) => ({
    claims: { ...(await lastClaims(needs, user.id, undefined)) },
  }));
}

/** Reads the claims of a user's last login, at this provider if one is given. Throws `Invalid`. */
async function lastClaims(
  { db, secrets }: TestNeeds,
  userId: string,
  provider: Provider | undefined,
): Promise<JsonObject> {
  const identity = await selectIdentity(db, userId);
  const isOther = provider !== undefined && identity?.provider_id !== provider.id;
  if (identity === undefined || isOther) {
    throw new Invalid("The user has not logged in at a login provider.", {
      detail: "Pass the claims, or log in there first.",
    });
  }
  return openDetails(secrets, identity.details_encrypted).claims;
}

/** Reads claims that a person may have typed; throws `Invalid`. */
function readTest(provider: Provider, claims: JsonObject): ReturnType<typeof testOf> {
  try {
    return testOf(provider, claims);
  } catch (error) {
    if (!(error instanceof LogInError)) throw error;
    throw new Invalid("These are not the claims of a person.", { detail: error.message });
  }
}
