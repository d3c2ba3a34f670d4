import { createServer } from "node:http";

import { createFakeClock } from "@slipway/testkit";
import { describe, expect, it } from "vitest";

import { runAppHealthChecks, afterCheck, type HealthRecord, probeApp } from "./app-health.ts";

const never = new AbortController().signal;

describe("afterCheck", () => {
  const run = (checks: string, threshold: number): string[] => {
    let record: HealthRecord = { health: "initializing", failures: 0 };
    return Array.from(checks, (check) => {
      record = afterCheck(record, check === "+", threshold);
      return record.health;
    });
  };

  it("becomes healthy with one success", () => {
    expect(run("+", 3)).toEqual(["healthy"]);
  });

  it("becomes unhealthy only with the failure after the threshold", () => {
    expect(run("---", 2)).toEqual(["initializing", "initializing", "unhealthy"]);
    expect(run("+--+---", 2).slice(3)).toEqual(["healthy", "healthy", "healthy", "unhealthy"]);
    expect(run("---+", 2).at(-1)).toBe("healthy");
  });
});

describe("runAppHealthChecks", () => {
  it("checks at the interval and reports all when one has changed", async () => {
    const clock = createFakeClock();
    const reports: string[] = [];
    const good = new Set(["/a"]);
    const app = { intervalMs: 5_000, threshold: 1, health: "initializing" } as const;
    const end = new AbortController();
    const ended = runAppHealthChecks(
      [
        { ...app, id: "a", url: "/a" },
        { ...app, id: "b", url: "/b" },
      ],
      {
        clock,
        probe: async (url) => good.has(url),
        report: async (healths) => {
          reports.push([...healths.values()].join());
        },
      },
      end.signal,
    );
    await clock.advance(4_999);
    expect(reports).toEqual([]);
    await clock.advance(1_001);
    expect(reports).toEqual(["healthy,initializing"]);
    await clock.advance(5_000);
    expect(reports).toEqual(["healthy,initializing", "healthy,unhealthy"]);
    await clock.advance(20_000);
    expect(reports).toHaveLength(2);
    end.abort(new Error("done"));
    await expect(ended).rejects.toThrow("done");
  });
});

describe("probeApp", () => {
  it("follows redirects and takes everything below 500 as good", async () => {
    const server = createServer((request, response) => {
      const status = Number(request.url?.slice(1)) || 500;
      response.writeHead(status, status === 302 ? { location: "/404" } : {}).end();
    });
    server.listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const address = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const base = `http://127.0.0.1:${port}`;
    const results = await Promise.all(
      ["/200", "/404", "/302", "/503"].map((path) => probeApp(base + path, 5_000, never)),
    );
    expect(results).toEqual([true, true, true, false]);
    await new Promise((resolve) => server.close(resolve));
    expect(await probeApp(`${base}/200`, 5_000, never)).toBe(false);
    expect(await probeApp("nonsense", 5_000, never)).toBe(false);
  });
});
