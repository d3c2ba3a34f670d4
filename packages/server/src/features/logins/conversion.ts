import type { BodyOf } from "@slipway/api/contract/route";
import type { Conversion, convertLogin } from "@slipway/api/logins/routes";
import type { Clock } from "@slipway/runtime";

import { requireOwnSession } from "../../platform/auth/key-limits.ts";
import type { PasswordAttempts } from "../../platform/auth/password-attempts.ts";
import { verifyPassword } from "../../platform/auth/password.ts";
import type { SealedNotes } from "../../platform/auth/sealed-notes.ts";
import type { Database } from "../../platform/db/database.ts";
import { forbidden, Invalid, invalidField } from "../../platform/errors/errors.ts";
import type { KnownUser, UserCaller } from "../../platform/http/caller.ts";
import { selectPassword } from "../users/queries.ts";
import { findVisibleUser } from "../users/service.ts";
import type { Aim } from "./pending-cookie.ts";
import type { LogInProviders, Provider } from "./providers.ts";

const purpose = "conversion";
/** The time in which a browser continues to the provider. */
const stateSeconds = 5 * 60;

export interface ConversionNeeds {
  readonly db: Database;
  readonly clock: Pick<Clock, "now">;
  readonly attempts: PasswordAttempts;
  readonly notes: SealedNotes;
  readonly providers: LogInProviders;
}

/**
 * Begins to convert the caller from a password to a provider, and resolves to the state with which their browser goes there.
 * Nothing is stored: the state is for this session and provider, and the conversion ends all sessions of the user.
 */
export async function beginConversion(
  { db, clock, attempts, notes, providers }: ConversionNeeds,
  caller: UserCaller,
  reference: string,
  { to_type: wanted, provider: id, password }: BodyOf<typeof convertLogin>,
): Promise<Conversion> {
  const user = await findVisibleUser(db, caller, reference);
  if (user.id !== caller.id) throw forbidden("Users can convert only their own account.");
  requireOwnSession(caller, "Only a session that its user began can convert the account.");
  const provider = providers.list.find((one) => one.type === wanted && one.id === (id ?? one.id));
  if (provider === undefined) {
    throw invalidField("to_type", `must be the type of a login provider, found "${wanted}"`);
  }
  const { login_type: type, password_hash: hash } = await selectPassword(db, user.id);
  if (type !== "password") {
    throw new Invalid("You do not log in with a password.", {
      detail: `Your login type is "${type}".`,
    });
  }
  const isRight = await attempts.check(user.id, caller.origin?.ip ?? "", () =>
    verifyPassword(password, hash),
  );
  if (!isRight) throw invalidField("password", "is incorrect");
  const state = await notes.seal(
    { keyId: caller.keyId, provider: provider.id },
    { userId: user.id, purpose, seconds: stateSeconds },
  );
  return {
    state_string: state,
    expires_at: new Date(clock.now() + stateSeconds * 1000).toISOString(),
    to_type: provider.type,
    user_id: user.id,
  };
}

/** Reads the state with which a browser comes; undefined if it is not for this provider and the session of the browser. */
export async function readConversion(
  { notes }: Pick<ConversionNeeds, "notes">,
  provider: Pick<Provider, "id">,
  user: Pick<KnownUser, "id" | "keyId"> | undefined,
  state: string,
): Promise<Extract<Aim, { readonly type: "conversion" }> | undefined> {
  if (user === undefined) return undefined;
  const note = await notes.open(state, { userId: user.id, purpose });
  if (note?.["keyId"] !== user.keyId || note["provider"] !== provider.id) return undefined;
  return { type: "conversion", userId: user.id, keyId: user.keyId };
}
