import { Type } from "typebox";

import { MessageBody } from "../contract/api-error.ts";
import { defineRoute } from "../contract/route.ts";
import {
  AssignableRole,
  AuthMethods,
  CreateUserRequest,
  FirstUserRequest,
  FirstUserResponse,
  LoginRequest,
  LoginResponse,
  maxListLength,
  maxPasswordLength,
  maxPersonNameLength,
  RoleName,
  User,
  UsersResponse,
} from "./user.ts";

/** The rate limit of routes that check a password, lower than the default (docs/protocol/clients.md §5.3). */
const passwordRequestsPerMinute = 60;

/** `user` is a UUID, a username or `me`. */
export const UserParams = Type.Object({ user: Type.String() });

export const getFirstUser = defineRoute({
  method: "GET",
  path: "/users/first",
  summary: "Check whether the first user exists",
  caller: "anyone",
  response: MessageBody,
});

export const createFirstUser = defineRoute({
  method: "POST",
  path: "/users/first",
  summary: "Create the first user, an owner",
  caller: "anyone",
  body: FirstUserRequest,
  status: 201,
  response: FirstUserResponse,
});

export const login = defineRoute({
  method: "POST",
  path: "/users/login",
  requestsPerMinute: passwordRequestsPerMinute,
  summary: "Log in with email and password",
  caller: "anyone",
  body: LoginRequest,
  status: 201,
  response: LoginResponse,
});

const LogoutResponse = Type.Object({
  ...MessageBody.properties,
  /** The address to which a browser goes to log out at its login provider, too. */
  provider_logout_url: Type.Optional(Type.String()),
});

export const logout = defineRoute({
  method: "POST",
  path: "/users/logout",
  summary: "Log out",
  response: LogoutResponse,
});

export const getAuthMethods = defineRoute({
  method: "GET",
  path: "/users/authmethods",
  summary: "List login methods",
  caller: "anyone",
  response: AuthMethods,
});

export const getUser = defineRoute({
  method: "GET",
  path: "/users/:user",
  summary: "Get a user",
  scopes: ["user:read"],
  params: UserParams,
  response: User,
});

export const listUsers = defineRoute({
  method: "GET",
  path: "/users",
  summary: "List visible users",
  scopes: ["user:read"],
  query: Type.Object({
    /** Words in the name, username or email; `status:` and `role:` filter further. */
    q: Type.Optional(Type.String({ maxLength: 256 })),
    limit: Type.Optional(Type.String({ maxLength: 10 })),
    offset: Type.Optional(Type.String({ maxLength: 10 })),
  }),
  response: UsersResponse,
});

export const createUser = defineRoute({
  method: "POST",
  path: "/users",
  summary: "Create a user",
  body: CreateUserRequest,
  status: 201,
  response: User,
});

export const deleteUser = defineRoute({
  method: "DELETE",
  path: "/users/:user",
  summary: "Delete a user without workspaces",
  params: UserParams,
  response: MessageBody,
});

const UpdateProfileRequest = Type.Object({
  username: Type.String({ minLength: 1, maxLength: 32 }),
  name: Type.Optional(Type.String({ maxLength: maxPersonNameLength })),
});

export const updateProfile = defineRoute({
  method: "PUT",
  path: "/users/:user/profile",
  summary: "Update a user's username and name",
  scopes: ["user:update_personal"],
  params: UserParams,
  body: UpdateProfileRequest,
  response: User,
});

const UpdatePasswordRequest = Type.Object({
  /** Required only to change one's own password. */
  old_password: Type.Optional(Type.String({ maxLength: maxPasswordLength })),
  password: Type.String({ minLength: 1, maxLength: maxPasswordLength }),
});

export const updatePassword = defineRoute({
  method: "PUT",
  path: "/users/:user/password",
  requestsPerMinute: passwordRequestsPerMinute,
  summary: "Change a user's password and revoke all of their sessions and tokens",
  params: UserParams,
  body: UpdatePasswordRequest,
  status: 204,
  response: Type.Null(),
});

export const suspendUser = defineRoute({
  method: "PUT",
  path: "/users/:user/status/suspend",
  summary: "Suspend a user",
  params: UserParams,
  response: User,
});

export const activateUser = defineRoute({
  method: "PUT",
  path: "/users/:user/status/activate",
  summary: "Activate a user",
  params: UserParams,
  response: User,
});

const UserRoles = Type.Object({
  roles: Type.Array(Type.String()),
  /** Roles by organization id. */
  organization_roles: Type.Record(Type.String(), Type.Array(Type.String())),
});

export const getUserRoles = defineRoute({
  method: "GET",
  path: "/users/:user/roles",
  summary: "List the roles of a user",
  scopes: ["user:read"],
  params: UserParams,
  response: UserRoles,
});

const UpdateRolesRequest = Type.Object({
  roles: Type.Array(RoleName, { maxItems: maxListLength }),
  /** The roles that the caller knows of; if the user has others by now, nothing is changed (409). */
  expected_roles: Type.Optional(Type.Array(Type.String(), { maxItems: maxListLength })),
});

export const updateUserRoles = defineRoute({
  method: "PUT",
  path: "/users/:user/roles",
  summary: "Set the roles of a user",
  params: UserParams,
  body: UpdateRolesRequest,
  response: User,
});

export const listRoles = defineRoute({
  method: "GET",
  path: "/users/roles",
  summary: "List roles",
  scopes: ["user:read"],
  response: Type.Array(AssignableRole),
});
