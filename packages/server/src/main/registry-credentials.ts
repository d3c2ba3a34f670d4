import { readFile, stat } from "node:fs/promises";

import type { RegistryCredentials } from "@slipway/drivers";
import { errorText } from "@slipway/runtime";

/** The maximum size of the file, in bytes. */
const maxBytes = 1024 * 1024;
/** The names of Docker's own registry in the file. */
const hubKeys = ["https://index.docker.io/v1/", "index.docker.io", "docker.io"];

/**
 * Reads the credentials of a registry from a `config.json` of Docker, which may change at any time; undefined if it has
 * none. Throws an error that contains nothing of the file.
 */
export async function readRegistryCredentials(
  path: string | undefined,
  registry: string,
): Promise<RegistryCredentials | undefined> {
  if (path === undefined) return undefined;
  const auths = await readAuths(path);
  const keys = registry === "docker.io" ? hubKeys : [registry, `https://${registry}`];
  const key = keys.find((one) => Object.hasOwn(auths, one));
  return key === undefined ? undefined : parseCredentials(auths[key]);
}

async function readAuths(path: string): Promise<Readonly<Record<string, unknown>>> {
  const fault = (reason: string): Error =>
    new Error(`cannot read ${path} (SLIPWAY_DOCKER_CONFIG): ${reason}`);
  let text: string;
  try {
    if ((await stat(path)).size > maxBytes) throw fault(`has more than ${maxBytes} bytes`);
    text = await readFile(path, "utf8");
  } catch (error) {
    throw fault(errorText(error));
  }
  try {
    return objectOf(objectOf(JSON.parse(text))["auths"]);
  } catch {
    // The parser's message quotes the file.
    throw fault("is not JSON");
  }
}

function parseCredentials(entry: unknown): RegistryCredentials | undefined {
  const { auth, username, password, identitytoken } = objectOf(entry);
  if (typeof identitytoken === "string" && identitytoken !== "") {
    return { identityToken: identitytoken };
  }
  if (typeof username === "string" && typeof password === "string") return { username, password };
  if (typeof auth !== "string") return undefined;
  const pair = Buffer.from(auth, "base64").toString();
  const colon = pair.indexOf(":");
  if (colon === -1) return undefined;
  return { username: pair.slice(0, colon), password: pair.slice(colon + 1) };
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
