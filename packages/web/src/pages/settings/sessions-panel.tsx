import { deleteKey } from "@slipway/api/users/key-routes";
import { deleteSessions, listSessions, type Session } from "@slipway/api/users/session-routes";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useId, useState } from "react";

import { client } from "../../api/client.ts";
import { ensureGone } from "../../api/ensure.ts";
import { refresh, routeQuery } from "../../api/queries.ts";
import { FailureNotice } from "../../components/page-failure.tsx";
import { programOf } from "../../components/program-of.ts";
import { Button } from "../../ui/button.tsx";
import { ConfirmDialog } from "../../ui/dialog.tsx";
import { Panel, Skeleton } from "../../ui/layout.tsx";
import { Badge } from "../../ui/status.tsx";
import { Time } from "../../ui/time.tsx";
import { untrusted, UntrustedText } from "../../ui/untrusted-text.tsx";
import { wasUsed } from "./token-text.ts";

const query = { params: { user: "me" } } as const;

/** The browsers and commands that are logged in as the user, each of which can be ended. */
export function SessionsPanel(): ReactNode {
  const cache = useQueryClient();
  const sessions = useQuery(routeQuery(listSessions, query));
  const [ending, setEnding] = useState<Session | "others">();
  const others = sessions.data?.filter(({ is_current }) => !is_current).length ?? 0;
  const end = async (): Promise<void> => {
    if (ending === undefined) return;
    if (ending === "others") await client.call(deleteSessions, query);
    else await ensureGone(client.call(deleteKey, { params: { user: "me", key: ending.id } }));
    await refresh(cache, listSessions);
  };
  return (
    <Panel
      title="Sessions"
      actions={
        <Button
          size="small"
          disabledReason={others === 0 ? "There is only this session" : undefined}
          onClick={() => setEnding("others")}
        >
          End all others…
        </Button>
      }
      isFlush
    >
      {sessions.isError && (
        <div className="p-4">
          <FailureNotice error={sessions.error} onRetry={() => void sessions.refetch()} />
        </div>
      )}
      {sessions.isPending && <Skeleton className="m-4 h-10" />}
      <ul aria-label="Sessions">
        {sessions.data?.map((session) => (
          <SessionRow key={session.id} session={session} onEnd={() => setEnding(session)} />
        ))}
      </ul>
      {ending !== undefined && (
        <ConfirmDialog
          title={ending === "others" ? "End all other sessions?" : "End this session?"}
          action={ending === "others" ? "End sessions" : "End session"}
          isDangerous
          onConfirm={end}
          onClose={() => setEnding(undefined)}
        >
          <p>
            {ending === "others"
              ? "Every other browser and command that is logged in as you is logged out, and its terminals close."
              : `${untrusted(programOf(ending.user_agent))} is logged out, and its terminals close.`}
          </p>
        </ConfirmDialog>
      )}
    </Panel>
  );
}

interface SessionRowProps {
  readonly session: Session;
  readonly onEnd: () => void;
}

function SessionRow({ session, onEnd }: SessionRowProps): ReactNode {
  const id = useId();
  const [program, facts, button] = [`${id}-program`, `${id}-facts`, `${id}-button`];
  const isUsed = wasUsed(session);
  return (
    <li className="flex items-center justify-between gap-4 border-b border-line px-4 py-2.5 last:border-b-0">
      <div className="min-w-0">
        <p className="flex flex-wrap items-center gap-2 font-medium">
          <span id={program} className="wrap-anywhere">
            <UntrustedText>{programOf(session.user_agent)}</UntrustedText>
          </span>
          {session.is_current && <Badge tone="good">this session</Badge>}
          {session.created_by !== undefined && (
            <Badge tone="warn">created by an administrator</Badge>
          )}
        </p>
        <p id={facts} className="text-sm text-ink-soft">
          {session.ip !== "" && `${untrusted(session.ip)} · `}
          {isUsed ? "used " : "logged in "}
          <Time time={isUsed ? session.last_used : session.created_at} />
          {" · expires "}
          <Time time={session.expires_at} />
        </p>
      </div>
      <Button
        id={button}
        // Of two sessions with one program, the facts tell which is which.
        aria-labelledby={`${button} ${program} ${facts}`}
        size="small"
        disabledReason={session.is_current ? "Log out instead" : undefined}
        onClick={onEnd}
      >
        End…
      </Button>
    </li>
  );
}
