import type { ParameterDefinition, ParameterSource } from "@slipway/template";

import type { DriverLog, ReadParametersInput } from "../driver.ts";
import { CommandFailed, DriverError } from "../errors.ts";
import { parameterVariables } from "./build-variables.ts";
import { readParameters } from "./read-parameters.ts";
import type { RunLimits } from "./terraform-options.ts";
import type { TerraformSession } from "./terraform-session.ts";
import { configAddress, planResources } from "./values.ts";

/** The maximum number of runs for forms at the same time. */
export const maxFormRuns = 2;
/** The other limits of one: it changes nothing, so that it can be killed soon. */
export const formLimits = {
  graceMs: 1_000,
  maxOutputBytes: 16 * 1024 * 1024,
} as const satisfies Partial<RunLimits>;
/** The most plans of one run: each leaves out values that the one before refused. */
const maxPlans = 4;

/** The log of a run for a form, which is not kept. */
export const unlogged: DriverLog = { write: () => undefined };

/** Runs a task with a signal that is also aborted when its time is over; then rejects with a `DriverError` that says so. */
export async function withinFormTime<T>(
  maxMs: number,
  signal: AbortSignal,
  task: (limited: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = AbortSignal.timeout(maxMs);
  try {
    return await task(AbortSignal.any([signal, late]));
  } catch (error) {
    if (!late.aborted || signal.aborted) throw error;
    throw new DriverError(
      "run-failed",
      `the parameters could not be read within ${maxMs / 1000} seconds: check whether a provider or a data source that they depend on hangs`,
      { cause: error },
    );
  }
}

/**
 * Reads the parameters of a configuration for the given values. Values that their parameters refuse count as not given, so that
 * the others can be read all the same.
 */
export async function readAcceptedParameters(
  session: TerraformSession,
  { sources, parameters }: Pick<ReadParametersInput, "sources" | "parameters">,
  signal: AbortSignal,
): Promise<readonly ParameterDefinition[]> {
  await session.init(signal);
  const addresses = sources.map(({ address }) => address);
  let values = parameters;
  for (let plans = 1; ; plans += 1) {
    try {
      await session.planReads(addresses, parameterVariables(values), signal);
      return readParameters(planResources(await session.showPlan(signal)));
    } catch (error) {
      if (!(error instanceof CommandFailed) || plans === maxPlans) throw error;
      const accepted = withoutRefused(values, sources, error.addresses);
      if (Object.keys(accepted).length === Object.keys(values).length) throw error;
      values = accepted;
    }
  }
}

type Values = ReadParametersInput["parameters"];

/** Leaves out the values of some parameters; of those without a constant name all that may be meant. */
export function withoutRefused(
  values: Values,
  sources: readonly ParameterSource[],
  addresses: readonly string[],
): Values {
  const failed = new Set(addresses.map(configAddress));
  const refused = sources.filter(({ address }) => failed.has(address));
  const names = new Set(refused.map(({ name }) => name));
  const known = new Set(sources.map(({ name }) => name));
  const isRefused = (name: string): boolean =>
    names.has(name) || (names.has(undefined) && !known.has(name));
  return Object.fromEntries(Object.entries(values).filter(([name]) => !isRefused(name)));
}
