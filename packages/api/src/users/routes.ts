import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";
import { MessageBody } from "../errors/api-error.ts";
import {
  AuthMethods,
  FirstUserRequest,
  FirstUserResponse,
  KeyResponse,
  LoginRequest,
  LoginResponse,
  User,
} from "./user.ts";

/** `user` is a UUID, a username or `me`. */
export const UserParams = Type.Object({ user: Type.String() });

export const getFirstUser = defineRoute({
  method: "GET",
  path: "/users/first",
  summary: "Tell whether the first user exists",
  caller: "anyone",
  response: MessageBody,
});

export const createFirstUser = defineRoute({
  method: "POST",
  path: "/users/first",
  summary: "Create the first user, who becomes owner",
  caller: "anyone",
  body: FirstUserRequest,
  status: 201,
  response: FirstUserResponse,
});

export const login = defineRoute({
  method: "POST",
  path: "/users/login",
  summary: "Log in with email and password",
  caller: "anyone",
  body: LoginRequest,
  status: 201,
  response: LoginResponse,
});

export const logout = defineRoute({
  method: "POST",
  path: "/users/logout",
  summary: "End this session",
  response: MessageBody,
});

export const getAuthMethods = defineRoute({
  method: "GET",
  path: "/users/authmethods",
  summary: "List the ways to log in",
  caller: "anyone",
  response: AuthMethods,
});

export const getUser = defineRoute({
  method: "GET",
  path: "/users/:user",
  summary: "Get a user",
  params: UserParams,
  response: User,
});

export const createKey = defineRoute({
  method: "POST",
  path: "/users/:user/keys",
  summary: "Create a session key",
  params: UserParams,
  status: 201,
  response: KeyResponse,
});
