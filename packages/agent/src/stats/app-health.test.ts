import { once } from "node:events";
import { createServer, type Server } from "node:http";

import { createFakeClock } from "@slipway/testkit";
import { describe, expect, it, onTestFinished } from "vitest";

import { runAppHealthChecks, afterCheck, type HealthRecord, probeApp } from "./app-health.ts";

const never = new AbortController().signal;

async function listen(server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return `http://127.0.0.1:${address.port}`;
}

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
    const base = await listen(server);
    const results = await Promise.all(
      ["/200", "/404", "/302", "/503"].map((path) => probeApp(base + path, 5_000, never)),
    );
    expect(results).toEqual([true, true, true, false]);
    await new Promise((resolve) => server.close(resolve));
    expect(await probeApp(`${base}/200`, 5_000, never)).toBe(false);
    expect(await probeApp("nonsense", 5_000, never)).toBe(false);
  });

  it("gives up an app that redirects it more than ten times", async () => {
    let requests = 0;
    const server = createServer((_, response) => {
      requests += 1;
      response.writeHead(302, { location: "/" }).end();
    });
    const base = await listen(server);
    onTestFinished(() => void server.close());
    expect(await probeApp(base, 5_000, never)).toBe(false);
    expect(requests).toBe(11);
  });

  it("does not wait for the body of an answer, and closes the connection", async () => {
    const closed = Promise.withResolvers<void>();
    const server = createServer((_, response) => {
      response.once("close", closed.resolve).flushHeaders();
    });
    const base = await listen(server);
    onTestFinished(() => void server.close());
    expect(await probeApp(base, 600_000, never)).toBe(true);
    await closed.promise;
  });
});
