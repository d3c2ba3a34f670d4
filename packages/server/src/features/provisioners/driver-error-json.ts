import { DriverError, type DriverErrorCode } from "@slipway/drivers";
import { errorText } from "@slipway/runtime";

import { storableText } from "../../platform/fields/storable-text.ts";
import type { EndMessage } from "./session-messages.ts";

type ErrorJson = NonNullable<EndMessage["error"]>;

const codes: Readonly<Record<DriverErrorCode, true>> = {
  "invalid-template": true,
  unavailable: true,
  disabled: true,
  "not-startable": true,
  "run-failed": true,
  "state-lost": true,
  "still-running": true,
  unreachable: true,
  "unsafe-path": true,
};

const maxLength = 32_768;

/** Returns an error of a driver, or of what surrounds it, as a message has it. */
export function driverErrorJson(error: unknown): ErrorJson {
  const code = error instanceof DriverError ? error.code : "run-failed";
  return { code, message: errorText(error).slice(0, maxLength) };
}

/** Returns the error that a message has. */
export function driverError({ code, message }: ErrorJson): DriverError {
  return new DriverError(isCode(code) ? code : "run-failed", storableText(message));
}

function isCode(code: string): code is DriverErrorCode {
  return Object.hasOwn(codes, code);
}
