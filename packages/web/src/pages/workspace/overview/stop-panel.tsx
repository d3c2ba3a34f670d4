import { getTemplate } from "@slipway/api/templates/routes";
import { extendWorkspace, getWorkspaceByName } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type FormEvent, type ReactNode, useState } from "react";

import { client } from "../../../api/client.ts";
import { ensureSet } from "../../../api/ensure.ts";
import { refresh, routeQuery } from "../../../api/queries.ts";
import { Button, buttonClasses } from "../../../ui/button.tsx";
import { Dialog } from "../../../ui/dialog.tsx";
import { errorText } from "../../../ui/error-text.ts";
import { Field, TextInput } from "../../../ui/field.tsx";
import { Panel } from "../../../ui/layout.tsx";
import { Notice } from "../../../ui/notice.tsx";
import { Time } from "../../../ui/time.tsx";
import { useWorkspace, useWorkspaceParams } from "../use-workspace.tsx";
import { type PlanReason, stopPlan } from "./stop-plan.ts";

const hourMs = 3_600_000;

/** Says why a workspace is still on and when it stops, and moves that. */
export function StopPanel(): ReactNode {
  const workspace = useWorkspace();
  const params = useWorkspaceParams();
  const { template_id: template } = workspace;
  const rules = useQuery(routeQuery(getTemplate, { params: { template } }));
  const plan = stopPlan(workspace, rules.data);
  return (
    <Panel
      title="Schedule"
      actions={
        <Link
          to="/@{$owner}/$workspace/settings"
          params={params}
          hash="schedule"
          className={buttonClasses("ghost", "small")}
        >
          Change
        </Link>
      }
    >
      <div className="flex flex-col gap-3">
        <p className="text-base font-medium">
          <Reason reason={plan.headline} />
        </p>
        <ul className="flex flex-col gap-1.5 text-sm text-ink-soft">
          {plan.reasons.map((reason) => (
            <li key={reason.text}>
              <Reason reason={reason} />
            </li>
          ))}
        </ul>
        {workspace.latest_build.status === "running" && (
          <ExtendButtons workspace={workspace} refusal={plan.extendRefusal} />
        )}
      </div>
    </Panel>
  );
}

function Reason({ reason: { text, at } }: { readonly reason: PlanReason }): ReactNode {
  if (at === undefined) return text;
  return (
    <>
      {text} <Time time={at} />.
    </>
  );
}

interface ExtendProps {
  readonly workspace: Workspace;
  readonly refusal: string | undefined;
}

function ExtendButtons({ workspace, refusal }: ExtendProps): ReactNode {
  const [isChoosing, setChoosing] = useState(false);
  const extend = useExtend(workspace);
  const fromMs = Date.parse(workspace.latest_build.deadline ?? "");
  const later = (ms: number): void => extend.mutate(new Date(fromMs + ms));
  return (
    <>
      <div className="flex flex-wrap gap-2">
        <Button
          size="small"
          isBusy={extend.isPending}
          disabledReason={refusal}
          onClick={() => later(hourMs)}
        >
          + 1 hour
        </Button>
        <Button
          size="small"
          isBusy={extend.isPending}
          disabledReason={refusal}
          onClick={() => later(4 * hourMs)}
        >
          + 4 hours
        </Button>
        <Button size="small" disabledReason={refusal} onClick={() => setChoosing(true)}>
          Until…
        </Button>
      </div>
      {extend.isError && !isChoosing && <Notice tone="bad" title={errorText(extend.error)} />}
      {isChoosing && (
        <UntilDialog
          workspace={workspace}
          onClose={() => {
            setChoosing(false);
            extend.reset();
          }}
        />
      )}
    </>
  );
}

function useExtend({ id }: Workspace) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (deadline: Date) =>
      ensureSet(
        client.call(extendWorkspace, {
          params: { workspace: id },
          body: { deadline: deadline.toISOString() },
        }),
      ),
    onSuccess: () => refresh(cache, getWorkspaceByName),
  });
}

function UntilDialog({
  workspace,
  onClose,
}: {
  readonly workspace: Workspace;
  readonly onClose: () => void;
}): ReactNode {
  const extend = useExtend(workspace);
  const [time, setTime] = useState(() =>
    localTime(new Date(workspace.latest_build.deadline ?? Date.now())),
  );
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    extend.mutate(new Date(time), { onSuccess: onClose });
  };
  const isValid = !Number.isNaN(Date.parse(time));
  return (
    <Dialog title="Keep it on until" onClose={onClose}>
      <form onSubmit={submit} className="flex flex-col gap-4">
        {extend.isError && <Notice tone="bad" title={errorText(extend.error)} />}
        <Field label="Stops at" isRequired hint="In the time zone of this browser.">
          {(ids) => <TextInput {...ids} type="datetime-local" value={time} onValue={setTime} />}
        </Field>
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button
            type="submit"
            look="primary"
            isBusy={extend.isPending}
            disabledReason={isValid ? undefined : "Enter a date and a time"}
          >
            Set
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** Returns a time as the field of a browser wants it, in its zone. */
function localTime(date: Date): string {
  const zoneMs = date.getTimezoneOffset() * 60_000;
  return new Date(date.getTime() - zoneMs).toISOString().slice(0, 16);
}
