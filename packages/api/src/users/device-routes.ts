import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";
import { type Infer, nullable, Timestamp } from "../contract/scalars.ts";
import { LoginResponse } from "./user.ts";

/** A login of a program without a browser (RFC 8628), until a person approves it. */
export const DeviceLogin = Type.Object({
  /** The secret with which the program asks for its session. */
  device_code: Type.String(),
  /** The code that the person compares or enters. */
  user_code: Type.String(),
  /** The page at which a logged-in person approves the code. */
  verification_uri: Type.String(),
  /** The same page with the code filled in. */
  verification_uri_complete: Type.String(),
  /** In seconds. */
  expires_in: Type.Integer(),
  /** The time between two requests for the session, in seconds. */
  interval: Type.Integer(),
});
export type DeviceLogin = Infer<typeof DeviceLogin>;

export const createDeviceLogin = defineRoute({
  method: "POST",
  path: "/users/login/device",
  requestsPerMinute: 60,
  summary: "Begin a login that a person approves in a browser",
  caller: "anyone",
  status: 201,
  response: DeviceLogin,
});

/**
 * Answers 400 with the detail `authorization_pending` until the code is approved, `access_denied` once it is refused, and
 * `expired_token` afterwards.
 */
export const redeemDeviceLogin = defineRoute({
  method: "POST",
  path: "/users/login/device/session",
  summary: "Get the session of an approved login",
  caller: "anyone",
  body: Type.Object({ device_code: Type.String({ minLength: 1, maxLength: 2048 }) }),
  status: 201,
  response: LoginResponse,
});

const EnteredCode = Type.Object({ user_code: Type.String({ minLength: 1, maxLength: 64 }) });

/** A program that waits for the approval of its login. */
export const WaitingProgram = Type.Object({
  /** The address and the program of its last request for the session. */
  ip: Type.String(),
  user_agent: Type.String(),
  /** The time at which it began the login. */
  begun_at: Timestamp,
});
export type WaitingProgram = Infer<typeof WaitingProgram>;

export const findWaitingProgram = defineRoute({
  method: "POST",
  path: "/users/login/device/program",
  requestsPerMinute: 20,
  summary: "Find the program that waits for a code, for ten seconds",
  body: EnteredCode,
  response: Type.Object({
    /** The code in its usual form. */
    user_code: Type.String(),
    /** Null if no program asked for the session meanwhile. */
    program: nullable(WaitingProgram),
  }),
});

export const approveDeviceLogin = defineRoute({
  method: "POST",
  path: "/users/login/device/approval",
  requestsPerMinute: 20,
  summary: "Approve the login of a program by its code",
  body: EnteredCode,
  status: 204,
  response: Type.Null(),
});

export const refuseDeviceLogin = defineRoute({
  method: "POST",
  path: "/users/login/device/refusal",
  requestsPerMinute: 20,
  summary: "Refuse the login of a program by its code",
  body: EnteredCode,
  status: 204,
  response: Type.Null(),
});
