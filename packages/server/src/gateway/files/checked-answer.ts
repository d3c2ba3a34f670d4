import type { ResponseOf, Route } from "@slipway/api/contract/route";
import type { ValidateFunction } from "ajv";

import { Unreachable } from "../../platform/errors/errors.ts";
import { createValidator } from "../../platform/fields/validation.ts";

const validator = createValidator();
const checks = new Map<Route, ValidateFunction>();

/** Returns an agent's answer, which has the form of the route's; throws `Unreachable` for any other. */
export function checkedAnswer<R extends Route>(route: R, answer: unknown): ResponseOf<R> {
  const check = checks.get(route) ?? validator.compile(route.response);
  checks.set(route, check);
  if (!check(answer)) {
    const [fault] = check.errors ?? [];
    const detail = `${fault?.instancePath ?? ""} ${fault?.message ?? ""}`.trim();
    throw new Unreachable("The agent's answer is malformed.", { detail });
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- just checked against the schema
  return answer as ResponseOf<R>;
}
