import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";

import { errorText, type JsonObject, listOf, objectOf, textOf } from "@slipway/runtime";
import { parse } from "yaml";

import { DriverError } from "../errors.ts";
import type { ClusterEndpoint } from "./cluster-endpoint.ts";

/** The place of a cluster's address and credentials. */
export type ClusterSource =
  /** The service account of the pod in which the server runs. */
  | { readonly kind: "in-cluster"; readonly environment: InClusterEnvironment }
  | {
      readonly kind: "kubeconfig";
      readonly path: string;
      /** Undefined for the file's current context. */
      readonly context: string | undefined;
    };

/** `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT`, which every pod has. */
export interface InClusterEnvironment {
  readonly host: string;
  readonly port: string;
}

const serviceAccountDirectory = "/var/run/secrets/kubernetes.io/serviceaccount";

interface EndpointSettings {
  readonly source: ClusterSource;
  /** Undefined for the namespace of the source. */
  readonly namespace: string | undefined;
  /** The variable that operators set to the source, for messages. */
  readonly variables: { readonly source: string };
}

/**
 * Reads the address of a cluster and the credentials for it. Throws `unavailable` for files that cannot be read, and for ways to authenticate that the driver does not have.
 */
export async function readEndpoint({
  source,
  namespace,
  variables,
}: EndpointSettings): Promise<ClusterEndpoint> {
  try {
    const found = await (source.kind === "in-cluster"
      ? readServiceAccount(source.environment)
      : readKubeconfig(source.path, source.context));
    return namespace === undefined ? found : { ...found, namespace };
  } catch (error) {
    const place = source.kind === "in-cluster" ? serviceAccountDirectory : source.path;
    const message = `cannot use ${place} (${variables.source}): ${errorText(error)}`;
    throw new DriverError("unavailable", message, { cause: error });
  }
}

async function readServiceAccount({ host, port }: InClusterEnvironment): Promise<ClusterEndpoint> {
  const read = async (name: string): Promise<string> =>
    (await readFile(`${serviceAccountDirectory}/${name}`, "utf8")).trim();
  if (host === "") {
    throw new Error("KUBERNETES_SERVICE_HOST is not set: the server does not run in a pod");
  }
  return {
    url: `https://${host.includes(":") ? `[${host}]` : host}:${port || "443"}`,
    namespace: await read("namespace"),
    ca: await read("ca.crt"),
    serverName: undefined,
    certificate: undefined,
    readToken: () => read("token"),
  };
}

async function readKubeconfig(path: string, wanted: string | undefined): Promise<ClusterEndpoint> {
  const config = objectOf(parse(await readFile(path, "utf8")));
  const name = wanted ?? textOf(config["current-context"]);
  const context = entry(config, "contexts", "context", name);
  const cluster = entry(config, "clusters", "cluster", textOf(context["cluster"]));
  const user = entry(config, "users", "user", textOf(context["user"]));
  refuseUnsupported(cluster, user);
  const reader = new FieldReader(dirname(path));
  const cert = await reader.read(user, "client-certificate");
  const key = await reader.read(user, "client-key");
  return {
    url: textOf(cluster["server"]).replace(/\/+$/, ""),
    namespace: textOf(context["namespace"]) || "default",
    ca: await reader.read(cluster, "certificate-authority"),
    serverName: textOf(cluster["tls-server-name"]) || undefined,
    certificate: cert === undefined || key === undefined ? undefined : { cert, key },
    readToken: reader.tokenOf(user),
  };
}

function entry(config: JsonObject, list: string, field: string, name: string): JsonObject {
  const found = listOf(config[list])
    .map(objectOf)
    .find((one) => textOf(one["name"]) === name);
  if (found !== undefined) return objectOf(found[field]);
  throw new Error(`${list} has no ${JSON.stringify(name)}`);
}

/** Fields that would need another program, or give up the check of the server. */
function refuseUnsupported(cluster: JsonObject, user: JsonObject): void {
  const url = URL.parse(textOf(cluster["server"]));
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) {
    throw new Error("the cluster has no server, wanted a URL such as https://10.0.0.1:6443");
  }
  if (cluster["insecure-skip-tls-verify"] === true) {
    throw new Error(
      "insecure-skip-tls-verify lets anyone on the way read the credentials, wanted certificate-authority",
    );
  }
  for (const [field, owner] of [
    ["proxy-url", cluster],
    ["exec", user],
    ["auth-provider", user],
    ["username", user],
    ["as", user],
  ] as const) {
    if (owner[field] === undefined) continue;
    throw new Error(`${field} is not supported, wanted a token or a client certificate`);
  }
}

/** Reads fields that stand in the file or name another one. */
class FieldReader {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async read(owner: JsonObject, field: string): Promise<string | undefined> {
    const data = textOf(owner[`${field}-data`]);
    if (data !== "") return Buffer.from(data, "base64").toString();
    const path = textOf(owner[field]);
    return path === "" ? undefined : readFile(resolve(this.#directory, path), "utf8");
  }

  tokenOf(user: JsonObject): (() => Promise<string>) | undefined {
    const path = textOf(user["tokenFile"]);
    if (path !== "") {
      return async () => (await readFile(resolve(this.#directory, path), "utf8")).trim();
    }
    const token = textOf(user["token"]);
    return token === "" ? undefined : async () => token;
  }
}
