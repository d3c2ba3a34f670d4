import { Type } from "typebox";

import { type Infer, nullable, oneOf, Timestamp, Uuid } from "../contract/scalars.ts";

export const Role = Type.Object({
  name: Type.String(),
  display_name: Type.String(),
  organization_id: Type.Optional(Type.String()),
});

export const User = Type.Object({
  id: Uuid,
  username: Type.String(),
  name: Type.Optional(Type.String()),
  avatar_url: Type.Optional(Type.String()),
  email: Type.String(),
  created_at: Timestamp,
  updated_at: Timestamp,
  last_seen_at: Timestamp,
  status: oneOf("active", "dormant", "suspended"),
  login_type: oneOf("", "password", "github", "oidc", "token", "none"),
  organization_ids: Type.Array(Uuid),
  roles: Type.Array(Role),
  has_ai_seat: Type.Boolean(),
});
export type User = Infer<typeof User>;

/** The maximum length of an email address, a person's name and a password, in characters. */
const maxEmailLength = 254;
export const maxPersonNameLength = 128;
export const maxPasswordLength = 64;
/** The maximum number of roles or organizations in a request. */
export const maxListLength = 32;

export const UsersResponse = Type.Object({ users: Type.Array(User), count: Type.Integer() });

export const CreateUserRequest = Type.Object({
  email: Type.String({ minLength: 3, maxLength: maxEmailLength }),
  username: Type.String({ minLength: 1, maxLength: 32 }),
  name: Type.Optional(Type.String({ maxLength: maxPersonNameLength })),
  /** Empty for users who do not log in by password. */
  password: Type.Optional(Type.String({ maxLength: maxPasswordLength })),
  /** Empty means `password`; users of `oidc` and `github` log in at a provider that verifies their email address. */
  login_type: Type.Optional(oneOf("", "password", "oidc", "github", "none")),
  user_status: Type.Optional(nullable(oneOf("active", "dormant"))),
  /** Empty means the default organization. */
  organization_ids: Type.Optional(nullable(Type.Array(Uuid, { maxItems: maxListLength }))),
});
export type CreateUserRequest = Infer<typeof CreateUserRequest>;

export const roleNames = ["owner", "template-admin", "user-admin", "auditor", "member"] as const;
export const RoleName = oneOf(...roleNames);
export type RoleName = Infer<typeof RoleName>;

export const AssignableRole = Type.Object({
  name: Type.String(),
  display_name: Type.String(),
  /** True if the caller may assign it. */
  assignable: Type.Boolean(),
  built_in: Type.Boolean(),
});

export const FirstUserRequest = Type.Object({
  email: Type.String({ minLength: 3, maxLength: maxEmailLength }),
  username: Type.String({ minLength: 1, maxLength: 32 }),
  name: Type.Optional(Type.String({ maxLength: maxPersonNameLength })),
  password: Type.String({ minLength: 1, maxLength: maxPasswordLength }),
});
export const FirstUserResponse = Type.Object({ user_id: Uuid, organization_id: Uuid });

export const LoginRequest = Type.Object({
  email: Type.String({ minLength: 1, maxLength: maxEmailLength }),
  password: Type.String({ minLength: 1, maxLength: maxPasswordLength }),
});
export const LoginResponse = Type.Object({ session_token: Type.String() });
export const KeyResponse = Type.Object({ key: Type.String() });

/** A provider at which users log in. */
export const LogInMethod = Type.Object({
  id: Type.String(),
  type: oneOf("oidc", "github"),
  display_name: Type.String(),
  /** Empty if there is none. */
  icon_url: Type.String(),
  /** The path at which a browser begins; `redirect`, a path of the server, may be added to its query. */
  login_url: Type.String(),
});
export type LogInMethod = Infer<typeof LogInMethod>;

export const AuthMethods = Type.Object({
  password: Type.Object({ enabled: Type.Boolean() }),
  github: Type.Object({ enabled: Type.Boolean(), default_provider_configured: Type.Boolean() }),
  oidc: Type.Object({
    enabled: Type.Boolean(),
    signInText: Type.String(),
    iconUrl: Type.String(),
  }),
  /** All login providers; stock clients read the fields above, and stock servers have only those. */
  providers: Type.Optional(Type.Array(LogInMethod)),
});
export type AuthMethods = Infer<typeof AuthMethods>;
