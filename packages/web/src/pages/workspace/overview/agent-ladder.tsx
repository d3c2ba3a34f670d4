import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import { CircleAlert, CircleCheck, CircleDashed, LoaderCircle } from "lucide-react";
import type { ReactNode } from "react";

import { classNames } from "../../../ui/class-names.ts";
import { untrusted } from "../../../ui/untrusted-text.tsx";
import { useWorkspace } from "../use-workspace.tsx";
import {
  type AgentReach,
  connectLadder,
  failingRung,
  isStartedByPerson,
  type LadderRung,
} from "./connect-ladder.ts";
import { ExternalAgentCommand } from "./external-agent-command.tsx";

interface AgentLadderProps {
  readonly agent: WorkspaceAgent;
  readonly reach: AgentReach;
}

/** The steps on the way to an agent: one line if all hold, all of them and the fix otherwise. */
export function AgentLadder({ agent, reach }: AgentLadderProps): ReactNode {
  const { latest_build: build } = useWorkspace();
  const rungs = connectLadder({ build, agent, reach, serverUrl: location.origin });
  const failing = failingRung(rungs);
  const isWaitingForPerson = agent.status !== "connected" && isStartedByPerson(build, agent);
  return (
    <div className="border-b border-line px-4 py-3">
      {failing === undefined ? (
        <p className="flex flex-wrap items-center gap-x-2 text-sm text-ink-soft">
          <CircleCheck aria-hidden size={15} className="text-good" />
          Connected, started and reached by the server. <RelayText agent={agent} />
        </p>
      ) : (
        <ol aria-label="Way to the agent" className="flex flex-col gap-2">
          {rungs.map((rung) => (
            <Rung key={rung.name} rung={rung} />
          ))}
        </ol>
      )}
      {isWaitingForPerson && <ExternalAgentCommand agentName={agent.name} />}
      <TroubleLink agent={agent} isNeeded={failing?.state === "bad"} />
    </div>
  );
}

const icons = {
  good: CircleCheck,
  waiting: LoaderCircle,
  bad: CircleAlert,
  unknown: CircleDashed,
} as const;

const iconColors = {
  good: "text-good",
  waiting: "text-accent animate-spin",
  bad: "text-bad",
  unknown: "text-ink-faint",
} as const;

const spoken = { good: "holds", waiting: "waiting", bad: "fails", unknown: "not known" } as const;

function Rung({ rung: { name, state, text, fix } }: { readonly rung: LadderRung }): ReactNode {
  const Icon = icons[state];
  return (
    <li className="flex gap-2.5 text-sm">
      <Icon aria-hidden size={15} className={classNames("mt-0.5 shrink-0", iconColors[state])} />
      <div className="min-w-0 wrap-anywhere">
        <span className={state === "unknown" ? "text-ink-soft" : "font-medium"}>{name}</span>
        <span className="sr-only">: {spoken[state]}</span>
        {text !== "" && <span className="ml-2 text-ink-soft">{untrusted(text)}</span>}
        {fix !== undefined && <p className="mt-0.5">{fix}</p>}
      </div>
    </li>
  );
}

/** The relay that an agent prefers, and the time to it. */
function RelayText({ agent: { latency } }: { readonly agent: WorkspaceAgent }): ReactNode {
  const home = Object.entries(latency ?? {}).find(([, { preferred }]) => preferred);
  if (home === undefined) return null;
  const [region, { latency_ms: ms }] = home;
  return (
    <span className="tabular-nums">
      Relay {untrusted(region)}, {ms.toFixed(ms < 10 ? 1 : 0)} ms.
    </span>
  );
}

function TroubleLink({
  agent: { troubleshooting_url: url },
  isNeeded,
}: {
  readonly agent: WorkspaceAgent;
  readonly isNeeded: boolean;
}): ReactNode {
  if (!isNeeded || !/^https?:\/\//.test(url)) return null;
  return (
    <a
      href={url}
      target="_blank"
      rel="noreferrer"
      className="mt-2 inline-block text-sm text-accent hover:underline"
    >
      Troubleshooting guide of the template
    </a>
  );
}
