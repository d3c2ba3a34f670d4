import { DriverError } from "../errors.ts";

/** The name of an image: `registry.example.com:5000/team/image:tag`, `debian:12`, `image@sha256:0f3a…`. */
export interface ImageReference {
  /** As written, with `:latest` if it has neither a tag nor a digest. */
  readonly text: string;
  /** `docker.io` unless the name begins with another host. */
  readonly registry: string;
}

const host =
  /^(?:localhost|[\da-z.-]+\.[\da-z.-]+|[\da-z.-]+:\d{1,5}|\[[\da-f:]+\](?::\d{1,5})?)$/i;
const path = /^[\da-z]+(?:(?:\.|_{1,2}|-+)[\da-z]+)*(?:\/[\da-z]+(?:(?:\.|_{1,2}|-+)[\da-z]+)*)*$/;
const tag = /^\w[\w.-]{0,127}$/;
const digest = /^[a-z\d+._-]+:[\da-f]{32,128}$/i;

const maxLength = 512;

/** Parses a reference. Throws `invalid-template`. */
export function parseImageReference(text: string): ImageReference {
  const parsed = text.length > maxLength ? undefined : parse(text);
  if (parsed !== undefined) return parsed;
  throw new DriverError(
    "invalid-template",
    `image ${JSON.stringify(text.slice(0, maxLength))}, wanted a name such as debian:12 or registry.example.com/team/image:tag`,
  );
}

function parse(text: string): ImageReference | undefined {
  const [named = "", digestText, ...more] = text.split("@");
  const slash = named.indexOf("/");
  const first = named.slice(0, Math.max(slash, 0));
  const hasHost = host.test(first);
  const rest = hasHost ? named.slice(slash + 1) : named;
  const [name = "", tagText, ...others] = rest.split(":");
  const isValid =
    path.test(name) &&
    (tagText === undefined || tag.test(tagText)) &&
    (digestText === undefined || digest.test(digestText)) &&
    more.length + others.length === 0;
  if (!isValid) return undefined;
  const isComplete = tagText !== undefined || digestText !== undefined;
  return {
    text: isComplete ? text : `${text}:latest`,
    registry: hasHost && first !== "index.docker.io" ? first : "docker.io",
  };
}
