/** The views of an agent, in the order of their tabs. */
export const agentViews = [
  { view: "apps", label: "Apps" },
  { view: "ports", label: "Ports" },
  { view: "start", label: "Start-up" },
  { view: "log", label: "Log" },
  { view: "containers", label: "Containers" },
  { view: "connect", label: "Connect" },
] as const;

export type AgentView = (typeof agentViews)[number]["view"];

/** Reads the view of an address; undefined for the first one. */
export function readAgentView(value: unknown): AgentView | undefined {
  const found = agentViews.find(({ view }) => view === value)?.view;
  return found === "apps" ? undefined : found;
}
