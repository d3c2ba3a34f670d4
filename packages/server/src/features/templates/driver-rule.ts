import { capabilitiesOf, type Driver } from "@slipway/drivers";
import type { TemplateDefinition } from "@slipway/template";

import { isOwnerRole } from "../../platform/auth/rights.ts";
import { forbidden, Invalid } from "../../platform/errors/errors.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { hasTags } from "../../platform/jobs/tags.ts";
import { jobTags, type TaggedVersion } from "./job-tags-service.ts";

export type Drivers = ReadonlyMap<string, Pick<Driver, "name" | "refusal">>;

/** The drivers that a user may write templates for, and the reasons why the others are refused. */
export interface OfferedDrivers {
  readonly drivers: readonly string[];
  /** The reasons by the name of the driver, which precedes each in a sentence. */
  readonly refused: ReadonlyMap<string, string>;
}

/** Sorts the server's drivers by whether the user may write templates for them. */
export function offeredDrivers(drivers: Drivers, user: Pick<UserCaller, "roles">): OfferedDrivers {
  const refused = new Map<string, string>();
  for (const [name, driver] of drivers) {
    const reason = refusalOf(driver, user);
    if (reason !== undefined) refused.set(name, reason);
  }
  return { drivers: [...drivers.keys()].filter((name) => !refused.has(name)), refused };
}

/** A version, as far as its driver and the place of its jobs are concerned. */
interface DrivenVersion extends TaggedVersion {
  readonly definition: Pick<TemplateDefinition, "driver" | "tags">;
}

/** Throws `Invalid` for a driver that this server cannot use, `Forbidden` for one that the user may not use. */
export function requireDriverFor(drivers: Drivers, user: UserCaller, version: DrivenVersion): void {
  const { driver: name } = version.definition;
  const found = drivers.get(name);
  if (found === undefined) throw new Invalid(`This server has no driver "${name}".`);
  // The builds of a version with tags run on provisioners.
  const driver = hasTags(jobTags(version)) ? { name, refusal: undefined } : found;
  if (driver.refusal !== undefined) {
    throw new Invalid(`The driver "${name}" ${driver.refusal}.`);
  }
  const reason = refusalOf(driver, user);
  if (reason !== undefined) throw forbidden(`The driver "${name}" ${reason}.`);
}

function refusalOf(
  { name, refusal }: Pick<Driver, "name" | "refusal">,
  user: Pick<UserCaller, "roles">,
): string | undefined {
  if (refusal !== undefined) return refusal;
  if (!capabilitiesOf(name).runsOnServerMachine || isOwnerRole(user)) return undefined;
  return "runs scripts on the server's machine, so only owners can write templates for it";
}
