import { Outlet } from "@tanstack/react-router";
import { type ReactNode, useEffect } from "react";

import { usePageSession } from "../api/page-session.ts";
import { SessionDialog } from "../components/log-in/session-dialog.tsx";

/** The pages for people who are logged in, with the log-in above them once their session has ended. */
export function MemberPages(): ReactNode {
  const session = usePageSession();
  const isReplaced = session.kind === "replaced";
  useEffect(() => {
    if (!isReplaced) return undefined;
    // Nothing of the page, of its memory or of its tab is for the next user.
    sessionStorage.clear();
    location.replace("/");
    // The browser may come back to this page as it was left: empty.
    const reload = (): void => location.reload();
    globalThis.addEventListener("pageshow", reload);
    return () => globalThis.removeEventListener("pageshow", reload);
  }, [isReplaced]);
  if (isReplaced) return null;
  return (
    <>
      <Outlet />
      {session.kind === "ended" && <SessionDialog user={session.user} />}
    </>
  );
}
