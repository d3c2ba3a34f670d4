import type { BuildParameter } from "@slipway/api/builds/build";

import { naturalOrder } from "../../../ui/natural-order.ts";

/** A parameter of a build, and how it differs from the build before. */
export interface ParameterChange {
  readonly name: string;
  /** Undefined if the build no longer has it. */
  readonly value: string | undefined;
  /** Undefined if the build before did not have it. */
  readonly before: string | undefined;
  readonly kind: "same" | "added" | "changed" | "removed";
}

/** Compares the parameters of a build with those of the build before; undefined for the first build. */
export function parameterChanges(
  values: readonly BuildParameter[],
  before: readonly BuildParameter[] | undefined,
): readonly ParameterChange[] {
  const now = new Map(values.map(({ name, value }) => [name, value]));
  const then = new Map((before ?? values).map(({ name, value }) => [name, value]));
  return [...new Set([...now.keys(), ...then.keys()])].toSorted(naturalOrder).map((name) => {
    const value = now.get(name);
    const valueBefore = then.get(name);
    return { name, value, before: valueBefore, kind: kindOf(value, valueBefore) };
  });
}

function kindOf(value: string | undefined, before: string | undefined): ParameterChange["kind"] {
  if (before === undefined) return "added";
  if (value === undefined) return "removed";
  return value === before ? "same" : "changed";
}
