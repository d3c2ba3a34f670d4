import {
  getPrebuildsSettings,
  invalidatePrebuilds,
  listPrebuildPools,
  type PrebuildPool,
  updatePrebuildsSettings,
} from "@slipway/api/prebuilds/routes";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Pause, Play, Waves } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";

import { client } from "../../api/client.ts";
import { ensureSet } from "../../api/ensure.ts";
import { refresh, routeQuery } from "../../api/queries.ts";
import { useRights } from "../../api/session.ts";
import { FailureNotice } from "../../components/page-failure.tsx";
import { RightGate } from "../../components/right-gate.tsx";
import { Button } from "../../ui/button.tsx";
import { ConfirmDialog } from "../../ui/dialog.tsx";
import { Figures } from "../../ui/figures.tsx";
import { EmptyState, PageHeader, Panel, Skeleton } from "../../ui/layout.tsx";
import { Notice } from "../../ui/notice.tsx";
import { Badge, Status, type Tone } from "../../ui/status.tsx";
import { Time } from "../../ui/time.tsx";
import { useToaster } from "../../ui/toasts.tsx";
import { untrusted, UntrustedText } from "../../ui/untrusted-text.tsx";
import { ClaimsPanel } from "./claims-panel.tsx";
import { PoolChart } from "./pool-chart.tsx";
import { addSamples, claimedSince, type PoolHistory, type PoolSample } from "./pool-samples.ts";

/** Pools are read at this interval, in milliseconds; each time is a sample of the charts. */
const sampleMs = 10_000;

export function PoolsPage(): ReactNode {
  return (
    <RightGate right="createTemplates" title="Pools" roles="owners and template admins">
      <Pools />
    </RightGate>
  );
}

function Pools(): ReactNode {
  const pools = useQuery({ ...routeQuery(listPrebuildPools), refetchInterval: sampleMs });
  const [history, setHistory] = useState<PoolHistory>(new Map());
  const { data, dataUpdatedAt } = pools;
  useEffect(() => {
    if (data !== undefined) setHistory((before) => addSamples(before, data, dataUpdatedAt));
  }, [data, dataUpdatedAt]);
  return (
    <>
      <PageHeader title="Pools" actions={<PauseButton />}>
        Workspaces built in advance, so that creating one takes a second.
      </PageHeader>
      <PausedNotice />
      {pools.isError && <FailureNotice error={pools.error} onRetry={() => void pools.refetch()} />}
      {pools.isPending && <Skeleton className="h-48 w-full" />}
      {data?.length === 0 && (
        <Panel>
          <EmptyState icon={<Waves size={28} />} title="No pools yet">
            Add <code>prebuilds: {"{ instances: 3 }"}</code> to a preset and push the template:
            three workspaces are then kept ready for that preset.
          </EmptyState>
        </Panel>
      )}
      {data?.map((pool) => (
        <PoolPanel key={pool.preset_id} pool={pool} samples={history.get(pool.preset_id) ?? []} />
      ))}
      {(data?.length ?? 0) > 0 && <ClaimsPanel />}
    </>
  );
}

function PausedNotice(): ReactNode {
  const settings = useQuery(routeQuery(getPrebuildsSettings));
  if (settings.data?.reconciliation_paused !== true) return null;
  return (
    <Notice tone="warn" title="Pools are paused.">
      Waiting workspaces can still be claimed; no new ones are built until you resume.
    </Notice>
  );
}

function PauseButton(): ReactNode {
  const cache = useQueryClient();
  const toaster = useToaster();
  const { updateDeployment } = useRights();
  const settings = useQuery(routeQuery(getPrebuildsSettings));
  // The question stays the same until it is answered, even if somebody else pauses or resumes meanwhile.
  const [asked, setAsked] = useState<"pause" | "resume">();
  const isPaused = settings.data?.reconciliation_paused ?? false;
  const isPause = asked === "pause";
  const change = async (): Promise<void> => {
    const body = { reconciliation_paused: isPause };
    await ensureSet(client.call(updatePrebuildsSettings, { body }));
    await refresh(cache, getPrebuildsSettings, listPrebuildPools);
    toaster.show(isPause ? "Pools are paused." : "Pools are resumed.");
  };
  return (
    <>
      <Button
        icon={isPaused ? <Play aria-hidden size={14} /> : <Pause aria-hidden size={14} />}
        disabledReason={updateDeployment ? undefined : "Only owners can pause and resume pools"}
        onClick={() => setAsked(isPaused ? "resume" : "pause")}
      >
        {isPaused ? "Resume…" : "Pause…"}
      </Button>
      {asked !== undefined && (
        <ConfirmDialog
          title={isPause ? "Pause all pools?" : "Resume filling pools?"}
          action={isPause ? "Pause" : "Resume"}
          onConfirm={change}
          onClose={() => setAsked(undefined)}
        >
          <p>
            {isPause
              ? "No pool of this deployment is filled or emptied until you resume. Workspaces that wait can still be claimed; once they run out, creating one takes a full build."
              : "Every pool is filled up to its desired size again, which may start many builds."}
          </p>
        </ConfirmDialog>
      )}
    </>
  );
}

