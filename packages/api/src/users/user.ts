import { Type } from "typebox";

import { type Infer, oneOf, Timestamp, Uuid } from "../contract/scalars.ts";

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

export const FirstUserRequest = Type.Object({
  email: Type.String({ minLength: 3, maxLength: 254 }),
  username: Type.String({ minLength: 1, maxLength: 32 }),
  name: Type.Optional(Type.String({ maxLength: 128 })),
  password: Type.String({ minLength: 1, maxLength: 64 }),
});
export const FirstUserResponse = Type.Object({ user_id: Uuid, organization_id: Uuid });

export const LoginRequest = Type.Object({
  email: Type.String({ minLength: 1, maxLength: 254 }),
  password: Type.String({ minLength: 1, maxLength: 64 }),
});
export const LoginResponse = Type.Object({ session_token: Type.String() });
export const KeyResponse = Type.Object({ key: Type.String() });

export const AuthMethods = Type.Object({
  password: Type.Object({ enabled: Type.Boolean() }),
  github: Type.Object({ enabled: Type.Boolean(), default_provider_configured: Type.Boolean() }),
  oidc: Type.Object({
    enabled: Type.Boolean(),
    signInText: Type.String(),
    iconUrl: Type.String(),
  }),
});
