import { spawn } from "node:child_process";
import { once } from "node:events";

import { expect, it } from "vitest";

import { livingGroups } from "./process-groups.ts";

it("tells a group that lives from one that has ended", async () => {
  const child = spawn("sleep", ["1000"], { detached: true, stdio: "ignore" });
  const { pid = 0 } = child;
  expect(livingGroups([pid])).toEqual([pid]);
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(livingGroups([pid])).toEqual([]);
});
