import { readFileSync, statSync } from "node:fs";

import { errorText } from "@slipway/runtime";

import type { Cloud, IdentityIssuer } from "./instance-identity.ts";

/** The way the agent authenticates to the server. */
export type AgentAuth =
  | { readonly kind: "token"; readonly token: string }
  /**
   * Authenticates with the identity that a cloud's metadata service gives the agent's instance
   * (docs/protocol/agent.md §1.3), or a cluster the agent's pod.
   */
  | {
      readonly kind: "instance";
      readonly cloud: IdentityIssuer;
      /** The address of the metadata service; of a pod, the path of the file with its token. */
      readonly metadataUrl: string;
      /** The agent's name, if the instance has several. */
      readonly agentName: string | undefined;
    };

/** The value of a variable; undefined when it is not set or empty. */
type ReadVariable = (name: string) => string | undefined;

const clouds: Readonly<Record<string, IdentityIssuer>> = {
  "aws-instance-identity": "aws",
  "azure-instance-identity": "azure",
  "google-instance-identity": "google",
  "kubernetes-instance-identity": "kubernetes",
};
const methods = ["token", ...Object.keys(clouds)];

/**
 * Reads the authentication (docs/protocol/agent.md §1.1). Adds its faults to `faults`; the result is valid only
 * without any.
 */
export function readAuth(text: ReadVariable, faults: string[]): AgentAuth {
  const method = text("CODER_AGENT_AUTH") ?? "token";
  if (method === "token") return { kind: "token", token: readToken(text, faults) };
  const cloud = Object.hasOwn(clouds, method) ? clouds[method] : undefined;
  if (cloud === undefined) {
    faults.push(`CODER_AGENT_AUTH is ${JSON.stringify(method)}, wanted ${methods.join(", ")}`);
    return { kind: "token", token: "" };
  }
  const agentName = text("CODER_AGENT_NAME")?.trim() || undefined;
  return {
    kind: "instance",
    cloud,
    metadataUrl:
      cloud === "kubernetes"
        ? (text("SLIPWAY_POD_TOKEN_FILE") ?? podTokenFile)
        : readMetadataUrl(metadataServices[cloud], text, faults),
    agentName,
  };
}

/** Streams that the agent inherits from the process that starts it; any other pipe may have no writer and never end. */
const inherited = /^\/(dev\/(fd\/|stdin$)|proc\/self\/fd\/)/;

function readToken(text: ReadVariable, faults: string[]): string {
  const token = text("CODER_AGENT_TOKEN");
  if (token !== undefined) return token.trim();
  const file = text("CODER_AGENT_TOKEN_FILE");
  if (file === undefined) {
    faults.push("neither CODER_AGENT_TOKEN nor CODER_AGENT_TOKEN_FILE is set, wanted one of them");
    return "";
  }
  try {
    if (!inherited.test(file) && !statSync(file).isFile()) {
      faults.push(`CODER_AGENT_TOKEN_FILE ${file} is no regular file, wanted one with a token`);
      return "";
    }
    const content = readFileSync(file, "utf8").trim();
    if (content === "") faults.push(`CODER_AGENT_TOKEN_FILE ${file} is empty, wanted a token`);
    return content;
  } catch (error) {
    faults.push(`CODER_AGENT_TOKEN_FILE ${file} cannot be read: ${errorText(error)}`);
    return "";
  }
}

interface MetadataEndpoint {
  /** The variable that redirects the cloud's own libraries. */
  readonly variable: string;
  readonly url: string;
  /** True if the variable may hold a bare host, with or without a port. */
  readonly isHost: boolean;
}

/** The file with a pod's token, where the server mounts it. */
const podTokenFile = "/var/run/secrets/slipway/token";

const linkLocal = "http://169.254.169.254";

const metadataServices: Readonly<Record<Cloud, MetadataEndpoint>> = {
  aws: { variable: "AWS_EC2_METADATA_SERVICE_ENDPOINT", url: linkLocal, isHost: false },
  azure: { variable: "AZURE_POD_IDENTITY_AUTHORITY_HOST", url: linkLocal, isHost: false },
  google: {
    variable: "GCE_METADATA_HOST",
    url: "http://metadata.google.internal",
    isHost: true,
  },
};

function readMetadataUrl(
  { variable, url, isHost }: MetadataEndpoint,
  text: ReadVariable,
  faults: string[],
): string {
  const value = text(variable)?.trim();
  if (value === undefined) return url;
  const full = isHost && !/^https?:/.test(value) ? `http://${value}` : value;
  if (/^https?:/.test(full) && URL.canParse(full)) return full.replace(/\/+$/, "");
  const wanted = isHost ? "a host, with or without a port" : "http://… or https://…";
  faults.push(`${variable} is ${JSON.stringify(value)}, wanted ${wanted}`);
  return url;
}
