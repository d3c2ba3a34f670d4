import type { AgentPath } from "@slipway/sdk/workspace";

/** Describes a path in one phrase: `direct via 192.0.2.1:41641`. */
export function pathText(path: AgentPath): string {
  switch (path.kind) {
    case "direct":
      return `direct via ${path.address}`;
    case "relay":
      return `through the relay ${path.regionName}`;
  }
}

/** Returns a path as JSON. */
export function pathJson(path: AgentPath): Readonly<Record<string, string | number>> {
  switch (path.kind) {
    case "direct":
      return { kind: "direct", address: path.address };
    case "relay":
      return { kind: "relay", region_id: path.regionId, region_name: path.regionName };
  }
}

/** Rounds milliseconds to microseconds for JSON; the digits beyond are noise of the clock. */
export function latencyJson(ms: number | undefined): number | null {
  return ms === undefined ? null : Math.round(ms * 1_000) / 1_000;
}

/** Formats milliseconds with a precision that fits: `0.84 ms`, `12.3 ms`, `120 ms`. */
export function latencyText(ms: number): string {
  return `${ms.toFixed(ms < 10 ? 2 : ms < 100 ? 1 : 0)} ms`;
}
