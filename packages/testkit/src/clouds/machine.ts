import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

import type { Cloud } from "@slipway/sdk/agent";

import { openLocalServer } from "../servers/local-server.ts";
import type { Clouds } from "./cloud-machines.ts";

/** A cloud machine, as its metadata service describes it to programs on it. */
export interface Machine extends AsyncDisposable {
  /** The environment of an agent that authenticates as this machine. */
  readonly environment: Readonly<Record<string, string>>;
  /** Returns the number of requests for the machine's identity. */
  readonly asked: () => number;
}

/** The variables by which agents and the clouds' libraries find the service. */
const variables = {
  aws: "AWS_EC2_METADATA_SERVICE_ENDPOINT",
  azure: "AZURE_POD_IDENTITY_AUTHORITY_HOST",
  google: "GCE_METADATA_HOST",
} as const;

/**
 * Opens the metadata service of one machine. It refuses the same requests as the clouds' services
 * (docs/protocol/rest.md §3).
 */
export async function openMachine(
  clouds: Clouds,
  cloud: Cloud,
  instanceId: string,
): Promise<Machine> {
  let asked = 0;
  const answers = { aws: answerAws, azure: answerAzure, google: answerGoogle };
  const server = await openLocalServer(
    createServer((request, response) => {
      void answers[cloud](clouds, instanceId, request).then(
        (answer) => {
          if (answer?.isProof === true) asked += 1;
          reply(response, answer);
        },
        (error: unknown) => response.destroy(error instanceof Error ? error : undefined),
      );
    }),
  );
  return {
    environment: {
      CODER_AGENT_AUTH: `${cloud}-instance-identity`,
      [variables[cloud]]: cloud === "google" ? server.url.replace("http://", "") : server.url,
    },
    asked: () => asked,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** The answer to a request; undefined refuses it. */
type Answer = { readonly text: string | undefined; readonly isProof: boolean } | undefined;

function reply(response: ServerResponse, answer: Answer): void {
  response.setHeader("Metadata-Flavor", "Google");
  response.statusCode = answer?.text === undefined ? 401 : 200;
  response.end(answer?.text);
}

const awsSession = "session-of-the-machine";

async function answerAws(
  clouds: Clouds,
  instanceId: string,
  { method, url, headers }: IncomingMessage,
): Promise<Answer> {
  if (method === "PUT" && url === "/latest/api/token") {
    const seconds = headers["x-aws-ec2-metadata-token-ttl-seconds"];
    return seconds === undefined ? undefined : { text: awsSession, isProof: false };
  }
  if (headers["x-aws-ec2-metadata-token"] !== awsSession) return undefined;
  const part = /^\/latest\/dynamic\/instance-identity\/(signature|document)$/.exec(url ?? "")?.[1];
  return part === undefined
    ? undefined
    : { text: clouds.aws(instanceId)[part], isProof: part === "document" };
}

async function answerAzure(
  clouds: Clouds,
  instanceId: string,
  { url, headers }: IncomingMessage,
): Promise<Answer> {
  const isKnown = url === "/metadata/attested/document?api-version=2020-09-01";
  if (!isKnown || headers["metadata"] !== "true") return undefined;
  return { text: JSON.stringify(clouds.azure(instanceId)), isProof: true };
}

async function answerGoogle(
  clouds: Clouds,
  instanceId: string,
  { url = "", headers }: IncomingMessage,
): Promise<Answer> {
  if (headers["metadata-flavor"] !== "Google") return undefined;
  const { pathname, searchParams } = new URL(url, "http://metadata");
  const isKnown =
    pathname === "/computeMetadata/v1/instance/service-accounts/default/identity" &&
    searchParams.get("audience") === "coder" &&
    searchParams.get("format") === "full";
  if (!isKnown) return undefined;
  return { text: (await clouds.google(instanceId))["json_web_token"], isProof: true };
}
