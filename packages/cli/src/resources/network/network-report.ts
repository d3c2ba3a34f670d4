import type { NetworkStatus } from "@slipway/sdk/workspace";

import type { Layout } from "../../terminal/output.ts";
import { renderPairs, renderTable } from "../../terminal/table.ts";
import { latencyJson, latencyText, type UdpState, udpStateOf, udpText } from "./network-text.ts";

/** A region with relays. */
interface RegionReport {
  readonly id: number;
  readonly code: string;
  readonly name: string;
  readonly isHome: boolean;
  /** Undefined if it did not answer. */
  readonly latencyMs: number | undefined;
}

/** The network of this machine. */
export interface NetworkReport {
  readonly regions: readonly RegionReport[];
  /** The kind of the connection to the nearest relay; undefined without one. */
  readonly transport: "upgrade" | "websocket" | undefined;
  /** The reason for a WebSocket. */
  readonly websocketReason: string | undefined;
  readonly udp: UdpState;
  readonly hasIpv6: boolean;
  readonly faults: readonly NetworkFault[];
}

interface NetworkFault {
  readonly problem: string;
  readonly advice: string;
}

/** Evaluates the results of a check. */
export function reportOf(status: NetworkStatus): NetworkReport {
  const { map, homeRegionId, relays, latencies, udp } = status;
  const regions = [...map.regions.values()]
    .filter(({ nodes }) => nodes.some(({ isStunOnly }) => !isStunOnly))
    .map(({ regionId: id, code, name }) => ({
      id,
      code,
      name,
      isHome: id === homeRegionId,
      latencyMs: latencies.get(id)?.latencyMs,
    }));
  const home = relays.find(({ regionId }) => regionId === homeRegionId);
  return {
    regions,
    transport: home?.connection.type === "connected" ? home.connection.transport : undefined,
    websocketReason: home?.forcedWebSocket,
    udp: udpStateOf(status),
    hasIpv6: udp?.hasIpv6 ?? false,
    faults: [...relayFaults(regions, home), ...udpFaults(udpStateOf(status))],
  };
}

/** Renders a report. */
export function reportLines(report: NetworkReport, layout: Layout): string[] {
  const { regions, transport, websocketReason, udp, hasIpv6, faults } = report;
  const { colors } = layout;
  const rows = regions.map(({ id, name, isHome, latencyMs }) => [
    String(id),
    name,
    latencyMs === undefined
      ? { text: "no answer", style: colors.red }
      : { text: latencyText(latencyMs), style: colors.green },
    isHome ? "yes" : "",
  ]);
  const reason = websocketReason === undefined ? "" : `, because ${websocketReason}`;
  const pairs: (readonly [string, string])[] = [
    ["Relay", transport === undefined ? "not connected" : `connected by ${transport}${reason}`],
    ["UDP", udpText(udp)],
    ["IPv6", hasIpv6 ? "works" : "not seen"],
  ];
  const notes = faults.flatMap(({ problem, advice }) => [
    colors.yellow(`warning: ${problem}`),
    advice,
  ]);
  return [
    ...renderTable(["REGION", "NAME", "LATENCY", "NEAREST"], rows, layout),
    "",
    ...renderPairs(pairs, layout),
    ...(notes.length === 0 ? [] : ["", ...notes]),
  ];
}

/** Returns a report as JSON. */
export function reportJson(report: NetworkReport): unknown {
  return {
    regions: report.regions.map(({ id, code, name, isHome, latencyMs }) => ({
      region_id: id,
      region_code: code,
      region_name: name,
      home: isHome,
      latency_ms: latencyJson(latencyMs),
    })),
    transport: report.transport ?? null,
    websocket_reason: report.websocketReason ?? null,
    udp: report.udp,
    ipv6: report.hasIpv6,
    faults: report.faults,
  };
}

function relayFaults(
  regions: readonly RegionReport[],
  home: NetworkStatus["relays"][number] | undefined,
): NetworkFault[] {
  if (regions.length === 0) {
    return [
      {
        problem: "the server has no relay",
        advice: "workspaces cannot be reached; ask the administrator of the server",
      },
    ];
  }
  if (home === undefined) return [];
  const name = regions.find(({ id }) => id === home.regionId)?.name ?? String(home.regionId);
  const { lastFailure, connection, problem } = home;
  const reported = problem === "" ? [] : [{ problem: `${name} reports: ${problem}`, advice: "" }];
  if (connection.type === "connected" || lastFailure === undefined) return reported;
  return [
    ...reported,
    {
      problem: `cannot connect to ${name} (${lastFailure.rung}): ${lastFailure.message}`,
      advice: "check that proxies and firewalls let HTTP upgrades or WebSockets to it through",
    },
  ];
}

function udpFaults(udp: UdpState): NetworkFault[] {
  switch (udp) {
    case "blocked":
      return [
        {
          problem: "UDP is blocked, so that all connections go through relays",
          advice: "allow outgoing UDP in your firewall",
        },
      ];
    case "hard NAT":
      return [
        {
          problem: "direct connections to workspaces behind a NAT are unlikely",
          advice:
            "your NAT gives each destination another port; use another network if relays are slow",
        },
      ];
    case "off":
    case "unknown":
    case "easy NAT":
    case "open":
      return [];
  }
}
