import http, { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";

import { errorText } from "@slipway/runtime";
import { openLocalServer } from "@slipway/testkit";
import { describe, expect, it, onTestFinished } from "vitest";

import { IdentityError } from "../errors.ts";
import { fetchIdentity } from "./instance-identity.ts";
import type { Cloud, InstanceIdentity } from "./instance-identity.ts";
import { maxAnswerBytes } from "./request-text.ts";

interface ReceivedRequest {
  readonly line: string;
  readonly headers: IncomingMessage["headers"];
}

type ResponsesByRequest = Readonly<Record<string, string | ((response: ServerResponse) => void)>>;

/** Opens a metadata service with these responses, by method and path. */
async function serve(
  answers: ResponsesByRequest,
): Promise<{ readonly url: string; readonly heard: ReceivedRequest[] }> {
  const heard: ReceivedRequest[] = [];
  const server = await openLocalServer(
    createServer((request, response) => {
      const line = `${request.method} ${request.url}`;
      heard.push({ line, headers: request.headers });
      const answer = answers[line];
      if (typeof answer === "function") answer(response);
      else response.writeHead(answer === undefined ? 404 : 200).end(answer);
    }),
  );
  onTestFinished(() => server[Symbol.asyncDispose]());
  return { url: server.url, heard };
}

const aws = {
  token: "PUT /latest/api/token",
  signature: "GET /latest/dynamic/instance-identity/signature",
  document: "GET /latest/dynamic/instance-identity/document",
};
const azure = "GET /metadata/attested/document?api-version=2020-09-01";
const google =
  "GET /computeMetadata/v1/instance/service-accounts/default/identity?audience=coder&format=full";

const never = new AbortController().signal;

async function failure(fetching: Promise<InstanceIdentity>): Promise<string> {
  const error: unknown = await fetching.catch((thrown: unknown) => thrown);
  if (!(error instanceof IdentityError)) throw new Error("it did not fail as it should");
  expect(error.code).toBe("no-identity");
  expect(error.message).toContain("CODER_AGENT_TOKEN");
  return errorText(error);
}

function status(code: number, headers = {}): (response: ServerResponse) => void {
  return (response) => void response.writeHead(code, headers).end("s3cret");
}

const tooLong = "x".repeat(maxAnswerBytes + 1);

describe("fetchIdentity", () => {
  it("asks AWS for a session first, and hands on document and signature byte for byte", async () => {
    const document = '{\n  "instanceId" : "i-1", "ä": "ö"\n}\n';
    const { url, heard } = await serve({
      [aws.token]: "session==\n",
      [aws.signature]: "one\ntwo",
      [aws.document]: document,
    });
    expect(await fetchIdentity("aws", `${url}/`, never)).toEqual({
      signature: "one\ntwo",
      document,
    });
    expect(heard.map(({ line }) => line)).toEqual([aws.token, aws.signature, aws.document]);
    expect(heard[0]?.headers).toMatchObject({
      "x-aws-ec2-metadata-token-ttl-seconds": "21600",
      "content-length": "0",
    });
    for (const { headers } of heard.slice(1)) {
      expect(headers["x-aws-ec2-metadata-token"]).toBe("session==");
    }
  });

  it("asks Azure for what it attests", async () => {
    const attested = { encoding: "pkcs7", signature: "MII=" };
    const { url, heard } = await serve({ [azure]: JSON.stringify({ ...attested, more: 1 }) });
    expect(await fetchIdentity("azure", url, never)).toEqual(attested);
    expect(heard.map(({ line }) => line)).toEqual([azure]);
    expect(heard[0]?.headers["metadata"]).toBe("true");
  });

  it("asks Google Cloud for a token with all that it says", async () => {
    const { url, heard } = await serve({ [google]: "aa.b_b.c-c\n" });
    expect(await fetchIdentity("google", url, never)).toEqual({ json_web_token: "aa.b_b.c-c" });
    expect(heard.map(({ line }) => line)).toEqual([google]);
    expect(heard[0]?.headers["metadata-flavor"]).toBe("Google");
  });

  it("goes to the service itself, whatever proxy the environment names", async () => {
    const proxy = await serve({});
    const before = http.globalAgent;
    // The effect of NODE_USE_ENV_PROXY at startup.
    http.globalAgent = new http.Agent({ proxyEnv: { HTTP_PROXY: proxy.url } });
    onTestFinished(() => {
      http.globalAgent = before;
    });
    const { url } = await serve({ [google]: "a.b.c" });
    await fetchIdentity("google", url, never);
    expect(proxy.heard).toEqual([]);
  });

  it("is not led elsewhere", async () => {
    const elsewhere = await serve({ [google]: "a.b.c" });
    const { url } = await serve({ [google]: status(302, { Location: elsewhere.url }) });
    expect(await failure(fetchIdentity("google", url, never))).toContain("answered 302");
    expect(elsewhere.heard).toEqual([]);
  });

  it.each<[Cloud, string, string]>([
    ["aws", "AWS", "PUT /latest/api/token"],
    ["azure", "Azure", azure],
    ["google", "Google Cloud", google],
  ])("says what %s refuses, and not what it answers", async (cloud, name, line) => {
    const { url } = await serve({ [line]: status(403) });
    const text = await failure(fetchIdentity(cloud, url, never));
    expect(text).toContain(`the metadata service of ${name} at ${url} answered 403 to ${line}`);
    expect(text).not.toContain("s3cret");
  });

  it.each<[Cloud, ResponsesByRequest, string]>([
    ["aws", { [aws.token]: "s3cret and more" }, "wanted a token"],
    ["aws", { [aws.token]: tooLong }, "1 MiB"],
    ["aws", { [aws.token]: "s3cret", [aws.signature]: "\n" }, "wanted a text"],
    ["aws", { [aws.token]: "s3cret", [aws.signature]: "s3cret", [aws.document]: tooLong }, "1 MiB"],
    ["azure", { [azure]: "s3cret" }, "wanted JSON"],
    ["azure", { [azure]: "null" }, "wanted JSON"],
    ["azure", { [azure]: '{"signature":"s3cret"}' }, "wanted JSON"],
    ["azure", { [azure]: '{"signature":"","encoding":"pkcs7"}' }, "wanted JSON"],
    ["azure", { [azure]: '{"signature":"s3cret","encoding":7}' }, "wanted JSON"],
    ["azure", { [azure]: tooLong }, "1 MiB"],
    ["google", { [google]: "<html>s3cret" }, "wanted a JSON web token"],
    ["google", { [google]: tooLong }, "1 MiB"],
  ])("takes nothing else for an identity of %s (%#)", async (cloud, answers, wanted) => {
    const { url } = await serve(answers);
    const text = await failure(fetchIdentity(cloud, url, never));
    expect(text).toContain(wanted);
    expect(text).not.toContain("s3cret");
  });

  it("says that this is no instance where nobody listens, without a password", async () => {
    const server = await openLocalServer(createServer());
    await server[Symbol.asyncDispose]();
    const text = await failure(
      fetchIdentity("aws", `http://user:s3cret@127.0.0.1:${server.port}`, never),
    );
    expect(text).toBe(
      `the metadata service of AWS at ${server.url} cannot be reached (connect ECONNREFUSED 127.0.0.1:${server.port}): this machine is not an instance of AWS, or a firewall or a container's network blocks that address: allow it, or start the agent with CODER_AGENT_TOKEN`,
    );
  });

  it("gives up when the signal says so, and leaves", async () => {
    const left = Promise.withResolvers<void>();
    const silent = new AbortController();
    const { url } = await serve({
      [google]: (response) => {
        response.on("close", () => left.resolve());
        silent.abort(new Error("no answer within a while"));
      },
    });
    expect(await failure(fetchIdentity("google", url, silent.signal))).toContain(
      "cannot be reached (no answer within a while)",
    );
    await left.promise;
  });

  it("says so when an answer breaks off", async () => {
    const { url } = await serve({
      [azure]: (response) => {
        response.writeHead(200, { "Content-Length": "100" });
        response.write("{", () => response.destroy());
      },
    });
    expect(await failure(fetchIdentity("azure", url, never))).toContain("cannot be reached (");
  });
});
