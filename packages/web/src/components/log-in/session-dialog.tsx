import { getUser } from "@slipway/api/users/routes";
import type { User } from "@slipway/api/users/user";
import { ApiError } from "@slipway/sdk/http";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useLayoutEffect, useRef } from "react";

import { readAgain } from "../../api/cache.ts";
import { client } from "../../api/client.ts";
import { resumeSession } from "../../api/page-session.ts";
import { Notice } from "../../ui/notice.tsx";
import { UntrustedText } from "../../ui/untrusted-text.tsx";
import { EntryCard } from "../entry-frame.tsx";
import { FailureNotice } from "../page-failure.tsx";
import { LogInWays } from "./log-in-ways.tsx";

/**
 * The log-in above a page whose session has ended. It covers the page, which stays as it is below: its user
 * continues there with everything that was typed.
 */
export function SessionDialog({ user }: { readonly user: User }): ReactNode {
  const ref = useRef<HTMLDialogElement>(null);
  const cache = useQueryClient();
  const goOn = useMutation({
    mutationFn: async () => {
      const found = await readSession();
      if (found !== undefined && resumeSession(found)) await readAgain(cache);
    },
  });
  const { mutate } = goOn;
  useLayoutEffect(() => {
    const dialog = ref.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  useEffect(() => {
    // The user may have logged in in another tab.
    const look = (): void => {
      if (document.visibilityState === "visible") mutate();
    };
    globalThis.addEventListener("focus", look);
    document.addEventListener("visibilitychange", look);
    return () => {
      globalThis.removeEventListener("focus", look);
      document.removeEventListener("visibilitychange", look);
    };
  }, [mutate]);
  return (
    <dialog
      ref={ref}
      aria-label="Log in to Slipway"
      // Nothing but a log-in closes it: not Escape, even if it is pressed twice.
      {...{ closedby: "none" }}
      onCancel={(event) => event.preventDefault()}
      className="m-0 h-dvh max-h-none w-screen max-w-none overflow-y-auto bg-canvas"
    >
      <EntryCard title="Log in to Slipway">
        <Notice tone="info" title="Your session has ended.">
          Log in again as <UntrustedText>{user.username}</UntrustedText> to continue where you left
          off. As another user you leave the page, and what you typed is lost.
        </Notice>
        {goOn.isError && <FailureNotice error={goOn.error} onRetry={() => mutate()} />}
        <LogInWays path="/" opensTab email={user.email} onLoggedIn={() => mutate()} />
      </EntryCard>
    </dialog>
  );
}

/** Reads whose session this browser has; undefined if it has none. */
async function readSession(): Promise<User | undefined> {
  try {
    return await client.call(getUser, { params: { user: "me" } });
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return undefined;
    throw error;
  }
}
