import { Type } from "typebox";

import { nullable, type Infer, Timestamp } from "../contract/scalars.ts";

/** A provider of tokens that users may link to their accounts. */
export const ExternalAuthProvider = Type.Object({
  id: Type.String(),
  type: Type.String(),
  /** True if users log in by entering a code at the provider. */
  device: Type.Boolean(),
  display_name: Type.String(),
  display_icon: Type.String(),
  allow_refresh: Type.Boolean(),
  allow_validate: Type.Boolean(),
  supports_revocation: Type.Boolean(),
  code_challenge_methods_supported: Type.Array(Type.String()),
});
export type ExternalAuthProvider = Infer<typeof ExternalAuthProvider>;

/** A user's link to a provider, without its tokens. */
export const ExternalAuthLink = Type.Object({
  provider_id: Type.String(),
  created_at: Timestamp,
  updated_at: Timestamp,
  has_refresh_token: Type.Boolean(),
  /** The zero time for tokens that do not expire. */
  expires: Timestamp,
  authenticated: Type.Boolean(),
  /** The reason why the provider rejects the token; empty if it accepts it. */
  validate_error: Type.String(),
});
export type ExternalAuthLink = Infer<typeof ExternalAuthLink>;

export const ExternalAuthList = Type.Object({
  providers: Type.Array(ExternalAuthProvider),
  links: Type.Array(ExternalAuthLink),
});
export type ExternalAuthList = Infer<typeof ExternalAuthList>;

/** The user's account at the provider. */
const ExternalAuthUser = Type.Object({
  id: Type.Integer(),
  login: Type.String(),
  avatar_url: Type.String(),
  profile_url: Type.String(),
  name: Type.String(),
});

/** The state of the caller's link to one provider. */
export const ExternalAuthState = Type.Object({
  authenticated: Type.Boolean(),
  device: Type.Boolean(),
  display_name: Type.String(),
  supports_revocation: Type.Boolean(),
  user: nullable(ExternalAuthUser),
  app_installable: Type.Boolean(),
  installations: Type.Array(Type.Unknown()),
  app_install_url: Type.String(),
});
export type ExternalAuthState = Infer<typeof ExternalAuthState>;

/** A code for the user to enter at the provider (RFC 8628). */
export const ExternalAuthDevice = Type.Object({
  device_code: Type.String(),
  user_code: Type.String(),
  verification_uri: Type.String(),
  /** In seconds. */
  expires_in: Type.Integer(),
  /** The seconds between attempts to get the token. */
  interval: Type.Integer(),
});
export type ExternalAuthDevice = Infer<typeof ExternalAuthDevice>;

/** The end of a link, and the provider's answer to the revocation of its tokens. */
export const ExternalAuthRemoval = Type.Object({
  token_revoked: Type.Boolean(),
  token_revocation_error: Type.Optional(Type.String()),
});
export type ExternalAuthRemoval = Infer<typeof ExternalAuthRemoval>;

/** A provider that a template version requires. */
export const TemplateVersionExternalAuth = Type.Object({
  id: Type.String(),
  type: Type.String(),
  display_name: Type.String(),
  display_icon: Type.String(),
  authenticate_url: Type.String(),
  authenticated: Type.Boolean(),
  optional: Type.Optional(Type.Boolean()),
});
export type TemplateVersionExternalAuth = Infer<typeof TemplateVersionExternalAuth>;
