import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";
import { type Infer, oneOf, Timestamp, Uuid } from "../contract/scalars.ts";
import { UserParams } from "../users/routes.ts";
import { RoleName } from "../users/user.ts";

const Claims = Type.Record(Type.String(), Type.Unknown());

/** The outcome that a login with certain claims would have. */
export const LoginTest = Type.Object({
  outcome: oneOf("allowed", "refused"),
  /** The code and the text of a refusal; empty if there is none. */
  reason: Type.String(),
  message: Type.String(),
  subject: Type.String(),
  username: Type.String(),
  email: Type.String(),
  email_verified: Type.Boolean(),
  name: Type.String(),
  /** The values of the groups claim. */
  groups: Type.Array(Type.String()),
  /** Null if the provider assigns no roles, and those assigned on the server stay. */
  roles: Type.Union([Type.Array(RoleName), Type.Null()]),
  claims: Claims,
});
export type LoginTest = Infer<typeof LoginTest>;

export const testLoginProvider = defineRoute({
  method: "POST",
  path: "/login-providers/:provider/test",
  summary: "Test the rules of a login provider with claims",
  params: Type.Object({ provider: Type.String() }),
  body: Type.Object({
    /** Defaults to those of the user's last login at the provider. */
    claims: Type.Optional(Claims),
    /** A user by id or name; `me` by default. */
    user: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  }),
  response: LoginTest,
});

/** A login by which an owner tests a provider: whoever opens the address logs in there, and gets neither account nor session. */
export const BegunLoginTest = Type.Object({
  id: Type.String(),
  /** The path, with its query, at which the login begins; it works once. */
  login_url: Type.String(),
  /** In seconds. */
  expires_in: Type.Integer(),
  /** The time between two requests for the result, in seconds. */
  interval: Type.Integer(),
});
export type BegunLoginTest = Infer<typeof BegunLoginTest>;

export const beginLoginTest = defineRoute({
  method: "POST",
  path: "/login-providers/:provider/test-logins",
  summary: "Begin a login that tests a login provider, in place of an earlier one",
  params: Type.Object({ provider: Type.String() }),
  status: 201,
  response: BegunLoginTest,
});

/** Answers 400 with the detail `authorization_pending` until the login is complete, and `expired_token` afterwards. */
export const takeLoginTest = defineRoute({
  method: "POST",
  path: "/login-providers/:provider/test-logins/result",
  summary: "Take the result of a login that tests a login provider",
  params: Type.Object({ provider: Type.String() }),
  body: Type.Object({ id: Type.String({ minLength: 1, maxLength: 64 }) }),
  response: LoginTest,
});

export const getOidcClaims = defineRoute({
  method: "GET",
  path: "/users/oidc-claims",
  summary: "Get the claims of the caller's last login at a provider",
  response: Type.Object({ claims: Claims }),
});

const ProviderType = oneOf("oidc", "github");

/**
 * The start of a conversion: a browser with the same session that opens the provider's `login_url` with `state_string` as
 * `oidc_merge_state` joins the person who logs in there to the user.
 */
export const Conversion = Type.Object({
  state_string: Type.String(),
  expires_at: Timestamp,
  to_type: ProviderType,
  user_id: Uuid,
});
export type Conversion = Infer<typeof Conversion>;

export const convertLogin = defineRoute({
  method: "POST",
  path: "/users/:user/convert-login",
  requestsPerMinute: 20,
  summary: "Begin to replace the caller's password by a login provider",
  params: UserParams,
  body: Type.Object({
    to_type: ProviderType,
    password: Type.String({ minLength: 1, maxLength: 1024 }),
    /** The id of a provider (default: the first one of the type). */
    provider: Type.Optional(Type.String({ maxLength: 64 })),
  }),
  status: 201,
  response: Conversion,
});
