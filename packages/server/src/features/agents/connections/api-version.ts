import { invalidField } from "../../../platform/errors/errors.ts";

/** The newest minor of the agent and tailnet API that this server speaks (docs/protocol/rpc.md §1.2). */
const newestMinor = 10;
const defaultVersion = "2.0";

/**
 * Returns the version of a session for the requested one; throws the `Invalid` of docs/protocol/rest.md §2.1. Minors
 * are numbers: 10 is newer than 9.
 */
export function negotiateVersion(requested: string | undefined): string {
  const version = requested === undefined || requested === "" ? defaultVersion : requested;
  const problem = versionProblem(version);
  if (problem === undefined) return version;
  throw invalidField("version", problem, "Unknown or unsupported API version");
}

function versionProblem(version: string): string | undefined {
  const parts = version.split(".");
  const [major = "", minor = ""] = parts;
  if (parts.length !== 2) return `invalid version string: ${version}`;
  if (!/^\d+$/.test(major)) return `invalid major version: ${major}`;
  if (!/^\d+$/.test(minor)) return `invalid minor version: ${minor}`;
  const newest = `2.${newestMinor}`;
  if (Number(major) > 2)
    return `server is at version ${newest}, behind requested major version ${version}`;
  if (Number(major) < 2) return `version ${version} is no longer supported`;
  if (Number(minor) > newestMinor) {
    return `server is at version ${newest}, behind requested minor version ${version}`;
  }
  return undefined;
}
