import { describe, expect, it } from "vitest";

import { readSshSettings, type SshSettings } from "./ssh-settings.ts";

function read(variables: Readonly<Record<string, string>>): {
  readonly settings: SshSettings;
  readonly faults: readonly string[];
} {
  const faults: string[] = [];
  return { settings: readSshSettings((name) => variables[name], faults), faults };
}

describe("readSshSettings", () => {
  it("blocks nothing and waits for three days unless told otherwise", () => {
    expect(read({})).toEqual({
      settings: {
        maxTimeoutMs: 259_200_000,
        blockFileTransfer: false,
        blockLocalForwarding: false,
        blockReverseForwarding: false,
      },
      faults: [],
    });
  });

  it("reads each setting", () => {
    const { settings, faults } = read({
      CODER_AGENT_SSH_MAX_TIMEOUT: "1h30m",
      CODER_AGENT_BLOCK_FILE_TRANSFER: "true",
      CODER_AGENT_BLOCK_LOCAL_PORT_FORWARDING: "1",
      CODER_AGENT_BLOCK_REVERSE_PORT_FORWARDING: "False",
    });
    expect(faults).toEqual([]);
    expect(settings).toEqual({
      maxTimeoutMs: 5_400_000,
      blockFileTransfer: true,
      blockLocalForwarding: true,
      blockReverseForwarding: false,
    });
  });

  it.each([
    ["1ms", 3_000],
    ["9999h", 5_184_000_000],
  ])("takes the timeout %s for %d ms", (text, ms) => {
    expect(read({ CODER_AGENT_SSH_MAX_TIMEOUT: text }).settings.maxTimeoutMs).toBe(ms);
  });

  it("reports every fault", () => {
    const { faults } = read({
      CODER_AGENT_SSH_MAX_TIMEOUT: "soon",
      CODER_AGENT_BLOCK_FILE_TRANSFER: "yes",
    });
    expect(faults).toEqual([
      'CODER_AGENT_SSH_MAX_TIMEOUT is "soon", which is not a duration: write 8h, 72h or 1h30m',
      'CODER_AGENT_BLOCK_FILE_TRANSFER is "yes", wanted true or false',
    ]);
  });
});
