import { createServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";

import { findFreePort } from "@slipway/runtime";
import {
  buildAgent,
  firstAgent,
  logInAsAdmin,
  makeWorkspace,
  openLocalServer,
  openTestDatabase,
  pushTemplate,
  readAgentToken,
  startAgentProcess,
  startServerProcess,
  waitForWorkspace,
} from "@slipway/testkit";
import { issue } from "@slipway/testkit/clouds";
import { afterAll, beforeAll, beforeEach, expect, inject, it, onTestFinished, vi } from "vitest";

import { type CertificateProxy, openCertificateProxy } from "../support/certificate-proxy.ts";
import { type EndedCommand, runCommandProcess } from "../support/command-process.ts";
import { keyOf } from "../support/tls-server.ts";

/* A proxy in front of a server that admits only connections with a client certificate. */

const template = "driver: external\nagents:\n  main: { os: linux, arch: amd64 }\n";

const opened = new AsyncDisposableStack();
let proxy: CertificateProxy;
let token: string;
let configDir: string;
let variables: Readonly<Record<string, string>>;
let refusedOfAgent: readonly string[];

beforeAll(async () => {
  proxy = opened.use(await openCertificateProxy());
  configDir = join(proxy.directory, "config");
  const { cert, key, ca } = proxy.files;
  variables = {
    CODER_CLIENT_TLS_CERT_FILE: cert,
    CODER_CLIENT_TLS_KEY_FILE: key,
    CODER_CLIENT_TLS_CA_FILE: ca,
  };
  const database = opened.use(await openTestDatabase(inject("postgresUrl")));
  const port = await findFreePort(4_400);
  proxy.forwardTo(port);
  opened.use(
    await startServerProcess({
      dataDir: join(proxy.directory, "data"),
      port,
      environment: { SLIPWAY_POSTGRES_URL: database.url, SLIPWAY_ACCESS_URL: proxy.url },
    }),
  );
  const admin = await logInAsAdmin(`http://127.0.0.1:${port}`);
  token = admin.headers["Coder-Session-Token"] ?? "";
  const templateId = await pushTemplate(admin, "outside", template);
  const { id } = await makeWorkspace(admin, "demo", templateId, () => true);
  await buildAgent();
  const agent = await startAgentProcess({
    serverUrl: proxy.url,
    token: await readAgentToken(admin, id),
    home: join(proxy.directory, "agent"),
    environment: variables,
  });
  opened.defer(() => void agent.kill("SIGKILL"));
  await waitForWorkspace(admin, id, (one) => firstAgent(one)?.status === "connected");
  // It checks for a claim, with a separate request.
  const isAsked = (line: string): boolean => line.includes("/workspaceagents/me/reinit?");
  await vi.waitFor(() => expect(proxy.admitted.some(isAsked)).toBe(true), 20_000);
  refusedOfAgent = [...proxy.refused];
});

afterAll(() => opened.disposeAsync());

beforeEach(() => {
  proxy.refused.splice(0);
});

const usual = (): Readonly<Record<string, string>> => ({
  CODER_URL: proxy.url,
  CODER_SESSION_TOKEN: token,
  CODER_CONFIG_DIR: configDir,
});

function slipway(
  words: readonly string[],
  environment: Readonly<Record<string, string>> = variables,
): Promise<EndedCommand> {
  return runCommandProcess(words, {
    environment: { ...usual(), ...environment },
  });
}

it("presents the certificate of an agent with every connection", () => {
  expect(refusedOfAgent).toEqual([]);
  expect(proxy.admitted).toContainEqual(expect.stringContaining("/workspaceagents/me/rpc?"));
});

it("presents that of a command at its log-in", async () => {
  const environment = {
    ...variables,
    CODER_URL: "",
    CODER_SESSION_TOKEN: "",
    CODER_CONFIG_DIR: join(proxy.directory, "fresh"),
  };
  expect(await slipway(["login", proxy.url, "--token", token], environment)).toMatchObject({
    code: 0,
  });
  expect(await slipway(["list"], environment)).toMatchObject({
    code: 0,
    out: expect.stringContaining("demo"),
  });
  expect(proxy.refused).toEqual([]);
});

it("presents it on the sockets of ssh, whose packets take the relay", async () => {
  expect(
    await slipway(["ssh", "demo", "--disable-direct-connections", "echo", "hi"]),
  ).toMatchObject({ code: 0, out: "hi\n" });
  expect(proxy.refused).toEqual([]);
  expect(proxy.admitted).toContainEqual(expect.stringMatching(/\/coordinate\?/));
  expect(proxy.admitted).toContainEqual(expect.stringMatching(/^GET \/derp HTTP/));
});

it("presents it on the sockets of logs", async () => {
  const ended = runCommandProcess(["logs", "demo", "--follow"], {
    environment: { ...usual(), ...variables },
    onStart: (child) => {
      const isFollowed = (line: string): boolean => /\/logs\?.*follow/.test(line);
      void vi
        .waitFor(() => expect(proxy.admitted.some(isFollowed)).toBe(true), 20_000)
        .finally(() => child.kill("SIGINT"));
    },
  });
  expect(await ended).toMatchObject({ code: 130 });
  expect(proxy.refused).toEqual([]);
});

it("presents it for forwarded ports", async () => {
  const target = await openLocalServer(createServer((_, response) => response.end("inside")));
  onTestFinished(() => target[Symbol.asyncDispose]());
  const localPort = await findFreePort(4_450);
  const ready = Promise.withResolvers<void>();
  const answers: string[] = [];
  const ended = runCommandProcess(
    [
      "port-forward",
      "demo",
      "--disable-direct-connections",
      "--tcp",
      `${localPort}:${target.port}`,
    ],
    {
      environment: { ...usual(), ...variables },
      onStart: (child) => {
        let text = "";
        child.stderr?.on("data", (chunk: Buffer) => {
          text += chunk.toString();
          if (text.includes("Ready\n")) ready.resolve();
        });
        void ready.promise
          .then(() => fetch(`http://127.0.0.1:${localPort}`))
          .then(async (answer) => answers.push(await answer.text()))
          .finally(() => child.kill("SIGINT"));
      },
    },
  );
  expect(await ended).toMatchObject({ code: 130 });
  expect(answers).toEqual(["inside"]);
  expect(proxy.refused).toEqual([]);
});

it("takes the files from flags, and from variables of this product", async () => {
  const { cert, key, ca } = proxy.files;
  const listed = { code: 0, out: expect.stringContaining("demo") };
  const flags = ["--client-tls-cert-file", cert, "--client-tls-key-file", key];
  expect(await slipway([...flags, "--client-tls-ca-file", ca, "list"], {})).toMatchObject(listed);
  const own = Object.entries(variables).map(([name, value]) => [
    name.replace("CODER", "SLIPWAY"),
    value,
  ]);
  expect(await slipway(["list"], Object.fromEntries(own))).toMatchObject(listed);
});

it("says that a certificate is wanted where none is set", async () => {
  const { code, err } = await slipway(["list"], {
    CODER_CLIENT_TLS_CA_FILE: proxy.files.ca,
  });
  expect(code).toBe(1);
  expect(err).toContain("set CODER_CLIENT_TLS_CERT_FILE and CODER_CLIENT_TLS_KEY_FILE");
  expect(proxy.refused).not.toEqual([]);
});

it.each([
  ["CERT", "absent.pem", /CODER_CLIENT_TLS_CERT_FILE: cannot read \S+\/absent\.pem: ENOENT/],
  ["KEY", "absent.key", /CODER_CLIENT_TLS_KEY_FILE: cannot read \S+\/absent\.key: ENOENT/],
  ["CA", "absent.pem", /CODER_CLIENT_TLS_CA_FILE: cannot read \S+\/absent\.pem: ENOENT/],
  ["CERT", "client.key", /CODER_CLIENT_TLS_CERT_FILE: \S+\/client\.key has no certificate/],
  ["KEY", "client.pem", /CODER_CLIENT_TLS_KEY_FILE: \S+\/client\.pem has no private key/],
  ["CA", "client.key", /CODER_CLIENT_TLS_CA_FILE: \S+\/client\.key has no certificate/],
  [
    "CERT",
    "server-authority.pem",
    /CODER_CLIENT_TLS_KEY_FILE: \S+\/client\.key is not the key of the certificate in \S+\/server-auth/,
  ],
  ["KEY", "", /CODER_CLIENT_TLS_CERT_FILE sets a client certificate without its key, wanted both/],
  ["CERT", "", /CODER_CLIENT_TLS_KEY_FILE sets a client key without its certificate, wanted both/],
])("names the setting and the file: %s is %s", async (what, name, message) => {
  const { code, err, out } = await slipway(["list"], {
    ...variables,
    [`CODER_CLIENT_TLS_${what}_FILE`]: name === "" ? "" : join(proxy.directory, name),
  });
  expect({ code, out }).toEqual({ code: 1, out: "" });
  expect(err).toMatch(message);
});

it("gives no other server the certificate, such as one that it is redirected to", async () => {
  const authority = await issue({ name: "other authority", isAuthority: true });
  const certificate = await issue({ name: "localhost", issuer: authority });
  const presented: object[] = [];
  const other = await openLocalServer(
    createHttpsServer(
      {
        key: keyOf(certificate),
        cert: certificate.pem,
        requestCert: true,
        rejectUnauthorized: false,
      },
      ({ socket }, response) => {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the socket of an HTTPS request
        presented.push((socket as TLSSocket).getPeerCertificate());
        response.end("{}");
      },
    ),
  );
  onTestFinished(() => other[Symbol.asyncDispose]());
  const first = await openLocalServer(
    createServer((incoming, outgoing) => {
      outgoing.writeHead(302, { Location: `https://localhost:${other.port}${incoming.url}` }).end();
    }),
  );
  onTestFinished(() => first[Symbol.asyncDispose]());
  const trusting = { ...variables, NODE_TLS_REJECT_UNAUTHORIZED: "0" };
  await slipway(["list"], { ...trusting, CODER_URL: first.url });
  expect(presented).toEqual([{}]);
  await slipway(["list"], { ...trusting, CODER_URL: `https://localhost:${other.port}` });
  expect(presented[1]).toMatchObject({ subject: { CN: "laptop" } });
});
