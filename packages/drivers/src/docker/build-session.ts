import { randomUUID } from "node:crypto";
import { performServerHandshake, type ServerHttp2Stream } from "node:http2";

import { errorText, readBounded } from "@slipway/runtime";
import {
  CredentialsRequestSchema,
  CredentialsResponseSchema,
} from "@slipway/wire/protobuf/gen/buildkit_pb";
import { encodeMessage, parseKnownFields } from "@slipway/wire/protobuf/message";

import type { RegistryCredentials } from "./docker-options.ts";
import type { Engine } from "./engine.ts";

/*
 * The session of a build: a connection over which BuildKit asks its client, by gRPC, for the credentials of registries.
 * Without one it pulls nothing from a registry that requires a token, as Docker Hub does of everyone.
 *
 *   message of gRPC: | compressed (1) | length (4, big endian) | bytes |
 */

const credentialsMethod = "/moby.filesync.v1.Auth/Credentials";
const healthMethod = "/grpc.health.v1.Health/Check";

/** The answer to a health check, as a `HealthCheckResponse`: serving. */
const serving = Uint8Array.of(0x08, 0x01);

const statusUnknown = "2";
const statusUnimplemented = "12";

const headerBytes = 5;
/** A request has the name of a host. */
const maxRequestBytes = 16 * 1024;

export interface BuildSession extends AsyncDisposable {
  readonly id: string;
}

type ReadCredentials = (registry: string) => Promise<RegistryCredentials | undefined>;

/** Opens a session, which the caller disposes of after the build. */
export async function openBuildSession(
  { connection }: Engine,
  readCredentials: ReadCredentials,
  signal: AbortSignal,
): Promise<BuildSession> {
  const id = randomUUID();
  const socket = await connection.upgrade({
    method: "POST",
    path: "/session",
    headers: {
      Upgrade: "h2c",
      "X-Docker-Expose-Session-Uuid": id,
      "X-Docker-Expose-Session-Name": "slipway",
      "X-Docker-Expose-Session-Sharedkey": id,
      "X-Docker-Expose-Session-Grpc-Method": credentialsMethod,
    },
    signal,
  });
  const session = performServerHandshake(socket);
  // An engine that goes away ends the build, which says so.
  session.on("error", () => undefined);
  session.on("stream", (stream, headers) => {
    stream.on("error", () => undefined);
    void answer(stream, headers[":path"] ?? "", readCredentials);
  });
  return {
    id,
    [Symbol.asyncDispose]: async () => {
      session.destroy();
      socket.destroy();
    },
  };
}

/** Answers a request. Never rejects. */
async function answer(
  stream: ServerHttp2Stream,
  method: string,
  readCredentials: ReadCredentials,
): Promise<void> {
  try {
    const request = await readBounded(stream, maxRequestBytes);
    if (method === healthMethod) return reply(stream, serving);
    if (method !== credentialsMethod || request === undefined) {
      return refuse(stream, statusUnimplemented, "not offered");
    }
    const { host } = parseKnownFields(CredentialsRequestSchema, request.subarray(headerBytes));
    const credentials = await readCredentials(host === dockerHub ? "docker.io" : host);
    reply(stream, encodeMessage(CredentialsResponseSchema, loginOf(credentials)));
  } catch (error) {
    refuse(stream, statusUnknown, errorText(error));
  }
}

const dockerHub = "registry-1.docker.io";

/** Returns credentials as BuildKit takes them; empty for a registry without any. */
function loginOf(credentials: RegistryCredentials | undefined): {
  readonly username?: string;
  readonly secret?: string;
} {
  if (credentials === undefined) return {};
  return "identityToken" in credentials
    ? { secret: credentials.identityToken }
    : { username: credentials.username, secret: credentials.password };
}

const responseHeaders = { ":status": 200, "content-type": "application/grpc" };

function reply(stream: ServerHttp2Stream, message: Uint8Array): void {
  if (stream.destroyed) return;
  const header = Buffer.alloc(headerBytes);
  header.writeUInt32BE(message.length, 1);
  stream.respond(responseHeaders, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  stream.end(Buffer.concat([header, message]));
}

function refuse(stream: ServerHttp2Stream, status: string, message: string): void {
  if (stream.destroyed || stream.headersSent) return;
  const trailers = { "grpc-status": status, "grpc-message": encodeURIComponent(message) };
  stream.respond({ ...responseHeaders, ...trailers }, { endStream: true });
}
