import { invalidField } from "../errors/errors.ts";

/** Tags of a job or of a provisioner. Empty for jobs of the servers themselves. */
export type JobTags = Readonly<Record<string, string>>;

/** The tags that clients of the original send with every job, which choose nothing. */
const usualTags: JobTags = { scope: "organization", owner: "" };

/** The maximum length of a tag's name, in characters; the contract cannot limit the keys of an object. */
const maxNameLength = 128;

/** Reads the tags of a request, without the usual ones. Throws `Invalid` for jobs of one user alone. */
export function readTags(field: string, given: JobTags | null | undefined): JobTags {
  const { scope = "organization", owner = "", ...tags } = given ?? {};
  if (scope !== "organization" || owner !== "") {
    throw invalidField(
      field,
      "must not have a scope or an owner: provisioners take the jobs of an organization",
    );
  }
  if (Object.keys(tags).some((name) => name === "" || name.length > maxNameLength)) {
    throw invalidField(field, `must have names of 1 to ${maxNameLength} characters`);
  }
  if (Object.entries(tags).some((tag) => tag.some((text) => text.includes("\0")))) {
    throw invalidField(field, "must not have a NUL in a name or value");
  }
  return tags;
}

/** Returns whether jobs with these tags are for provisioners. */
export function hasTags(tags: JobTags): boolean {
  return Object.keys(tags).length > 0;
}

/** Returns tags as clients see them. */
export function tagsJson(tags: JobTags): Record<string, string> {
  return { ...usualTags, ...tags };
}

/** Returns tags for people: `region=eu size=large`. */
export function tagsText(tags: JobTags): string {
  return Object.entries(tags)
    .map(([name, value]) => `${name}=${value}`)
    .toSorted()
    .join(" ");
}
