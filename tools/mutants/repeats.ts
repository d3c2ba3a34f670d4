import type { Mutant } from "./mutant.ts";
import { accounts } from "./repeats/accounts.ts";
import { jobMutants } from "./repeats/jobs.ts";
import { retention } from "./repeats/retention.ts";
import { schedules } from "./repeats/schedules.ts";
import { settings } from "./repeats/settings.ts";
import { streams } from "./repeats/streams.ts";

/** Bugs that show when something happens twice, or not at all. */
export const repeats: readonly Mutant[] = [
  ...schedules,
  ...settings,
  ...jobMutants,
  ...accounts,
  ...retention,
  ...streams,
];