const states: Readonly<
  Record<PrebuildPool["status"], { tone: Tone; label: string; advice: string }>
> = {
  healthy: { tone: "good", label: "Healthy", advice: "" },
  hard_limited: {
    tone: "bad",
    label: "Stopped after failures",
    advice:
      "Too many builds failed in a row. Read the log of a failed prebuild, fix the template and promote a new version; the pool then starts again.",
  },
  validation_failed: {
    tone: "bad",
    label: "Preset is invalid",
    advice:
      "The values of the preset do not fit the parameters of this version. Fix the preset and promote a new version.",
  },
  backed_off: {
    tone: "warn",
    label: "Waiting after a failure",
    advice: "The last build failed; its log says why. Another attempt follows.",
  },
  paused: { tone: "warn", label: "Paused", advice: "" },
};

interface PoolPanelProps {
  readonly pool: PrebuildPool;
  readonly samples: readonly PoolSample[];
}

function PoolPanel({ pool, samples }: PoolPanelProps): ReactNode {
  const [isAsking, setAsking] = useState(false);
  const { tone, label, advice } = states[pool.status];
  const claimed = claimedSince(samples);
  return (
    <Panel
      title={
        <span className="flex flex-wrap items-center gap-2">
          <UntrustedText>{`${pool.template_name} / ${pool.preset_name}`}</UntrustedText>
          <Badge>{untrusted(pool.template_version_name)}</Badge>
          {!pool.active && <Badge tone="warn">old version, draining</Badge>}
        </span>
      }
      actions={
        <div className="flex items-center gap-3 text-sm">
          <Status tone={tone}>{label}</Status>
          <Button
            size="small"
            disabledReason={
              pool.active ? undefined : "The pool of an old version is already draining"
            }
            onClick={() => setAsking(true)}
          >
            Replace…
          </Button>
        </div>
      }
    >
      <div className="grid items-start gap-4 lg:grid-cols-2">
        <Figures
          label="Now"
          figures={[
            { label: "Desired", value: pool.desired },
            { label: "Ready", value: pool.eligible },
            {
              label: "Building",
              value: pool.starting + Math.max(0, pool.running - pool.eligible),
            },
            {
              label: "Claimed",
              value: pool.claimed,
              detail: claimed > 0 ? `${claimed} since you opened this page` : "so far",
            },
          ]}
        />
        <PoolChart samples={samples} />
      </div>
      {advice !== "" && (
        <div className="mt-4">
          <Notice tone={tone === "bad" ? "bad" : "warn"} title={label}>
            {advice}
            {pool.backoff_until !== null && (
              <>
                {" "}
                Next attempt <Time time={pool.backoff_until} />.
              </>
            )}
          </Notice>
        </div>
      )}
      {isAsking && <InvalidateDialog pool={pool} onClose={() => setAsking(false)} />}
    </Panel>
  );
}

function InvalidateDialog({
  pool,
  onClose,
}: {
  readonly pool: PrebuildPool;
  readonly onClose: () => void;
}): ReactNode {
  const cache = useQueryClient();
  const toaster = useToaster();
  const name = untrusted(pool.template_name);
  return (
    <ConfirmDialog
      title={`Replace the waiting workspaces of ${name}?`}
      action="Replace workspaces"
      isDangerous
      onConfirm={async () => {
        const { invalidated } = await client.call(invalidatePrebuilds, {
          params: { template: pool.template_id },
        });
        await refresh(cache, listPrebuildPools);
        const names = invalidated.map(({ preset_name }) => untrusted(preset_name)).join(", ");
        toaster.show(`The workspaces of ${names || "no preset"} are being replaced.`);
      }}
      onClose={onClose}
    >
      <p>
        All waiting workspaces of {name}, for every preset, are deleted and rebuilt. Use this when
        something they were built from has changed, such as an image. Claimed workspaces are not
        affected.
      </p>
    </ConfirmDialog>
  );
}
