import type { NamedValue, TemplateDefinition } from "@slipway/template";

import type { JobTags } from "../../platform/jobs/tags.ts";

/** A version, as far as it decides which provisioners carry out its jobs. */
export interface TaggedVersion {
  readonly definition: Pick<TemplateDefinition, "tags">;
  readonly pushed_tags: JobTags;
}

/**
 * Returns the tags of a version's builds and dry runs: those of the push, and of the others that the template declares with the
 * values of its parameters (default: those of a plan with all defaults).
 */
export function jobTags(
  { definition: { tags = [] }, pushed_tags: pushed }: TaggedVersion,
  values: readonly NamedValue[] = [],
): JobTags {
  const chosen = new Map(values.map(({ name, value }) => [name, value]));
  const declared = tags.map(({ name, value, parameter }) => [
    name,
    (parameter === undefined ? undefined : chosen.get(parameter)) ?? value,
  ]);
  return { ...Object.fromEntries(declared), ...pushed };
}
