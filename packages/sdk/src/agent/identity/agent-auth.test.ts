import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, describe, expect, it } from "vitest";

import { readAuth } from "./agent-auth.ts";
import type { AgentAuth } from "./agent-auth.ts";

const folder = mkdtempSync(join(tmpdir(), "slipway-config-"));
afterAll(() => rmSync(folder, { recursive: true }));

type Environment = Readonly<Record<string, string>>;

function read(environment: Environment): AgentAuth | readonly string[] {
  const faults: string[] = [];
  const auth = readAuth((name) => environment[name] || undefined, faults);
  return faults.length > 0 ? faults : auth;
}

const absent = join(folder, "absent");
const [aws, azure, google] = ["aws", "azure", "google"].map((cloud) => ({
  CODER_AGENT_AUTH: `${cloud}-instance-identity`,
}));

describe("readAuth", () => {
  it("reads the token, or its file, without white space", () => {
    const file = join(folder, "token");
    writeFileSync(file, "  secret\n");
    const token = (text: string): AgentAuth => ({ kind: "token", token: text });
    const files = { CODER_AGENT_TOKEN_FILE: file };
    expect(read(files)).toEqual(token("secret"));
    expect(read({ ...files, CODER_AGENT_AUTH: "token" })).toEqual(token("secret"));
    expect(read({ ...files, CODER_AGENT_TOKEN: " direct" })).toEqual(token("direct"));
  });

  it("misses the token when there is none", () => {
    const empty = join(folder, "empty");
    writeFileSync(empty, "\n");
    expect(read({})).toEqual([expect.stringContaining("wanted one of them")]);
    expect(read({ CODER_AGENT_TOKEN_FILE: absent })).toEqual([
      expect.stringContaining("cannot be read"),
    ]);
    expect(read({ CODER_AGENT_TOKEN_FILE: empty })).toEqual([expect.stringContaining("is empty")]);
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    expect(read({ CODER_AGENT_TOKEN_FILE: pipe })).toEqual([
      expect.stringContaining("is no regular file"),
    ]);
  });

  it.each([
    [aws, "aws", "http://169.254.169.254"],
    [azure, "azure", "http://169.254.169.254"],
    [google, "google", "http://metadata.google.internal"],
  ])("needs no token with %o", (environment, cloud, metadataUrl) => {
    const instance = { kind: "instance", cloud, metadataUrl, agentName: undefined };
    expect(read({ ...environment, CODER_AGENT_TOKEN_FILE: absent })).toEqual(instance);
    expect(read({ ...environment, CODER_AGENT_NAME: " " })).toEqual(instance);
    expect(read({ ...environment, CODER_AGENT_NAME: "main" })).toEqual({
      ...instance,
      agentName: "main",
    });
  });

  it.each([
    [
      { ...aws, AWS_EC2_METADATA_SERVICE_ENDPOINT: "http://[fd00:ec2::254]/" },
      "http://[fd00:ec2::254]",
    ],
    [{ ...azure, AZURE_POD_IDENTITY_AUTHORITY_HOST: "https://x:1/y//" }, "https://x:1/y"],
    [{ ...google, GCE_METADATA_HOST: "169.254.169.254:8080" }, "http://169.254.169.254:8080"],
    [{ ...google, GCE_METADATA_HOST: "http://x" }, "http://x"],
  ])(
    "finds the metadata service where the cloud's libraries do: %o",
    (environment, metadataUrl) => {
      expect(read(environment)).toMatchObject({ metadataUrl });
    },
  );

  it.each([
    [{ ...aws, AWS_EC2_METADATA_SERVICE_ENDPOINT: "169.254.169.254" }, "wanted http://"],
    [{ ...azure, AZURE_POD_IDENTITY_AUTHORITY_HOST: "ftp://x" }, "wanted http://"],
    [{ ...google, GCE_METADATA_HOST: "a b" }, "wanted a host"],
  ])("refuses %o", (environment, wanted) => {
    expect(read(environment)).toEqual([expect.stringContaining(wanted)]);
  });

  it("looks only at the variables of its own cloud", () => {
    expect(read({ ...azure, AWS_EC2_METADATA_SERVICE_ENDPOINT: "?" })).toMatchObject({
      cloud: "azure",
    });
  });

  it.each(["aws", "Token", "constructor", "gcp-instance-identity"])(
    "says what is wanted instead of %s",
    (method) => {
      expect(read({ CODER_AGENT_AUTH: method })).toEqual([
        `CODER_AGENT_AUTH is "${method}", wanted token, aws-instance-identity, azure-instance-identity, google-instance-identity, kubernetes-instance-identity`,
      ]);
    },
  );
});
