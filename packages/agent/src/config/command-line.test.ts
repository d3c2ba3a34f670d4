import { describe, expect, it } from "vitest";

import { AgentConfigError } from "./agent-config.ts";
import { readCommandLine } from "./command-line.ts";

describe("readCommandLine", () => {
  it("names flags by their variables", () => {
    const place = ["--agent-url", "http://x", "--log-dir=/l"];
    const flags = readCommandLine([...place, "--auth=aws-instance-identity", "--agent-name=main"]);
    expect(flags["CODER_AGENT_URL"]).toBe("http://x");
    expect(flags["CODER_AGENT_LOG_DIR"]).toBe("/l");
    expect(flags["CODER_AGENT_AUTH"]).toBe("aws-instance-identity");
    expect(flags["CODER_AGENT_NAME"]).toBe("main");
    expect(flags["CODER_AGENT_TOKEN"]).toBeUndefined();
  });

  it.each([["--no-such-flag"], ["agent"], ["--agent-url"]])("refuses %j", (argument) => {
    expect(() => readCommandLine([argument])).toThrow(AgentConfigError);
  });
});
